-- The roots of an object, the best ones first: the modules (0), named ones (1), words in sure places (2),
-- words that may be stale (3). A variable that points to the middle of a block counts as a word: what was there
-- when it was written may be gone.
SELECT r.id, CASE WHEN r.grade >= 6 THEN 3 WHEN r.name LIKE '%sys.modules' THEN 0 WHEN r.name IS NULL OR r.how <> 0 OR r.name LIKE '%+0x%' OR (r.name LIKE '(%' AND r.name <> '(frame)')
                       OR r.kind IN ('register', 'tls') THEN 2 ELSE 1 END AS quality
FROM root r LEFT JOIN frame f ON f.thread_id = r.thread_id AND f.depth = r.depth
WHERE r.object_id = :id
  AND (:avoid IS NULL OR NOT (coalesce(r.name REGEXP :avoid, 0) OR coalesce(f.function REGEXP :avoid, 0)))
ORDER BY quality, r.grade, r.id
LIMIT :limit
