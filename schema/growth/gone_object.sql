-- One that is gone.
INSERT INTO main.gone_object (id) VALUES (:id)
