-- As path_referrers.sql, for --avoid and --to-type, which ask for names: whether the holder's type is wanted.
SELECT r.rowid AS edge, r.src, r.kind,
       CASE WHEN :to_type IS NULL THEN 0 ELSE coalesce(t.name REGEXP :to_type, 0) END AS wanted
FROM reference r JOIN object s ON s.id = r.src LEFT JOIN type t ON t.id = s.type_id
WHERE r.dst = :id AND r.kind <> 2 AND s.reachable IS NOT 0
  AND (:avoid IS NULL OR NOT (coalesce(t.name REGEXP :avoid, 0) OR coalesce(r.name REGEXP :avoid, 0)))
LIMIT :limit
