-- 0011_ledger
SELECT 1;
