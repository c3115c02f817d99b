-- The references of an object, for an expression to go on with; own: to a buffer of its own, which is not written.
SELECT rowid AS reference, dst, name, offset,
       CASE WHEN name IS NULL THEN (SELECT o.owner_id = :id FROM object o WHERE o.id = dst) END AS own
FROM reference WHERE src = :id AND kind <> 2
