-- How many objects nothing leads to, and the highest number of an object. NULL: there are too many clusters to read.
SELECT CASE WHEN (SELECT max(id) FROM cluster) > :most THEN NULL
            ELSE (SELECT coalesce(sum(objects), 0) FROM census WHERE reachable = 0) END,
       (SELECT max(id) FROM object)
