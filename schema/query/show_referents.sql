-- What an object points to, in the order of its bytes.
SELECT r.offset, r.name, CASE r.how WHEN 0 THEN 'start' WHEN 1 THEN 'interior' WHEN 2 THEN 'tagged'
                                    ELSE 'unaligned' END AS how,
       o.id, o.address, o.size, t.name AS type, o.value
FROM (SELECT * FROM reference WHERE src = :id ORDER BY offset LIMIT :limit) r
     JOIN object o ON o.id = r.dst LEFT JOIN type t ON t.id = o.type_id
ORDER BY r.offset
