-- What weak roots alone hold: the objects that such a root points to and that nothing else leads to, with
-- all that would go with them. CROSS: from the few roots to their objects, not the other way round.
SELECT count(*) AS roots, r.kind AS root_kind, o.address, o.id AS object_id, o.size, o.retained,
       t.name AS type, o.value, r.address AS root_address, r.thread_id
FROM root r CROSS JOIN object o ON o.id = r.object_id LEFT JOIN type t ON t.id = o.type_id
WHERE r.grade >= 6 AND o.grade >= 6 AND o.reachable <> 0 AND o.dominator_id IS NULL
  AND (:type IS NULL OR t.name REGEXP :type)
GROUP BY o.id
ORDER BY o.retained DESC, o.id
LIMIT :limit
