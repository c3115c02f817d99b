-- What was live over time, thinned out to about :limit rows: of each span of time the most.
WITH span AS (SELECT min(time) AS first, max(time) AS last, max(live_bytes) AS peak FROM timeline)
SELECT time, max(live_bytes) AS live_bytes, live_objects, 1.0 * max(live_bytes) / nullif(span.peak, 0) AS share
FROM timeline, span
GROUP BY CASE WHEN :limit < 0 THEN timeline.rowid
              WHEN span.last > span.first
              THEN min(CAST((time - span.first) * :limit / (span.last - span.first) AS INTEGER), :limit - 1)
              ELSE 0 END
ORDER BY time
