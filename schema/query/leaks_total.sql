-- What --type and --limit do not cut: all unreachable clusters whose head's type matches.
SELECT count(*) AS clusters, count(DISTINCT coalesce(c.signature, c.id)) AS shapes,
       coalesce(sum(c.objects), 0) AS objects, coalesce(sum(c.bytes), 0) AS bytes
FROM cluster c
WHERE c.kind = 'leak' AND c.reachable = 0
  AND (:type IS NULL OR EXISTS (SELECT 1 FROM object o JOIN type t ON t.id = o.type_id
                                WHERE o.id = c.head_id AND t.name REGEXP :type))
