-- Arenas: what our walk found, beside what the allocator itself says it holds.
SELECT a.id, a.allocator, a.name, a.address, a.used_bytes, a.free_bytes, a.overhead_bytes,
       a.used_bytes + a.free_bytes + a.overhead_bytes AS walked_bytes, a.system_bytes,
       a.used_bytes + a.free_bytes + a.overhead_bytes - a.system_bytes AS difference,
       1.0 * a.free_bytes / nullif(a.used_bytes + a.free_bytes + a.overhead_bytes, 0) AS free_share
FROM arena a
ORDER BY walked_bytes DESC, a.id
LIMIT :limit
