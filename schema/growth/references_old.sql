-- What holds what, in the order of the holders; the third says whether it is a member (a key is none).
SELECT src, dst, name IS NULL OR substr(name, 1, 5) <> '<key ' FROM old.reference WHERE kind <> 2 ORDER BY rowid
