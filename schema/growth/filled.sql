-- Containers of C++ and buffers of C that have more in them than before: the most first (an entry of a hash table
-- has a block of its own, of 32 bytes at least).
SELECT f.new_used - f.old_used AS gained, iif(f.form = 'hash table', 'entries', 'bytes') AS unit, f.old_used, f.new_used,
       f.old_capacity, f.new_capacity, f.form, f.header, f.path, f.new_id AS object_id, f.old_id AS old_object_id,
       f.holder_id
FROM main.filled f
WHERE f.new_used - f.old_used >= iif(f.form = 'hash table', :few, :least)
      AND (:steps = 1 OR EXISTS (
          SELECT 1 FROM main.item i LEFT JOIN main.item c ON c.parent_id = i.id
               JOIN main.growth g ON g.item_id IN (i.id, c.id)
          WHERE i.kind = 'path' AND i.name = f.path AND :steps IN (g.rises, g.all_rises)))
ORDER BY (f.new_used - f.old_used) * iif(f.form = 'hash table', 32, 1) DESC, f.new_id
LIMIT :limit
