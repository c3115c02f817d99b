-- The roots of an object, the best ones first: named ones (0), words in sure places (1), words that may
-- be stale (2).
SELECT r.id, CASE WHEN r.grade >= 6 THEN 2 WHEN r.name IS NULL OR r.name LIKE '%+0x%' OR r.name = '(stack)'
                       OR r.kind IN ('register', 'tls') THEN 1 ELSE 0 END AS quality
FROM root r LEFT JOIN frame f ON f.thread_id = r.thread_id AND f.depth = r.depth
WHERE r.object_id = :id
  AND (:avoid IS NULL OR NOT (coalesce(r.name REGEXP :avoid, 0) OR coalesce(f.function REGEXP :avoid, 0)))
ORDER BY quality, r.grade, r.id
LIMIT :limit
