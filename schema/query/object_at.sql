-- The object whose block holds an address: one that begins at or before it, or one whose block begins before it
-- does (CPython's objects begin behind their collector's header).
SELECT o.id FROM (SELECT * FROM object WHERE address <= :address ORDER BY address DESC LIMIT 1) o
WHERE :address < coalesce(o.block, o.address) + o.size
UNION ALL
SELECT o.id FROM (SELECT * FROM object WHERE address > :address ORDER BY address LIMIT 1) o
WHERE o.block <= :address
LIMIT 1
