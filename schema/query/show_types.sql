-- Types of a name: the very one, else those that it is a part of.
WITH exact AS (SELECT id FROM type WHERE name = :name),
wanted AS (SELECT id FROM exact
           UNION ALL
           SELECT id FROM type WHERE NOT EXISTS (SELECT 1 FROM exact) AND instr(lower(name), lower(:name)) > 0)
SELECT t.id, t.name AS type, t.language, t.module, coalesce(sum(c.objects), 0) AS objects,
       coalesce(sum(c.bytes), 0) AS bytes,
       coalesce(sum(c.objects) FILTER (WHERE c.reachable = 0), 0) AS unreachable
FROM wanted w JOIN type t ON t.id = w.id LEFT JOIN census c ON c.type_id = t.id
GROUP BY t.id
ORDER BY bytes DESC, t.id
LIMIT :limit
