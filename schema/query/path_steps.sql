-- The steps of paths that were found: (path, step, object, the reference that leads to it, root). Of one path with
-- :only, from step :from on and before step :till where these are given.
SELECT p.path, p.step, o.id, o.address, o.size, t.name AS type, o.value,
       -- with :texts: of a block that says nothing itself the first text that it points to, often its name
       CASE WHEN :texts AND o.value IS NULL AND t.language IS NOT 'python'
            THEN (SELECT printf('+%d %s', x.offset, d.value)
                  FROM (SELECT dst, offset FROM reference WHERE src = o.id AND kind = 0 AND how = 0 LIMIT 64) x
                       JOIN object d ON d.id = x.dst JOIN type dt ON dt.id = d.type_id
                  WHERE dt.name LIKE 'text (%' AND d.value <> ''
                  ORDER BY x.offset LIMIT 1) END AS has,
       r.name, CASE WHEN r.name IS NOT NULL OR o.owner_id = r.src AND s.refcount IS NOT NULL THEN r.name
            WHEN r.src IS NOT NULL THEN coalesce('->+' || r.offset, '->?') END AS written,
       r.offset, r.kind, s.owner_id AS src_owner, o.owner_id,
       -- its owner names what is in it; of C++'s containers, where it is has a name, or an offset
       CASE WHEN o.owner_id IS NOT NULL AND o.owner_id = r.src AND s.refcount IS NOT NULL THEN 1 ELSE 0 END AS own_buffer,
       st.name AS src_type, x.kind AS root_kind, x.grade AS root_grade, x.name AS root_name, x.address AS root_address,
       x.thread_id AS root_thread, th.tid AS root_tid, f.function AS root_function, f.language AS root_language,
       f.file AS root_file, f.line AS root_line, m.path AS root_module,
       CASE WHEN x.address >= m.base THEN x.address - m.base END AS root_offset
FROM (SELECT json_extract(value, '$[0]') AS path, json_extract(value, '$[1]') AS step,
             json_extract(value, '$[2]') AS object_id, json_extract(value, '$[3]') AS edge,
             json_extract(value, '$[4]') AS root_id
      FROM json_each(:steps)) p
     JOIN object o ON o.id = p.object_id LEFT JOIN type t ON t.id = o.type_id
     LEFT JOIN reference r ON r.rowid = p.edge LEFT JOIN object s ON s.id = r.src
     LEFT JOIN type st ON st.id = s.type_id LEFT JOIN root x ON x.id = p.root_id
     LEFT JOIN thread th ON th.id = x.thread_id
     LEFT JOIN frame f ON f.thread_id = x.thread_id AND f.depth = x.depth
     LEFT JOIN module m ON m.id = x.module_id
WHERE (:only IS NULL OR p.path = :only) AND (:from IS NULL OR p.step >= :from) AND (:till IS NULL OR p.step < :till)
ORDER BY p.path, p.step
