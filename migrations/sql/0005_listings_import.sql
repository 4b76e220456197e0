-- 0005_listings_import
SELECT 1;
