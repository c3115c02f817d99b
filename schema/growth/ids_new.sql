-- How many objects, types and retention paths the new side has; ids are dense.
SELECT coalesce((SELECT max(id) FROM new.object), 0), coalesce((SELECT max(id) FROM new.type), 0),
       coalesce((SELECT max(id) FROM new.retention), 0),
       (SELECT count(*) FROM new.object), (SELECT count(*) FROM new.type), (SELECT count(*) FROM new.retention)
