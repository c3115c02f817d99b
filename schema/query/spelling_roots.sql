-- Roots that an expression may begin with, as paths_text.c writes them. mode: 1 sys.modules, whose keys are written
-- without it; 2 a frame object, whose attributes are.
SELECT id, object_id, text, mode
FROM (SELECT x.id, x.object_id,
             CASE WHEN x.name IS NULL THEN 0 WHEN substr(x.name, -11) = 'sys.modules' THEN 1 WHEN x.name = '(frame)' THEN 2
                  ELSE 0 END AS mode,
             CASE WHEN x.name = '(frame)' THEN ''
                  WHEN substr(x.name, -11) = 'sys.modules' THEN substr(x.name, 1, length(x.name) - 11)
                  WHEN x.name IS NOT NULL THEN x.name
                  WHEN x.kind IN ('data', 'global') AND m.path IS NOT NULL AND x.address >= m.base THEN
                       replace(m.path, rtrim(m.path, replace(m.path, '/', '')), '') || printf('+0x%x', x.address - m.base)
                  WHEN x.kind = 'frame' AND f.function IS NOT NULL THEN
                       f.function || iif(instr(f.function, '(') > 0, '', '()')
                  WHEN x.kind = 'tls' THEN '(thread-local)'
                  WHEN x.address IS NOT NULL THEN '(' || x.kind || ' word at ' || printf('0x%x', x.address) || ')'
                  ELSE '<' || x.kind || '>' END AS text
      FROM root x LEFT JOIN module m ON m.id = x.module_id
           LEFT JOIN frame f ON x.name IS NULL AND x.kind = 'frame' AND f.thread_id = x.thread_id AND f.depth = x.depth)
WHERE substr(:text, 1, length(text)) = text
ORDER BY id
