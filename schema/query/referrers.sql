-- Who holds an object: sources of references that keep it alive.
SELECT src, rowid FROM reference WHERE dst = ? AND kind <> 2
