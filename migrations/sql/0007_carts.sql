-- 0007_carts
SELECT 1;
