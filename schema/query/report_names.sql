-- Names of types and functions that the page shows shorter than they are.
SELECT name, short_name(name) AS said
FROM (SELECT name FROM type UNION SELECT function FROM frame UNION SELECT function FROM site)
WHERE short_name(name) <> name
LIMIT :limit
