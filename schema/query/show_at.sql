-- The object whose block holds an address: the last one that starts at or before it, or the next one
-- when its block starts before what the program calls it.
SELECT o.id FROM (SELECT * FROM object WHERE address <= :address ORDER BY address DESC LIMIT 1) o
WHERE :address < coalesce(o.block, o.address) + o.size
UNION ALL
SELECT o.id FROM (SELECT * FROM object WHERE address > :address ORDER BY address LIMIT 1) o
WHERE o.block <= :address
LIMIT 1
