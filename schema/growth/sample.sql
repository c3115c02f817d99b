-- One of the new objects that hold the most, in the last database.
SELECT h.sample_id, (SELECT path FROM main.dump ORDER BY step DESC LIMIT 1) AS path
FROM main.holder h
WHERE h.sample_id IS NOT NULL AND (h.new_bytes - h.gone_bytes >= :least OR h.new_objects - h.gone_objects >= :few)
ORDER BY h.new_bytes - h.gone_bytes DESC, h.new_id
LIMIT 1
