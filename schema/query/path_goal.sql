-- Where a search for paths begins: an object by its number, the one whose block holds an address, or the
-- instance of a type that holds the most (of `objects` such).
SELECT id, NULL AS objects FROM object WHERE id = :id
UNION ALL
SELECT o.id, NULL FROM (SELECT * FROM object WHERE address <= :address ORDER BY address DESC LIMIT 1) o
WHERE :address < coalesce(o.block, o.address) + o.size
UNION ALL
SELECT o.id, NULL FROM (SELECT * FROM object WHERE address > :address ORDER BY address LIMIT 1) o
WHERE o.block <= :address
UNION ALL
SELECT id, (SELECT sum(c.objects) FROM census c JOIN type t ON t.id = c.type_id WHERE t.name = :name)
FROM (SELECT id FROM object WHERE type_id IN (SELECT id FROM type WHERE name = :name)
      ORDER BY retained DESC LIMIT 1)
LIMIT 1
