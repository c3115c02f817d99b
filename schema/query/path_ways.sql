-- Of what refers to an object the first of each way to be held: (rowid of the reference, who, kind, retention row).
-- Its likes beside it in a list are no other way. Of a Python object names tell: there the search's paths will do.
SELECT min(w.rowid) AS reference, w.src, w.kind, w.retention_id
FROM (SELECT r.rowid, r.src, r.kind, o.retention_id
      FROM object g JOIN reference r ON r.dst = g.id JOIN object o ON o.id = r.src LEFT JOIN type t ON t.id = g.type_id
      WHERE g.id = :id AND r.src <> :id AND r.kind <> 2 AND r.how = 0 AND o.reachable <> 0
            AND o.retention_id <> g.retention_id AND t.language IS NOT 'python'
      LIMIT :limit) w
GROUP BY w.retention_id
ORDER BY count(*) DESC, reference
LIMIT 16
