-- The types of a name, for --avoid and --to-type: looked at once, not with each reference.
SELECT id FROM type WHERE name REGEXP :re ORDER BY id
