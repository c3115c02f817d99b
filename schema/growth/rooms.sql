-- Containers whose words lie apart from their entries, in the order of where they lie. A form is a number here.
SELECT c.header, c.object_id, coalesce(c.holder_id, 0), c.used, c.capacity,
       CASE c.form WHEN 'vector' THEN 1 WHEN 'string' THEN 2 WHEN 'deque' THEN 3 WHEN 'hash table' THEN 4
       WHEN 'table of blocks' THEN 6 ELSE 5 END
FROM container c WHERE c.header IS NOT NULL ORDER BY c.header
