-- Surviving objects that hold more than before: the most bytes first. The holder of a negative number is a root.
SELECT h.new_bytes - h.gone_bytes AS bytes, h.new_objects - h.gone_objects AS objects, h.new_objects, h.gone_objects,
       h.new_members - h.old_members AS members, h.old_members, h.new_members, h.address,
       CASE WHEN h.new_id > 0 THEN h.new_id END AS object_id, h.old_id AS old_object_id,
       CASE WHEN h.new_id < 0 THEN '(root)' ELSE h.type END AS type, h.path, h.sample_id, h.sample_path
FROM main.holder h
WHERE (h.new_bytes - h.gone_bytes >= :least OR h.new_objects - h.gone_objects >= :few)
      AND h.path IS NOT '(method cache)'
      AND (:steps = 1 OR EXISTS (
          SELECT 1 FROM main.item i LEFT JOIN main.item c ON c.parent_id = i.id
               JOIN main.growth g ON g.item_id IN (i.id, c.id)
          WHERE i.kind = 'path' AND i.name = h.path AND :steps IN (g.rises, g.all_rises)))
ORDER BY h.new_bytes - h.gone_bytes DESC, h.new_id
LIMIT :limit
