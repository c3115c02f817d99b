-- What only weak roots hold: a leak, if the words that point to it are stale.
INSERT INTO draft (kind, severity, title, detail, objects, bytes)
SELECT 'weak', 'info',
       printf('%s in %,d blocks are held only by words that may be stale', human(sum(size)), count(*)),
       'stack words that no frame explains, or memory that no allocator owns; add them to what leaks for the'
       || ' upper bound',
       count(*), sum(size)
FROM object
WHERE grade >= 6
HAVING count(*) > 0;
