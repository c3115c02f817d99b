-- Where growth begins, by retention path: the most bytes first. `heaviest` is where most of it is.
SELECT g.all_bytes AS bytes, g.all_objects, g.new_objects - g.old_objects AS objects, g.old_objects, g.new_objects,
       g.new_bytes - g.old_bytes AS own_bytes, max(g.rises, g.all_rises) AS rises, CASE WHEN g.all_rises > g.rises THEN g.all_falls ELSE g.falls END AS falls, g.swing_bytes, CAST(round(g.all_slope) AS INTEGER) AS slope, i.type, i.name AS path,
       m.name AS heaviest,
       CASE WHEN m.id = i.id THEN '' WHEN substr(m.name, 1, length(i.name)) = i.name THEN substr(m.name, length(i.name) + 1)
            ELSE m.name END AS heaviest_step
FROM main.growth g JOIN main.item i ON i.id = g.item_id
     LEFT JOIN main.item m ON m.id = (
         SELECT c.item_id FROM main.growth c WHERE c.point_id = g.item_id
         ORDER BY c.new_bytes - c.old_bytes DESC, c.item_id LIMIT 1)
WHERE g.kind = 'path' AND g.point AND g.all_bytes > 0 AND (g.all_bytes >= :least OR g.all_objects >= :few)
      AND (:steps = 1 OR :steps IN (g.rises, g.all_rises)) AND (:type IS NULL OR i.type REGEXP :type)
ORDER BY g.all_bytes DESC, i.name
LIMIT :limit
