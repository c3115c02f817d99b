-- What an older database has, a row each.
INSERT INTO old_count VALUES (?, ?, ?, ?)
