-- 0006_inventory
SELECT 1;
