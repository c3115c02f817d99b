-- Objects in the order of their addresses.
SELECT id, address, block, size, type_id, owner_id, retention_id FROM new.object ORDER BY id
