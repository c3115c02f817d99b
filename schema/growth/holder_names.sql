-- What holders are called, in the new database: of those that gained as much as is listed, or of :all.
UPDATE main.holder SET
    address = (SELECT address FROM new.object o WHERE o.id = new_id),
    type = (SELECT t.name FROM new.object o JOIN new.type t ON t.id = o.type_id WHERE o.id = new_id),
    path = (SELECT path FROM new.retention r
            WHERE r.id = CASE WHEN new_id < 0 THEN -new_id ELSE (SELECT retention_id FROM new.object o WHERE o.id = new_id) END),
    sample_path = (SELECT r.path FROM new.object o JOIN new.retention r ON r.id = o.retention_id WHERE o.id = sample_id)
WHERE :all OR new_bytes - gone_bytes >= :least OR new_objects - gone_objects >= :few OR new_members - old_members >= :few
