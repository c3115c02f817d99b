-- How many roots there are, counted only as far as it matters, and the highest number of an object.
SELECT (SELECT count(*) FROM (SELECT 1 FROM root LIMIT :most + 1)), (SELECT max(id) FROM object)
