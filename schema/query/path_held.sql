-- By which reference the scan came to an object, and whose that is: one step of a path from the most telling root.
SELECT r.rowid AS edge, r.src, r.kind
FROM object o JOIN reference r ON r.rowid = o.held_by
WHERE o.id = :id AND r.dst = o.id AND r.kind <> 2
