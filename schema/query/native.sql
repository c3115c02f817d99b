-- Native code that alone keeps Python objects alive, the most bytes first; the interpreter's own state is left
-- out. type: of most of those that memory of C itself refers to; via: a block whose word does, the first.
WITH holder AS (
    SELECT h.*
    FROM native_holder h
    WHERE NOT h.interpreter
      AND (:type IS NULL OR EXISTS (
          SELECT 1 FROM native_held d JOIN object o ON o.id = d.object_id JOIN type t ON t.id = o.type_id
          WHERE d.holder_id = h.id AND d.direct AND t.name REGEXP :type))
    ORDER BY h.bytes DESC, h.id
    LIMIT :limit),
kind AS (
    SELECT d.holder_id, o.type_id, count(*) AS objects, min(o.id) AS object_id, min(d.via_id) AS via_id,
           row_number() OVER (PARTITION BY d.holder_id ORDER BY count(*) DESC, o.type_id) AS place
    FROM holder h JOIN native_held d ON d.holder_id = h.id AND d.direct JOIN object o ON o.id = d.object_id
    GROUP BY d.holder_id, o.type_id)
SELECT h.kind,
       CASE WHEN h.kind = 'object' THEN 'C memory of ' || coalesce(ht.name, '?') || ' objects'
            WHEN h.name IS NOT NULL THEN h.name
            WHEN h.kind = 'unexplained' THEN 'mapping, word at ' || printf('0x%x', h.address)
            WHEN h.thread_id IS NOT NULL THEN h.kind || ' of thread ' || h.thread_id
            WHEN h.address IS NOT NULL THEN h.kind || ' at ' || printf('0x%x', h.address)
            ELSE h.kind END AS holder,
       replace(m.path, rtrim(m.path, replace(m.path, '/', '')), '') AS module_name, m.path AS module,
       h.objects, h.bytes, h.direct, t.name AS type, k.objects AS type_objects, k.object_id, o.address, k.via_id,
       v.address AS via, h.thread_id, h.name, h.id AS holder_id
FROM holder h JOIN kind k ON k.holder_id = h.id AND k.place = 1 JOIN object o ON o.id = k.object_id
     LEFT JOIN type t ON t.id = k.type_id LEFT JOIN type ht ON ht.id = h.type_id
     LEFT JOIN module m ON m.id = h.module_id LEFT JOIN object v ON v.id = k.via_id
ORDER BY h.bytes DESC, h.id
