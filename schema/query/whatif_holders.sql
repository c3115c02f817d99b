-- What else leads to an object, but for one reference and one root: the object that does; 0 is a root.
SELECT * FROM (SELECT r.src FROM reference r
               WHERE r.dst = ?1 AND r.kind <> 2 AND r.rowid <> ?2 AND r.src <> ?1 LIMIT ?4)
UNION ALL
SELECT * FROM (SELECT 0 FROM root WHERE object_id = ?1 AND id <> ?3 LIMIT ?4)
