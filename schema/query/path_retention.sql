-- What the scan wrote down of how an object is held, but for what no root leads to (1) and what is in no path (2).
SELECT r.path FROM object o JOIN retention r ON r.id = o.retention_id WHERE o.id = :id AND r.id > 2
