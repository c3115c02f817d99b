-- The references of an object, for an expression to go on with; own: to a buffer of its own, which is not written.
SELECT rowid AS reference, dst, name, offset,
       CASE WHEN name IS NULL THEN (SELECT o.owner_id = :id AND w.refcount IS NOT NULL
                                    FROM object o JOIN object w ON w.id = :id WHERE o.id = dst) END AS own
FROM reference WHERE src = :id AND kind <> 2
