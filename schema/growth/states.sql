-- The sets of objects, new ones first.
SELECT state, objects, bytes FROM main.pairing
ORDER BY CASE state WHEN 'new' THEN 1 WHEN 'gone' THEN 2 WHEN 'same' THEN 3 ELSE 4 END
