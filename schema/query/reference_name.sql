-- What a reference is called.
SELECT name FROM reference WHERE rowid = ?
