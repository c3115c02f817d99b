-- How many findings there are of each severity.
SELECT count(*) AS findings, coalesce(sum(severity = 'error'), 0) AS errors,
       coalesce(sum(severity = 'warning'), 0) AS warnings
FROM finding
WHERE NOT :odd OR NOT (kind = 'missing' AND title LIKE '%: not found%')
