-- What an older database has, a row each.
INSERT INTO old_shape (kind, reachable, signature, clusters) VALUES (?, ?, ?, ?)
