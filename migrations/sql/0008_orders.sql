-- 0008_orders
SELECT 1;
