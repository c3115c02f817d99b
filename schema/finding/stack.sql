-- Stacks of threads that have ended: the C library keeps them for the next one.
INSERT INTO draft (kind, severity, title, detail, bytes)
SELECT 'stack', 'info', printf('%s are stacks of threads that have ended, kept for new ones', human(sum(bytes))),
       'glibc keeps up to 40 MiB of them (its tunable glibc.pthread.stack_cache_size); pages that were never written to do not count',
       sum(bytes)
FROM ledger
WHERE category = 'stack' AND place = 'cached'
HAVING sum(bytes) >= 1048576;
