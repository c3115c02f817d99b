-- What is known already (--suppress, --baseline) and taken out of sight. The temporary tables are empty without
-- those options; queries read the open_ views.
CREATE TEMP TABLE known_site (site_id INTEGER PRIMARY KEY);       -- with those that it called
CREATE TEMP TABLE known_path (retention_id INTEGER PRIMARY KEY);
CREATE TEMP TABLE known_whole (shape_id INTEGER PRIMARY KEY, kind, reachable, signature); -- all clusters of a shape
CREATE INDEX temp.known_whole_shape ON known_whole (signature, kind, reachable);
CREATE TEMP TABLE known_cluster (cluster_id INTEGER PRIMARY KEY); -- single ones
CREATE TEMP TABLE known_count (object_id INTEGER PRIMARY KEY);    -- of refcount_error
CREATE TEMP TABLE known_shape (shape_id INTEGER PRIMARY KEY, clusters, objects, bytes, direct_bytes);
CREATE TEMP TABLE old_shape (kind, reachable, signature, clusters, here DEFAULT 0, PRIMARY KEY (signature, kind, reachable));
CREATE TEMP TABLE old_count (type, size, excess, objects, PRIMARY KEY (type, size, excess));
CREATE TEMP VIEW open_shape AS
SELECT s.id, s.kind, s.reachable, s.signature, s.clusters - coalesce(k.clusters, 0) AS clusters,
       s.objects - coalesce(k.objects, 0) AS objects, s.bytes - coalesce(k.bytes, 0) AS bytes,
       s.direct_bytes - coalesce(k.direct_bytes, 0) AS direct_bytes, s.cluster_id, s.head_id, s.definitions
FROM shape s LEFT JOIN known_shape k ON k.shape_id = s.id
WHERE k.shape_id IS NULL OR k.clusters < s.clusters;
CREATE TEMP VIEW open_cluster AS
SELECT * FROM cluster c
WHERE id NOT IN (SELECT cluster_id FROM known_cluster)
      AND (c.signature IS NULL OR NOT EXISTS (SELECT 1 FROM known_whole)
           OR NOT EXISTS (SELECT 1 FROM known_whole k WHERE k.signature = c.signature AND k.kind = c.kind
                                                            AND k.reachable = c.reachable));
CREATE TEMP VIEW open_count AS
SELECT * FROM refcount_error WHERE object_id NOT IN (SELECT object_id FROM known_count);
