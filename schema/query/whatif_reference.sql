-- One reference that keeps its object alive. That to a value of a dict has that to its key before it: whoever deletes
-- the entry loses both.
SELECT r.src, r.dst, k.rowid AS key_reference, k.dst AS key_id
FROM reference r
     LEFT JOIN reference k ON k.rowid = r.rowid - 1 AND k.src = r.src AND k.kind <> 2 AND k.name LIKE '<key %'
                              AND r.name IS NOT NULL AND r.name NOT LIKE '<key %'
WHERE r.rowid = ? AND r.kind <> 2
