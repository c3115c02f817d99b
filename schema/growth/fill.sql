-- A container that has more in it than it had.
INSERT INTO main.filled (new_id, old_id, form, header, holder_id, path, old_used, new_used, old_capacity, new_capacity)
SELECT :new_id, :old_id, c.form, c.header, c.holder_id, r.path, :old_used, :new_used, :old_capacity, :new_capacity
FROM new.container c JOIN new.object o ON o.id = c.object_id LEFT JOIN new.retention r ON r.id = o.retention_id
WHERE c.object_id = :new_id
