-- Functions by what they and all that they call allocated, by the figure :cost.
WITH r AS (SELECT *, CASE :cost WHEN 'objects' THEN total_live_objects WHEN 'peak' THEN total_peak_bytes
                                WHEN 'allocations' THEN total_allocations WHEN 'temporary' THEN total_temporary
                                WHEN 'allocated' THEN total_allocated_bytes ELSE total_live_bytes END AS cost,
                  CASE :cost WHEN 'objects' THEN live_objects WHEN 'peak' THEN peak_bytes
                             WHEN 'allocations' THEN allocations WHEN 'temporary' THEN temporary
                             WHEN 'allocated' THEN allocated_bytes ELSE live_bytes END AS own
           FROM temp.function_row),
     total AS (SELECT sum(own) AS cost FROM r)
SELECT total_live_objects AS objects, total_live_bytes AS bytes, live_bytes AS own_bytes,
       1.0 * r.cost / total.cost AS share, total_peak_bytes AS peak_bytes, peak_bytes AS own_peak_bytes,
       total_allocations AS allocations, allocations AS own_allocations, total_temporary AS temporary,
       temporary AS own_temporary, total_allocated_bytes AS allocated_bytes,
       allocated_bytes AS own_allocated_bytes,
       name, function, module, address
FROM r, total
WHERE r.cost > 0
ORDER BY r.cost DESC, r.own DESC, function, module
LIMIT :limit
