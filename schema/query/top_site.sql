-- Call paths that allocated, by the figure :cost, as the process or a trace recorded them: bytes asked for.
WITH r AS (SELECT *, CASE :cost WHEN 'objects' THEN live_objects WHEN 'peak' THEN peak_bytes
                                WHEN 'allocations' THEN allocations WHEN 'temporary' THEN temporary
                                WHEN 'allocated' THEN allocated_bytes ELSE live_bytes END AS cost
           FROM temp.site_row),
     total AS (SELECT sum(cost) AS cost FROM r)
SELECT id AS site_id, live_objects AS objects, live_bytes AS bytes, 1.0 * r.cost / total.cost AS share,
       peak_bytes, allocations, temporary, allocated_bytes,
       name, function, file, line, module, address, caller
FROM r, total
WHERE r.cost > 0
ORDER BY r.cost DESC, id
LIMIT :limit
