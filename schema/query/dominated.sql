-- What an object dominates directly.
SELECT id FROM object WHERE dominator_id = ?
