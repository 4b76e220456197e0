-- 0003_catalog
SELECT 1;
