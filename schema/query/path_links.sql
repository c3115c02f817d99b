-- References and roots by number, (reference, root, text of a root), in this order: from what to what.
SELECT coalesce(w.text, r.name, '->+' || r.offset, '->?') AS name, r.offset, s.id AS src, s.address AS src_address,
       st.name AS src_type, s.value AS src_value, o.id, o.address, t.name AS type, o.value, r.kind,
       CASE WHEN coalesce(s.reachable, 1) = 0 THEN '(unreachable itself)'
            WHEN n.id > 2 THEN n.path END AS held_as,
       nullif(w.reference_id, 0) AS reference_id, nullif(w.root_id, 0) AS root_id
FROM (SELECT key AS number, json_extract(value, '$[0]') AS reference_id, json_extract(value, '$[1]') AS root_id,
             json_extract(value, '$[2]') AS text
      FROM json_each(:ways)) w
     LEFT JOIN reference r ON r.rowid = w.reference_id LEFT JOIN root x ON x.id = w.root_id
     JOIN object o ON o.id = coalesce(r.dst, x.object_id) LEFT JOIN type t ON t.id = o.type_id
     LEFT JOIN object s ON s.id = r.src LEFT JOIN type st ON st.id = s.type_id
     LEFT JOIN retention n ON n.id = s.retention_id
ORDER BY w.number
