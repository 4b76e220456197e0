-- 0012_fulfilment
SELECT 1;
