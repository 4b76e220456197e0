-- 0009_sandbox
SELECT 1;
