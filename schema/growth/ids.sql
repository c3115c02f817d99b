-- How many objects, types and retention paths there are; ids are dense.
SELECT coalesce((SELECT max(id) FROM object), 0), coalesce((SELECT max(id) FROM type), 0),
       coalesce((SELECT max(id) FROM retention), 0),
       (SELECT count(*) FROM object), (SELECT count(*) FROM type), (SELECT count(*) FROM retention)
