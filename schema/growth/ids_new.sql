-- How many objects and types the new side has; ids are dense.
SELECT coalesce((SELECT max(id) FROM new.object), 0), coalesce((SELECT max(id) FROM new.type), 0),
       (SELECT count(*) FROM new.object), (SELECT count(*) FROM new.type)
