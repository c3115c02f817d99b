-- By what native code an object is kept alive, where that alone does it.
SELECT d.direct, d.via_id, v.address AS via, h.kind, h.interpreter, h.thread_id,
       CASE WHEN h.kind = 'object' THEN 'C memory of ' || coalesce(t.name, '?') || ' objects'
            WHEN h.name IS NOT NULL THEN h.name
            WHEN h.kind = 'unexplained' THEN 'a mapping, word at ' || printf('0x%x', h.address)
            WHEN h.thread_id IS NOT NULL THEN h.kind || ' of thread ' || h.thread_id
            WHEN h.address IS NOT NULL THEN h.kind || ' at ' || printf('0x%x', h.address)
            ELSE h.kind END AS holder,
       replace(m.path, rtrim(m.path, replace(m.path, '/', '')), '') AS module_name
FROM native_held d JOIN native_holder h ON h.id = d.holder_id LEFT JOIN type t ON t.id = h.type_id
     LEFT JOIN module m ON m.id = h.module_id LEFT JOIN object v ON v.id = d.via_id
WHERE d.object_id = :id
