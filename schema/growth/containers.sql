-- Surviving objects that have more members than before: the most first.
SELECT h.new_members - h.old_members AS members, h.old_members, h.new_members, h.address, h.new_id AS object_id,
       h.old_id AS old_object_id, h.type, h.path
FROM main.holder h
WHERE h.new_id > 0 AND h.new_members - h.old_members >= :few
      AND (:steps = 1 OR EXISTS (
          SELECT 1 FROM main.item i LEFT JOIN main.item c ON c.parent_id = i.id
               JOIN main.growth g ON g.item_id IN (i.id, c.id)
          WHERE i.kind = 'path' AND i.name = h.path AND :steps IN (g.rises, g.all_rises)))
ORDER BY h.new_members - h.old_members DESC, h.new_id
LIMIT :limit
