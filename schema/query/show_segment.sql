-- The mapping that holds an address, and what is in it.
SELECT s.id, s.start, s."end", s.present, s.perms, s.kind, coalesce(s.name, m.path) AS name, m.path AS module,
       m.base, (SELECT group_concat(category || coalesce(': ' || place, ''), ', ') FROM
                (SELECT category, place FROM ledger l WHERE l.segment_id = s.id ORDER BY bytes DESC LIMIT 4))
               AS contents,
       (SELECT t.id FROM thread t WHERE t.sp >= s.start AND t.sp < s."end" LIMIT 1) AS thread_id,
       (SELECT t.tid FROM thread t WHERE t.sp >= s.start AND t.sp < s."end" LIMIT 1) AS tid
FROM segment s LEFT JOIN module m ON m.id = s.module_id
WHERE s.start <= :address AND :address < s."end"
