-- Counts that modules took when they were imported and keep, by why: the most objects first. The module is the
-- one that has the most of them; further: how many others have some.
WITH kept AS (
    SELECT k.object_id, k.counts, k.cause, m.path AS module
    FROM kept_count k CROSS JOIN object o ON o.id = k.object_id LEFT JOIN type t ON t.id = o.type_id
         LEFT JOIN module m ON m.id = k.module_id
    WHERE :type IS NULL OR t.name REGEXP :type),
by_module AS (
    SELECT cause, module, row_number() OVER (PARTITION BY cause ORDER BY count(*) DESC, module) AS place
    FROM kept WHERE module IS NOT NULL GROUP BY cause, module)
SELECT c.cause, c.objects, c.counts, t.name AS type, replace(b.module, rtrim(b.module, replace(b.module, '/', '')), '') AS module_name,
       CASE WHEN c.modules > 1 THEN printf('and %,d more', c.modules - 1) END AS further, o.address, c.object_id,
       o.value, b.module AS module, c.modules
FROM (SELECT cause, count(*) AS objects, sum(counts) AS counts, count(DISTINCT module) AS modules,
             min(object_id) AS object_id
      FROM kept GROUP BY cause) c
     JOIN object o ON o.id = c.object_id LEFT JOIN type t ON t.id = o.type_id
     LEFT JOIN by_module b ON b.cause = c.cause AND b.place = 1
ORDER BY c.objects DESC, c.cause
LIMIT :limit
