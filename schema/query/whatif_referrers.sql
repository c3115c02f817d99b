-- What keeps an object alive: references.
SELECT rowid, src FROM reference WHERE dst = ?1 AND kind <> 2 LIMIT ?2
