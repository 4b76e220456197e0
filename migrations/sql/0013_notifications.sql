-- 0013_notifications
SELECT 1;
