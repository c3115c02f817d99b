-- Memory where heapscan cannot look: mappings that no allocator, stack or binary accounts for, when they are a part of
-- what the process has for itself. Whose they are, where a foreign allocator or runtime is there to have them; the
-- biggest; who can tell more. Pages of zeroes count for little: nothing was written there, or it was given back.
-- What is most of the memory is said before anything that is smaller.
INSERT INTO draft (kind, severity, title, detail, objects, bytes, address)
SELECT 'unread', iif(u.written * 2 >= own.bytes, 'warning', 'info'),
       printf('%s, %.3g %% of the process''s own memory, are %s', human(u.written), 100.0 * u.written / own.bytes,
              CASE WHEN who.name IS NOT NULL
                   THEN printf('most likely of %s (%s), which cannot be read: what leaks there is not seen', who.name,
                               iif(u.mappings = 1, 'one mapping', printf('%,d mappings', u.mappings)))
                   ELSE printf('in %s that no known allocator accounts for: a pool of the program''s own?',
                               iif(u.mappings = 1, 'a mapping', printf('%,d mappings', u.mappings))) END),
       'the biggest: ' || big.list
       || iif(u.zeroes >= 65536, printf('; %s more there are pages of zeroes, never written to or given back', human(u.zeroes)), '')
       || '; who can tell more: '
       || coalesce(who.instead, 'strace -fk -e trace=mmap,mremap,brk says who asks the system for memory')
       || '; which of them grow: heapscan diff OLD.db DB; all of them: heapscan memory DB; what is in one: heapscan show DB '
       || addr(big.start),
       u.mappings, u.written, big.start
FROM (SELECT coalesce(sum(bytes) FILTER (WHERE place IS NOT 'pages of zeroes'), 0) AS written,
             coalesce(sum(bytes) FILTER (WHERE place = 'pages of zeroes'), 0) AS zeroes,
             count(DISTINCT segment_id) FILTER (WHERE place IS NOT 'pages of zeroes') AS mappings
      FROM ledger WHERE category = 'unexplained') u,
     (SELECT sum(l.bytes) AS bytes FROM ledger l JOIN segment s ON s.id = l.segment_id
      WHERE s.perms LIKE '_w%' AND l.category <> 'reserved' AND l.place IS NOT 'pages of zeroes') own,
     (SELECT group_concat(part, ', ') AS list, min(start) FILTER (WHERE place = 1) AS start
      FROM (SELECT printf('%s at %s%s', human(l.bytes), addr(s.start), coalesce(' (' || s.name || ')', '')) AS part,
                   s.start, row_number() OVER (ORDER BY l.bytes DESC, s.id) AS place
            FROM (SELECT segment_id, sum(bytes) AS bytes FROM ledger
                  WHERE category = 'unexplained' AND place IS NOT 'pages of zeroes' GROUP BY segment_id) l
                 JOIN segment s ON s.id = l.segment_id
            ORDER BY l.bytes DESC, s.id LIMIT 3)) big,
     (SELECT coalesce(a.value, r.value) AS name, iif(a.value IS NULL, ri.value, ai.value) AS instead
      FROM (SELECT 1)
           LEFT JOIN meta a ON a.key = 'unread_allocator' LEFT JOIN meta ai ON ai.key = 'unread_allocator_instead'
           LEFT JOIN meta ri ON ri.key = 'unread_runtime_instead'
           LEFT JOIN meta r ON r.key = 'unread_runtime' AND ri.key IS NOT NULL) who
WHERE u.written >= 1048576 OR (u.written >= 65536 AND u.written * 10 >= own.bytes);

-- The same of what is neither on a heap nor unknown: memory shared with others, files that it can write to, variables.
INSERT INTO draft (kind, severity, title, detail, objects, bytes, address)
SELECT 'mapping', 'info',
       printf('%s of %s, %.3g %% of the process''s own memory%s', human(m.bytes),
              CASE m.category WHEN 'module data' THEN 'variables in ' WHEN 'file' THEN 'the mapped file ' ELSE m.category || ' ' END
              || coalesce(m.place, '(no name)'), 100.0 * m.bytes / own.bytes,
              iif(m.mappings = 1, '', printf(', in %,d mappings', m.mappings))),
       CASE m.category WHEN 'module data' THEN 'static variables do not grow; which of them lead to heap memory: heapscan top DB --by retained; '
                       WHEN 'file' THEN 'its pages are the file''s, which others may have mapped, too; '
                       ELSE 'others may have it mapped, too, and it stays until all of them let go; ' END
       || 'by place: heapscan memory DB; what is there: heapscan show DB ' || addr(m.start),
       m.mappings, m.bytes, m.start
FROM (SELECT l.category, l.place, sum(l.bytes) AS bytes, count(DISTINCT l.segment_id) AS mappings, min(s.start) AS start
      FROM ledger l JOIN segment s ON s.id = l.segment_id
      WHERE l.category IN ('shared memory', 'module data') OR (l.category = 'file' AND s.perms LIKE '_w%')
      GROUP BY l.category, l.place) m,
     (SELECT sum(l.bytes) AS bytes FROM ledger l JOIN segment s ON s.id = l.segment_id
      WHERE s.perms LIKE '_w%' AND l.category <> 'reserved' AND l.place IS NOT 'pages of zeroes') own
WHERE m.bytes >= 8388608 AND m.bytes * 10 >= own.bytes
ORDER BY m.bytes DESC
LIMIT 3;
