-- The free block that holds an address.
SELECT f.address, f.size, f.kind, f.arena_id, a.allocator, a.name AS arena
FROM (SELECT * FROM free_block WHERE address <= :address ORDER BY address DESC LIMIT 1) f
     LEFT JOIN arena a ON a.id = f.arena_id
WHERE :address < f.address + f.size
