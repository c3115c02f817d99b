-- All cyclic clusters whose head's type matches; those that nothing leads to are garbage; normal ones are alive, of
-- classes and modules (cycles.sql).
SELECT coalesce(sum(s.clusters), 0) AS clusters, count(*) AS shapes,
       coalesce(sum(s.clusters) FILTER (WHERE s.reachable = 0), 0) AS garbage,
       coalesce(sum(s.bytes) FILTER (WHERE s.reachable = 0), 0) AS garbage_bytes,
       coalesce(sum(s.clusters) FILTER (WHERE s.reachable = 0 AND c.culprit_id IS NOT NULL
                                        AND c.collectable = 0), 0) AS unseen,
       coalesce(sum(s.clusters) FILTER (WHERE s.reachable = 0 AND c.culprit_id IS NOT NULL
                                        AND c.collectable IS NULL), 0) AS unclear,
       coalesce(sum(s.clusters) FILTER (WHERE s.normal), 0) AS normal,
       count(*) FILTER (WHERE s.normal) AS normal_shapes,
       coalesce(sum(s.objects) FILTER (WHERE s.normal), 0) AS normal_objects,
       coalesce(sum(s.bytes) FILTER (WHERE s.normal), 0) AS normal_bytes
FROM (SELECT s.*, s.reachable AND s.definitions AS normal
      FROM open_shape s) s JOIN cluster c ON c.id = s.cluster_id
WHERE s.kind = 'cycle'
  AND (:type IS NULL OR EXISTS (SELECT 1 FROM object o JOIN type t ON t.id = o.type_id
                                WHERE o.id = s.head_id AND t.name REGEXP :type))
