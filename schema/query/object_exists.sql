-- Is there such an object? And how many there are.
SELECT (SELECT max(id) FROM object) FROM object WHERE id = ?
