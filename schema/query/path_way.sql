-- How an object is held: its retention row.
SELECT retention_id FROM object WHERE id = :id
