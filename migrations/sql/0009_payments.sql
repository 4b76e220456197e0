-- 0009_payments
SELECT 1;
