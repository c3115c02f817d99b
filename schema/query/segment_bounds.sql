-- Enough of the mappings to tell whether a dump is the one that the database was made from.
SELECT (SELECT start FROM segment ORDER BY id LIMIT 1) AS lowest,
       (SELECT "end" FROM segment ORDER BY id DESC LIMIT 1) AS highest
