-- What is known, by shape.
INSERT INTO known_shape
SELECT s.id, s.clusters, s.objects, s.bytes, s.direct_bytes FROM known_whole k JOIN shape s ON s.id = k.shape_id;
CREATE TEMP TABLE shape_key AS
SELECT kind, reachable, coalesce(signature, cluster_id) AS key, id FROM shape
WHERE EXISTS (SELECT 1 FROM known_cluster);
CREATE INDEX temp.shape_key_key ON shape_key (key, kind, reachable);
INSERT OR IGNORE INTO known_shape
SELECT s.id, count(*), sum(c.objects), sum(c.bytes), sum(c.direct_bytes)
FROM known_cluster k JOIN cluster c ON c.id = k.cluster_id
     JOIN shape_key s ON s.key = coalesce(c.signature, c.id) AND s.kind = c.kind AND s.reachable = c.reachable
GROUP BY s.id;
