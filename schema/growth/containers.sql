-- Surviving objects that have more members than before: the most first.
SELECT h.new_members - h.old_members AS members, h.old_members, h.new_members, h.address, h.new_id AS object_id,
       h.old_id AS old_object_id, h.type, h.path
FROM main.holder h
WHERE h.new_id > 0 AND h.new_members - h.old_members >= :few
ORDER BY h.new_members - h.old_members DESC, h.new_id
LIMIT :limit
