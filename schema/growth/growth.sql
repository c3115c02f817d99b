-- From the samples: what each item did over all dumps.
CREATE TEMP TABLE last AS SELECT max(step) AS step FROM main.dump;
INSERT INTO main.growth (item_id, kind, old_objects, new_objects, old_bytes, new_bytes, rises, falls, swing_bytes, slope)
SELECT item_id, kind,
       max(CASE WHEN step = 1 THEN objects ELSE 0 END), max(CASE WHEN step = n THEN objects ELSE 0 END),
       max(CASE WHEN step = 1 THEN bytes ELSE 0 END), max(CASE WHEN step = n THEN bytes ELSE 0 END),
       sum(step > 1 AND objects >= objects_before AND bytes >= bytes_before
           AND (objects > objects_before OR bytes > bytes_before)),
       sum(step > 1 AND (objects < objects_before OR bytes < bytes_before)), max(bytes) - min(bytes),
       (n * sum(1.0 * step * bytes) - sum(1.0 * step) * sum(1.0 * bytes))
       / nullif(n * sum(1.0 * step * step) - sum(1.0 * step) * sum(1.0 * step), 0)
FROM (SELECT i.id AS item_id, i.kind, d.step, l.step AS n, coalesce(s.objects, 0) AS objects,
             coalesce(s.bytes, 0) AS bytes, coalesce(b.objects, 0) AS objects_before, coalesce(b.bytes, 0) AS bytes_before
      FROM main.item i CROSS JOIN temp.last l CROSS JOIN main.dump d
           LEFT JOIN main.sample s ON s.item_id = i.id AND s.step = d.step
           LEFT JOIN main.sample b ON b.item_id = i.id AND b.step = d.step - 1)
GROUP BY item_id;

-- A path is where growth begins when it has more objects than follow from those of its parent: as many for
-- each new one as there were for each old one, and one at least. Or when what is there got bigger. CPython's method
-- cache is no such place: it has 4,096 names at most, whatever the process does.
CREATE INDEX main.item_parent ON item (parent_id);
CREATE INDEX main.item_name ON item (kind, name);
UPDATE main.growth SET point = 1
WHERE kind = 'path' AND (new_objects > old_objects OR new_bytes > old_bytes) AND item_id IN (
    SELECT g.item_id
    FROM main.growth g JOIN main.item i ON i.id = g.item_id LEFT JOIN main.growth p ON p.item_id = i.parent_id
    WHERE g.kind = 'path' AND i.name <> '(method cache)' AND CASE
        WHEN coalesce(p.new_objects - p.old_objects, 0) <= 0 THEN 1
        WHEN g.new_objects > g.old_objects THEN
            g.new_objects - g.old_objects >
            1.25 * max(1.0, 1.0 * g.old_objects / nullif(p.old_objects, 0)) * (p.new_objects - p.old_objects)
        ELSE p.old_objects > 0 AND g.old_objects > 0 END);

-- A container's members, the keys of these and its own table are one growth: the most bytes of members stand for
-- all of it, unless there are keys alone. What is one object before and after grew because of them.
CREATE TEMP TABLE fold AS
WITH member AS (
    SELECT g.item_id AS id, i.parent_id AS container, substr(i.name, length(p.name) + 1) AS step,
           g.new_bytes - g.old_bytes AS bytes
    FROM main.growth g JOIN main.item i ON i.id = g.item_id JOIN main.item p ON p.id = i.parent_id
    WHERE g.kind = 'path' AND g.point AND g.new_objects > g.old_objects
          AND substr(i.name, length(p.name) + 1) IN ('[*]', '<key>')),
stands AS (
    SELECT container, id, row_number() OVER (PARTITION BY container ORDER BY step = '<key>', bytes DESC, id) AS n FROM member)
SELECT m.id, s.id AS into_id FROM member m JOIN stands s ON s.container = m.container AND s.n = 1
WHERE m.step = '<key>' AND m.id <> s.id
UNION ALL
SELECT g.item_id, s.id FROM stands s JOIN main.growth g ON g.item_id = s.container
WHERE s.n = 1 AND g.point AND g.new_objects = g.old_objects;
CREATE UNIQUE INDEX temp.fold_id ON fold (id);
UPDATE main.growth SET point = 0 WHERE item_id IN (SELECT id FROM temp.fold);

-- All else hangs off the nearest such path above it.
WITH RECURSIVE walk (id, point_id) AS (
    SELECT g.item_id, CASE WHEN g.point THEN g.item_id ELSE f.into_id END
    FROM main.growth g JOIN main.item i ON i.id = g.item_id LEFT JOIN temp.fold f ON f.id = g.item_id
    WHERE g.kind = 'path' AND i.parent_id IS NULL
    UNION ALL
    SELECT i.id, CASE WHEN g.point THEN g.item_id ELSE coalesce(f.into_id, w.point_id) END
    FROM walk w JOIN main.item i ON i.parent_id = w.id JOIN main.growth g ON g.item_id = i.id
         LEFT JOIN temp.fold f ON f.id = i.id)
UPDATE main.growth SET point_id = walk.point_id FROM walk WHERE growth.item_id = walk.id;
DROP TABLE temp.fold;

-- In which steps all of it grew: what a new object holds grows when the object itself does not any more.
CREATE INDEX main.growth_point ON growth (point_id);
UPDATE main.growth SET all_rises = w.rises, all_falls = w.falls
FROM (SELECT point_id, sum(step > 1 AND objects >= objects_before AND bytes >= bytes_before
                           AND (objects > objects_before OR bytes > bytes_before)) AS rises,
             sum(step > 1 AND (objects < objects_before OR bytes < bytes_before)) AS falls
      FROM (SELECT point_id, step, objects, bytes,
                   lag(objects) OVER w AS objects_before, lag(bytes) OVER w AS bytes_before
            FROM (SELECT g.point_id, d.step, coalesce(sum(s.objects), 0) AS objects, coalesce(sum(s.bytes), 0) AS bytes
                  FROM main.growth g CROSS JOIN main.dump d
                       LEFT JOIN main.sample s ON s.item_id = g.item_id AND s.step = d.step
                  WHERE g.point_id IS NOT NULL GROUP BY g.point_id, d.step)
            WINDOW w AS (PARTITION BY point_id ORDER BY step))
      GROUP BY point_id) w
WHERE growth.item_id = w.point_id;
UPDATE main.growth SET all_objects = s.objects, all_bytes = s.bytes, all_slope = s.slope
FROM (SELECT point_id, sum(slope) AS slope, sum(new_objects - old_objects) AS objects, sum(new_bytes - old_bytes) AS bytes
      FROM main.growth WHERE point_id IS NOT NULL GROUP BY point_id) s
WHERE growth.item_id = s.point_id;
UPDATE main.growth SET all_objects = new_objects - old_objects, all_bytes = new_bytes - old_bytes,
       all_slope = slope WHERE kind <> 'path';
DROP TABLE temp.last;
