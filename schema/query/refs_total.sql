-- How many counts were audited, what the references do not explain, and what modules keep for good: NULL where
-- nothing was audited.
WITH a AS (SELECT CAST((SELECT value FROM meta WHERE key = 'counts_audited') AS INTEGER) AS audited)
SELECT a.audited, (SELECT value FROM meta WHERE key = 'counts_doubtful') AS doubtful,
       CASE WHEN a.audited IS NOT NULL THEN leaked END AS leaked,
       CASE WHEN a.audited IS NOT NULL THEN leaked_bytes END AS leaked_bytes,
       CASE WHEN a.audited IS NOT NULL THEN leaked_keeps END AS leaked_keeps,
       CASE WHEN a.audited IS NOT NULL THEN leaked_counts END AS leaked_counts,
       CASE WHEN a.audited IS NOT NULL THEN over_released END AS over_released,
       CASE WHEN a.audited IS NOT NULL THEN kept END AS kept,
       CASE WHEN a.audited IS NOT NULL THEN kept_counts END AS kept_counts
FROM a, (SELECT count(*) FILTER (WHERE e.excess > 0) AS leaked,
                coalesce(sum(o.size) FILTER (WHERE e.excess > 0), 0) AS leaked_bytes,
                coalesce(sum((SELECT c.bytes FROM cluster_member m JOIN cluster c ON c.id = m.cluster_id
                              WHERE m.object_id = e.object_id AND c.kind = 'leak' AND NOT c.reachable
                                    AND c.head_id = e.object_id)) FILTER (WHERE e.excess > 0), 0) AS leaked_keeps,
                coalesce(sum(e.excess) FILTER (WHERE e.excess > 0), 0) AS leaked_counts,
                count(*) FILTER (WHERE e.excess < 0) AS over_released
         FROM open_count e CROSS JOIN object o ON o.id = e.object_id LEFT JOIN type t ON t.id = o.type_id
         WHERE :type IS NULL OR t.name REGEXP :type),
     (SELECT count(*) AS kept, coalesce(sum(k.counts), 0) AS kept_counts
      FROM kept_count k CROSS JOIN object o ON o.id = k.object_id LEFT JOIN type t ON t.id = o.type_id
      WHERE :type IS NULL OR t.name REGEXP :type)
