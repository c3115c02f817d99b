-- How many objects, types and retention paths the old side has; ids are dense.
SELECT coalesce((SELECT max(id) FROM old.object), 0), coalesce((SELECT max(id) FROM old.type), 0),
       coalesce((SELECT max(id) FROM old.retention), 0),
       (SELECT count(*) FROM old.object), (SELECT count(*) FROM old.type), (SELECT count(*) FROM old.retention)
