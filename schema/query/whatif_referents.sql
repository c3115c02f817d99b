-- What an object keeps alive, and whether that is a counted reference.
SELECT dst, kind = 1 FROM reference WHERE src = ? AND kind <> 2
