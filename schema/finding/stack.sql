-- Stacks of threads that have ended: the C library keeps them for the next one.
INSERT INTO draft (kind, severity, title, detail, bytes)
SELECT 'stack', 'info', printf('%s are stacks of threads that have ended, kept for new ones', human(sum(bytes))),
       'glibc keeps up to 40 MiB of them (its tunable glibc.pthread.stack_cache_size); pages that were never written to do not count',
       sum(bytes)
FROM ledger
WHERE category = 'stack' AND place = 'cached'
HAVING sum(bytes) >= 1048576;

-- Threads that nobody waits for: each keeps its stack and its descriptor until it is joined.
INSERT INTO draft (kind, severity, title, detail, objects, bytes)
SELECT 'stack', iif(n.threads >= 100, 'warning', 'info'),
       printf('%,d threads have ended and were not joined: their stacks stay, %s of memory in %,d mappings', n.threads,
              human(l.bytes), l.mappings),
       'pthread_join() gives them back, pthread_detach() makes it unnecessary; by place: heapscan memory DB',
       n.threads, l.bytes
FROM (SELECT CAST(value AS INTEGER) AS threads FROM meta WHERE key = 'threads_not_joined') n,
     (SELECT coalesce(sum(bytes), 0) AS bytes, count(DISTINCT segment_id) AS mappings
      FROM ledger WHERE category = 'stack' AND place = 'ended, not joined') l
WHERE n.threads >= 10;

-- A thread that is deep in calls, or keeps big arrays there.
INSERT INTO draft (kind, severity, title, detail, bytes, address)
SELECT 'stack', 'info',
       printf('thread %d%s has %s of its stack in use%s', t.id,
              coalesce(' (' || coalesce(t.name || ', ', '') || 'tid ' || t.tid || ')', ''), human(l.bytes),
              coalesce((SELECT printf(': %,d frames%s, %,d of them of %s', sum(count(*)) OVER (),
                                      -- no more are unwound: FRAMES_MAX of runtime/native/stacks.c
                                      iif(sum(count(*)) OVER () >= 256, ' or more', ''), count(*), coalesce(f.function, '(no name)'))
                        FROM frame f WHERE f.thread_id = t.id AND f.language IS 'native'
                        GROUP BY f.function ORDER BY count(*) DESC LIMIT 1), '')),
       'deep recursion, or big variables in a function: its frames are heapscan sql DB "SELECT * FROM frame_view WHERE thread_id = '
       || t.id || '"', l.bytes, t.sp
FROM thread t JOIN segment s ON t.sp >= s.start AND t.sp < s."end"
     JOIN ledger l ON l.segment_id = s.id AND l.category = 'stack' AND l.place = 'used'
WHERE l.bytes >= 1048576
ORDER BY l.bytes DESC, t.id
LIMIT 3;

-- And all of them together, where they are many.
INSERT INTO draft (kind, severity, title, detail, objects, bytes)
SELECT 'stack', 'info', printf('%s of stacks are in use, by %,d threads', human(l.bytes), t.threads),
       'fewer threads, or less on their stacks; by mapping: heapscan memory DB --segments', t.threads, l.bytes
FROM (SELECT sum(bytes) AS bytes FROM ledger WHERE category = 'stack' AND place = 'used') l,
     (SELECT count(*) AS threads FROM thread) t,
     (SELECT sum(l.bytes) AS bytes FROM ledger l JOIN segment s ON s.id = l.segment_id
      WHERE s.perms LIKE '_w%' AND l.category <> 'reserved' AND l.place IS NOT 'pages of zeroes') own
WHERE t.threads > 1 AND l.bytes >= 1048576 AND (l.bytes * 10 >= own.bytes OR l.bytes >= 16777216)
      -- one thread has most of it
      AND NOT EXISTS (SELECT 1 FROM draft WHERE kind = 'stack' AND title LIKE 'thread %' AND bytes * 5 >= l.bytes * 4);
