-- What roots refer to.
SELECT object_id FROM root
