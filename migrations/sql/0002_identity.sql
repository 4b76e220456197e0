-- 0002_identity
SELECT 1;
