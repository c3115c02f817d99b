-- Objects, and what would be free without each: (object, objects, bytes, returned, at_once, complete).
SELECT o.id, o.address, o.size, o.retained, w.objects, w.bytes, w.returned, w.at_once, w.complete, t.name AS type,
       o.value, CASE WHEN NOT w.complete THEN 'at least' END AS note
FROM (SELECT key AS position, json_extract(value, '$[0]') AS object_id, json_extract(value, '$[1]') AS objects,
             json_extract(value, '$[2]') AS bytes, json_extract(value, '$[3]') AS returned,
             json_extract(value, '$[4]') AS at_once, json_extract(value, '$[5]') AS complete
      FROM json_each(:rows)) w
     JOIN object o ON o.id = w.object_id LEFT JOIN type t ON t.id = o.type_id
ORDER BY w.position
