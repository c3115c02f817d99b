-- The paths that were found: number, how a programmer would write it, what holds it, steps.
SELECT json_extract(value, '$[0]') AS path, json_extract(value, '$[1]') AS expression,
       json_extract(value, '$[2]') AS root, json_extract(value, '$[3]') AS steps
FROM json_each(:paths)
