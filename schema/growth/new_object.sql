-- One that is new.
INSERT INTO main.new_object (id, holder_id) VALUES (:id, nullif(:holder_id, 0))
