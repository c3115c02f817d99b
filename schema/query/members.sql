-- The first members of the example clusters that leaks.sql and cycles.sql list first: the head, then the
-- others in address order. (definitions, normal: as in cycles.sql.)
WITH example AS (
    SELECT s.cluster_id AS id, s.head_id, s.bytes, s.reachable,
           s.reachable AND s.definitions AS normal
    FROM open_shape s
    WHERE s.kind = :kind AND (s.kind = 'cycle' OR s.reachable = 0)
      AND (:type IS NULL OR EXISTS (SELECT 1 FROM object o JOIN type t ON t.id = o.type_id
                                    WHERE o.id = s.head_id AND t.name REGEXP :type))
      AND (:definitions IS NOT NULL OR NOT normal)
    ORDER BY normal, s.id
    LIMIT :groups)
SELECT s.id AS cluster_id, o.id AS object_id, o.address, o.size, t.name AS type, o.value
FROM example s JOIN object o ON o.id = s.head_id OR o.id IN (
         SELECT m.object_id FROM cluster_member m
         WHERE m.cluster_id = s.id AND m.object_id <> s.head_id
         ORDER BY m.object_id LIMIT :members)
     LEFT JOIN type t ON t.id = o.type_id
ORDER BY s.reachable, s.normal, s.bytes DESC, s.id, o.id <> s.head_id, o.id
