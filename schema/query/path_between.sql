-- The references from one object, or from buffers that are part of it, to another.
SELECT r.rowid AS reference_id
FROM reference r JOIN object s ON s.id = r.src
WHERE r.dst = :dst AND r.kind <> 2 AND (r.src = :src OR s.owner_id = :src)
ORDER BY r.src <> :src, r.offset, r.rowid
LIMIT :limit
