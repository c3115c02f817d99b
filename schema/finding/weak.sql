-- What only weak roots hold: a leak, if the words that point to it are stale.
INSERT INTO draft (kind, severity, title, detail, objects, bytes)
SELECT 'weak', 'info',
       printf('%s in %,d blocks are held only by words that may be stale', human(sum(bytes)), sum(objects)),
       'stack words that no frame explains, or memory that no allocator owns; add them to what leaks for the'
       || ' upper bound; which: heapscan leaks DB --possible',
       sum(objects), sum(bytes)
FROM census
WHERE grade >= 6
HAVING count(*) > 0;
