-- Tables and views, for `.tables`.
SELECT name, type FROM sqlite_schema WHERE type IN ('table', 'view') ORDER BY name
