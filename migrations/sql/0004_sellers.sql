-- 0004_sellers
SELECT 1;
