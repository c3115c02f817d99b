-- The free block at an address or, for none there, the last one before it; those that join with their neighbours.
SELECT address, size, arena_id, kind = 'top' AS top,
       kind IN ('fastbin', 'unsorted', 'small', 'large', 'top', 'last_remainder', 'unlinked') AS joins
FROM free_block WHERE address <= ? ORDER BY address DESC LIMIT 1
