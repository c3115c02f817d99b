-- What an object dominates directly, and where it lies.
SELECT id, coalesce(block, address), size, arena_id FROM object WHERE dominator_id = ?
