-- The same, counted; and what is not listed: places below the bound, and those that did not grow in every step.
SELECT coalesce(sum(shown), 0) AS places, coalesce(sum(bytes) FILTER (WHERE shown), 0) AS bytes,
       coalesce(sum(NOT shown AND steady AND bytes > 0), 0) AS small,
       coalesce(sum(bytes) FILTER (WHERE NOT shown AND steady AND bytes > 0), 0) AS small_bytes,
       coalesce(sum(NOT steady), 0) AS unsteady, coalesce(max(swing) FILTER (WHERE NOT steady), 0) AS swing
FROM (SELECT g.all_bytes AS bytes, g.swing_bytes AS swing, :steps = 1 OR :steps IN (g.rises, g.all_rises) AS steady,
             g.all_bytes > 0 AND (g.all_bytes >= :least OR g.all_objects >= :few)
             AND (:steps = 1 OR :steps IN (g.rises, g.all_rises)) AS shown
      FROM main.growth g JOIN main.item i ON i.id = g.item_id
      WHERE g.kind = 'path' AND g.point AND (:type IS NULL OR i.type REGEXP :type))
