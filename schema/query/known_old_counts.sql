-- Of an older database: its unexplained counts by type, size and excess.
SELECT coalesce(t.name, ''), o.size, e.excess, count(*)
FROM refcount_error e CROSS JOIN object o ON o.id = e.object_id LEFT JOIN type t ON t.id = o.type_id GROUP BY 1, 2, 3
