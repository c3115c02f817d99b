-- All cyclic clusters whose head's type matches; those that nothing leads to are garbage.
SELECT count(*) AS clusters, count(DISTINCT coalesce(c.signature, c.id)) AS shapes,
       coalesce(sum(c.reachable = 0), 0) AS garbage,
       coalesce(sum(c.bytes) FILTER (WHERE c.reachable = 0), 0) AS garbage_bytes
FROM cluster c
WHERE c.kind = 'cycle'
  AND (:type IS NULL OR EXISTS (SELECT 1 FROM object o JOIN type t ON t.id = o.type_id
                                WHERE o.id = c.head_id AND t.name REGEXP :type))
