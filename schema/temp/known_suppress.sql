-- What matches :re, the patterns of --suppress in one: by type, module, shape, path that holds it, and the
-- functions, files and binaries of who allocated it.
CREATE TEMP TABLE IF NOT EXISTS site_child AS SELECT parent_id, id FROM site WHERE parent_id IS NOT NULL;
CREATE INDEX IF NOT EXISTS temp.site_child_parent ON site_child (parent_id);
INSERT OR IGNORE INTO known_site
WITH RECURSIVE k(id) AS (
    SELECT id FROM site WHERE function REGEXP :re OR file REGEXP :re OR module REGEXP :re
    UNION
    SELECT c.id FROM k JOIN site_child c ON c.parent_id = k.id)
SELECT id FROM k;
INSERT OR IGNORE INTO known_path SELECT id FROM retention WHERE path REGEXP :re;
-- Heads of one shape have one type: what matches by it is known in whole.
INSERT OR IGNORE INTO known_whole
SELECT s.id, s.kind, s.reachable, s.signature
FROM shape s CROSS JOIN object o ON o.id = s.head_id LEFT JOIN type t ON t.id = o.type_id
WHERE t.name REGEXP :re OR t.module REGEXP :re OR s.signature REGEXP :re;
INSERT OR IGNORE INTO known_cluster
SELECT s.cluster_id FROM known_whole k JOIN shape s ON s.id = k.shape_id WHERE k.signature IS NULL;
-- The others one by one, where there is anything to know them by.
INSERT OR IGNORE INTO known_cluster
SELECT c.id FROM cluster c CROSS JOIN object o ON o.id = c.head_id
WHERE (EXISTS (SELECT 1 FROM known_path) OR EXISTS (SELECT 1 FROM known_site))
      AND (o.retention_id IN (SELECT retention_id FROM known_path) OR o.site_id IN (SELECT site_id FROM known_site));
INSERT OR IGNORE INTO known_count
SELECT e.object_id FROM refcount_error e CROSS JOIN object o ON o.id = e.object_id LEFT JOIN type t ON t.id = o.type_id
       LEFT JOIN retention r ON r.id = o.retention_id
WHERE t.name REGEXP :re OR t.module REGEXP :re OR r.path REGEXP :re
      OR o.site_id IN (SELECT site_id FROM known_site);
