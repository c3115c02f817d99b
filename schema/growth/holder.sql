-- An object that gained something: what it is called comes later (holder_names.sql).
INSERT INTO main.holder (new_id, old_id, old_members, new_members, new_objects, new_bytes, gone_objects, gone_bytes, sample_id)
VALUES (:new_id, nullif(:old_id, 0), :old_members, :new_members, :new_objects, :new_bytes, :gone_objects, :gone_bytes,
        nullif(:sample_id, 0))
