-- Where a search for paths begins: an object by its number, or the one whose block holds an address.
SELECT id, NULL AS objects FROM object WHERE id = :id
UNION ALL
SELECT o.id, NULL FROM (SELECT * FROM object WHERE address <= :address ORDER BY address DESC LIMIT 1) o
WHERE :address < coalesce(o.block, o.address) + o.size
UNION ALL
SELECT o.id, NULL FROM (SELECT * FROM object WHERE address > :address ORDER BY address LIMIT 1) o
WHERE o.block <= :address
LIMIT 1
