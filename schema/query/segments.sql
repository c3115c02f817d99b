-- The mappings in address order, each with what most of it is.
SELECT s.id, s.start, s."end", s.perms, s.kind, s."end" - s.start AS bytes, s.present,
       (SELECT l.category || coalesce(' (' || l.place || ')', '') FROM ledger l
        WHERE l.segment_id = s.id ORDER BY l.bytes DESC LIMIT 1) AS mostly,
       coalesce(s.name, m.path) AS name
FROM segment s LEFT JOIN module m ON m.id = s.module_id
ORDER BY s.id
LIMIT :limit
