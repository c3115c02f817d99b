-- Every object whose count the references do not explain: over-released ones first, then the biggest.
SELECT CASE WHEN e.excess > 0 THEN 'leaked' ELSE 'over-released' END AS state, e.object_id, o.address, o.size,
       e.refcount, e.found, e.excess, t.name AS type, o.value
FROM open_count e CROSS JOIN object o ON o.id = e.object_id LEFT JOIN type t ON t.id = o.type_id
WHERE :type IS NULL OR t.name REGEXP :type
ORDER BY e.excess > 0, o.size DESC, e.object_id
LIMIT :limit
