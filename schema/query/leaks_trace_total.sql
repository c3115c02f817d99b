-- What a trace has live at its end: what is known to be no leak apart. Formats that count no blocks: NULL.
SELECT sum(live_objects) FILTER (WHERE suppressed IS NULL) AS objects,
       sum(live_bytes) FILTER (WHERE suppressed IS NULL) AS bytes,
       coalesce(sum(live_objects) FILTER (WHERE suppressed), 0) AS suppressed_objects,
       coalesce(sum(live_bytes) FILTER (WHERE suppressed), 0) AS suppressed_bytes,
       count(*) FILTER (WHERE live_bytes > 0 AND suppressed IS NULL) AS sites,
       count(*) FILTER (WHERE live_bytes IS NULL) AS unknown
FROM (SELECT live_objects, live_bytes,
             iif(id IN (SELECT site_id FROM known_site), 1, suppressed) AS suppressed FROM site)
