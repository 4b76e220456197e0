-- 0014_compliance
SELECT 1;
