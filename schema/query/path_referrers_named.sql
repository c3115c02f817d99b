-- As path_referrers.sql, for --avoid and --to-type, which ask for names: those of references here, those of the
-- holder's type by path_types.sql.
SELECT r.rowid AS edge, r.src, r.kind, s.type_id
FROM reference r JOIN object s ON s.id = r.src
WHERE r.dst = :id AND r.kind <> 2 AND s.reachable IS NOT 0
  AND (:avoid IS NULL OR NOT coalesce(r.name REGEXP :avoid, 0))
LIMIT :limit
