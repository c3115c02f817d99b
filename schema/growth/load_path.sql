-- The retention paths of the database attached as `dump`. :step is its number.
INSERT INTO main.item (kind, key, name, type)
SELECT 'path', r.key, r.path, coalesce(t.name, CASE WHEN r.size IS NOT NULL THEN r.size || ' bytes' END)
FROM dump.retention r LEFT JOIN dump.type t ON t.id = r.type_id WHERE true ORDER BY r.id
ON CONFLICT DO UPDATE SET name = excluded.name, type = excluded.type;
UPDATE main.item SET parent_id = p.id
FROM dump.retention r JOIN dump.retention q ON q.id = r.parent_id JOIN main.item p ON p.kind = 'path' AND p.key = q.key
WHERE item.kind = 'path' AND item.key = r.key;
INSERT INTO main.sample (item_id, step, objects, bytes)
SELECT i.id, :step, sum(r.objects), sum(r.bytes)
FROM dump.retention r JOIN main.item i ON i.kind = 'path' AND i.key = r.key
GROUP BY i.id;
