-- All allocation sites, callers first. The last column: this frame is to be folded away (--skip-frames). With
-- :leaks what is known (to be no leak, or already) is not live.
SELECT id, parent_id, function, file, line, module, address,
       iif(:leaks AND (suppressed OR id IN (SELECT site_id FROM known_site)), 0, live_bytes),
       iif(:leaks AND (suppressed OR id IN (SELECT site_id FROM known_site)), 0, live_objects),
       peak_bytes, allocations, temporary, allocated_bytes,
       :skip IS NOT NULL AND coalesce(function, module, '') REGEXP coalesce(:skip, '') AS skipped
FROM site
ORDER BY id
