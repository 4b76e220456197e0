-- 0010_search
SELECT 1;
