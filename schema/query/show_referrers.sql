-- What points to an object.
SELECT r.offset, r.name, CASE r.how WHEN 0 THEN 'start' WHEN 1 THEN 'interior' WHEN 2 THEN 'tagged'
                                    ELSE 'unaligned' END AS how,
       o.id, o.address, o.size, t.name AS type, o.value
FROM reference r JOIN object o ON o.id = r.src LEFT JOIN type t ON t.id = o.type_id
WHERE r.dst = :id
LIMIT :limit
