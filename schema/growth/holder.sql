-- An object that gained something.
INSERT INTO main.holder (new_id, old_id, address, type, path, old_members, new_members, new_objects, new_bytes,
                         gone_objects, gone_bytes, sample_id, sample_path)
SELECT :new_id, nullif(:old_id, 0), o.address, t.name,
       coalesce(r.path, (SELECT path FROM new.retention WHERE id = -:new_id)),
       :old_members, :new_members, :new_objects, :new_bytes, :gone_objects, :gone_bytes, nullif(:sample_id, 0), sr.path
FROM (SELECT 1) LEFT JOIN new.object o ON o.id = :new_id LEFT JOIN new.type t ON t.id = o.type_id
     LEFT JOIN new.retention r ON r.id = o.retention_id
     LEFT JOIN new.object s ON s.id = :sample_id LEFT JOIN new.retention sr ON sr.id = s.retention_id
