-- What grew of one kind (types, sites, leak signatures, ...), the most bytes first.
SELECT g.new_bytes - g.old_bytes AS bytes, g.new_objects - g.old_objects AS objects, g.old_objects, g.new_objects,
       g.old_bytes, g.new_bytes, g.rises, g.falls, g.swing_bytes, CAST(round(g.all_slope) AS INTEGER) AS slope, i.name, p.name AS caller
FROM main.growth g JOIN main.item i ON i.id = g.item_id LEFT JOIN main.item p ON p.id = i.parent_id
WHERE g.kind = :kind AND (g.new_bytes > g.old_bytes OR (g.new_bytes = g.old_bytes AND g.new_objects > g.old_objects))
      AND (g.new_bytes - g.old_bytes >= :least OR g.new_objects - g.old_objects >= :few)
      AND (:steps = 1 OR g.rises = :steps) AND (:type IS NULL OR :kind = 'site' OR i.name REGEXP :type)
ORDER BY g.new_bytes - g.old_bytes DESC, g.new_objects - g.old_objects DESC, i.name
LIMIT :limit
