-- The paths that were found: number, how a programmer would write it, what holds it, steps, how many other roots
-- say no more than it, and some of these.
SELECT json_extract(value, '$[0]') AS path, json_extract(value, '$[1]') AS expression,
       json_extract(value, '$[2]') AS root, json_extract(value, '$[3]') AS steps,
       json_extract(value, '$[4]') AS also, json_extract(value, '$[5]') AS also_by
FROM json_each(:paths)
