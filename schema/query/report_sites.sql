-- Who allocated: nodes of the call tree by their own live bytes.
SELECT live_bytes, live_objects, allocations, temporary, allocated_bytes, peak_bytes, function, file, line, module
FROM site
WHERE coalesce(live_bytes, allocated_bytes, allocations, 0) > 0
ORDER BY live_bytes DESC, allocated_bytes DESC, id
LIMIT :limit
