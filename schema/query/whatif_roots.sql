-- What keeps an object alive: roots.
SELECT id FROM root WHERE object_id = ?1 LIMIT ?2
