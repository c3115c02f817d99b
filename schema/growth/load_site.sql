-- The allocation sites of the database attached as `dump`, by what their whole call path is made of. A core with
-- sites has its live blocks counted from them. :step is its number.
CREATE TEMP TABLE site_key AS
WITH RECURSIVE walk (id, key) AS (
    SELECT id, content_key(0, function, file, line, module, CASE WHEN function IS NULL THEN address END)
    FROM dump.site WHERE parent_id IS NULL
    UNION ALL
    SELECT s.id, content_key(w.key, s.function, s.file, s.line, s.module, CASE WHEN s.function IS NULL THEN s.address END)
    FROM walk w JOIN dump.site s ON s.parent_id = w.id)
SELECT id, key FROM walk;
CREATE UNIQUE INDEX temp.site_key_id ON site_key (id);
INSERT INTO main.item (kind, key, name)
SELECT 'site', k.key,
       coalesce(s.function, addr(s.address), '(unknown)') || coalesce(' (' || s.file || coalesce(':' || s.line, '') || ')', '')
FROM dump.site s JOIN temp.site_key k ON k.id = s.id WHERE true
ON CONFLICT DO NOTHING;
UPDATE main.item SET parent_id = p.id
FROM dump.site s JOIN temp.site_key k ON k.id = s.id JOIN temp.site_key q ON q.id = s.parent_id
     JOIN main.item p ON p.kind = 'site' AND p.key = q.key
WHERE item.kind = 'site' AND item.key = k.key;
INSERT INTO main.sample (item_id, step, objects, bytes)
SELECT i.id, :step, sum(s.live_objects), sum(s.live_bytes)
FROM dump.site s JOIN temp.site_key k ON k.id = s.id JOIN main.item i ON i.kind = 'site' AND i.key = k.key
WHERE s.live_objects > 0
GROUP BY i.id;
DROP TABLE temp.site_key;
