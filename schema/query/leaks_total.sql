-- What --type and --limit do not cut: all unreachable clusters whose head's type matches.
SELECT coalesce(sum(s.clusters), 0) AS clusters, count(*) AS shapes,
       coalesce(sum(s.objects), 0) AS objects, coalesce(sum(s.bytes), 0) AS bytes
FROM open_shape s
WHERE s.kind = 'leak' AND s.reachable = 0
  AND (:type IS NULL OR EXISTS (SELECT 1 FROM object o JOIN type t ON t.id = o.type_id
                                WHERE o.id = s.head_id AND t.name REGEXP :type))
