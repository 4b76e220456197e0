-- 0005_listings
SELECT 1;
