-- How much more there is of one kind in the last dump, in all.
SELECT coalesce(sum(new_objects), 0) - coalesce(sum(old_objects), 0) AS objects,
       coalesce(sum(new_bytes), 0) - coalesce(sum(old_bytes), 0) AS bytes,
       coalesce(sum(max(new_objects - old_objects, 0)), 0) AS more
FROM main.growth WHERE kind = :kind
