-- The object that all ways to another lead through; NULL: there is none, and something holds it.
SELECT o.dominator_id, d.address, d.retained, t.name AS type
FROM object o LEFT JOIN object d ON d.id = o.dominator_id LEFT JOIN type t ON t.id = d.type_id
WHERE o.id = :id AND o.reachable <> 0
