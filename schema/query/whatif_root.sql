-- What a root holds.
SELECT object_id FROM root WHERE id = ?
