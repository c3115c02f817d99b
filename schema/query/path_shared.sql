-- Who shares an object that nothing holds alone: each holder once, with its nearest path.
SELECT holder, expression, steps
FROM (SELECT json_extract(value, '$[0]') AS path, json_extract(value, '$[1]') AS expression,
             json_extract(value, '$[2]') AS holder, json_extract(value, '$[3]') AS steps,
             row_number() OVER (PARTITION BY json_extract(value, '$[2]') ORDER BY json_extract(value, '$[0]')) AS n
      FROM json_each(:paths))
WHERE n = 1
ORDER BY path
LIMIT :limit
