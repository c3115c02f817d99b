-- As top_site.sql, for --type: the objects of those types that have a site, with the bytes of their blocks.
WITH found AS (SELECT o.site_id, count(*) AS objects, sum(o.size) AS bytes
               FROM object o
               WHERE o.type_id IN (SELECT id FROM type WHERE name REGEXP :type) AND o.site_id IS NOT NULL
                     AND EXISTS (SELECT 1 FROM site)
               GROUP BY o.site_id),
     total AS (SELECT sum(bytes) AS bytes FROM found)
SELECT s.id AS site_id, f.objects, f.bytes, 1.0 * f.bytes / total.bytes AS share, 
       coalesce(s.function, s.module || printf('+0x%x', s.address), s.module) AS name,
       s.function, s.file, s.line, s.module, coalesce(p.function || ' ', '') || coalesce(p.file || coalesce(':' || p.line, ''), '') AS caller
FROM found f JOIN site s ON s.id = f.site_id LEFT JOIN site p ON p.id = s.parent_id, total
ORDER BY f.bytes DESC, s.id
LIMIT :limit
