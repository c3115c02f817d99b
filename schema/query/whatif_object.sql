-- One object, for what would go with it.
SELECT id, coalesce(block, address), size, arena_id, retained, dominator_id FROM object WHERE id = ?
