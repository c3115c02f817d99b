-- Of an older database: its clusters by shape.
SELECT kind, reachable, signature, sum(clusters) FROM shape WHERE signature IS NOT NULL GROUP BY 1, 2, 3
