-- How many objects are new, gone or the same.
INSERT INTO main.pairing (state, objects, bytes) VALUES (:state, :objects, :bytes)
