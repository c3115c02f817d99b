-- Leaks: one finding for each type of head, or for each shape where the head has no type; the most bytes first.
-- What a collection would free, and what a count that nobody holds keeps, have findings of their own. The example
-- is the biggest cluster: SQLite takes plain columns from the row of the only max().
CREATE TEMP TABLE lost AS
SELECT o.type_id, short_name(t.name) AS type, count(*) AS shapes, sum(s.clusters) AS clusters, sum(s.objects) AS objects,
       sum(s.bytes) AS bytes, max(s.bytes) AS biggest,
       -- as it is printed elsewhere: without what tells it from others that look the same
       CASE WHEN s.signature GLOB '* (????????)' THEN substr(s.signature, 1, length(s.signature) - 11) ELSE s.signature END AS signature,
       s.head_id, s.cluster_id,
       row_number() OVER (ORDER BY sum(s.bytes) DESC, s.head_id) AS place
FROM shape s JOIN object o ON o.id = s.head_id LEFT JOIN type t ON t.id = o.type_id
WHERE s.kind = 'leak' AND NOT s.reachable
      AND NOT EXISTS (SELECT 1 FROM garbage g WHERE g.object_id = s.head_id)
      AND NOT EXISTS (SELECT 1 FROM refcount_error e WHERE e.object_id = s.head_id AND e.excess > 0)
GROUP BY coalesce(o.type_id, -s.id);

INSERT INTO draft (kind, severity, title, detail, objects, bytes, object_id, cluster_id, type_id)
SELECT 'leak', CASE WHEN bytes >= 1048576 THEN 'error'
                    -- what is lost once, while a program starts, is not what fills its memory
                    WHEN bytes < 65536 AND bytes * 1000 < (SELECT sum(bytes) FROM census) THEN 'info'
                    ELSE 'warning' END,
       printf('leak: %s in %s behind %s', human(bytes),
              CASE objects WHEN 1 THEN '1 block' ELSE printf('%,d blocks', objects) END,
              CASE WHEN type IS NOT NULL THEN printf('%,d %s object%s', clusters, type, iif(clusters = 1, '', 's'))
                   WHEN clusters = 1 THEN 'one head: ' || coalesce(signature, 'of unknown shape')
                   ELSE printf('%,d heads of one shape: %s', clusters, coalesce(signature, 'unknown')) END),
       CASE WHEN type IS NULL THEN '' WHEN shapes = 1 THEN coalesce(signature || '; ', '')
            ELSE printf('%,d shapes, mostly %s; ', shapes, coalesce(signature, 'unknown')) END
       || iif(EXISTS (SELECT 1 FROM cluster_member m JOIN cluster c ON c.id = m.cluster_id
                      WHERE m.object_id = l.head_id AND c.kind = 'cycle'),
              'by a cycle they hold themselves: heapscan cycles DB; ', '')
       || printf('nothing in the dump leads to them; an example: heapscan show DB %d; all: heapscan leaks DB', head_id),
       objects, bytes, head_id, cluster_id, type_id
FROM temp.lost l
WHERE place <= 20
ORDER BY place;

-- Many of them may be one fault: what the list above leaves out is told as a sum.
INSERT INTO draft (kind, severity, title, detail, objects, bytes, object_id, cluster_id)
SELECT 'leak', CASE WHEN sum(bytes) >= 1048576 THEN 'error'
                    WHEN sum(bytes) < 65536 AND sum(bytes) * 1000 < (SELECT sum(bytes) FROM census) THEN 'info'
                    ELSE 'warning' END,
       printf('leak: %s in %,d blocks behind %,d heads of %,d types or shapes, each less than those that are listed', human(sum(bytes)), sum(objects),
              sum(clusters), count(*)),
       'many small leaks may have one cause: what they have in common is worth a look; all: heapscan leaks DB --limit 0', sum(objects), sum(bytes),
       min(head_id) FILTER (WHERE place = 21), min(cluster_id) FILTER (WHERE place = 21)
FROM temp.lost
WHERE place > 20
HAVING count(*) > 0;
DROP TABLE temp.lost;
