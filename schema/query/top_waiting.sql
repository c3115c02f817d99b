-- Work that has not ended, or has and is kept, by the line where it waits. A task speaks for its coroutines.
SELECT s.kind, s.state, s.function, s.file, s.line,
       replace(s.file, rtrim(s.file, replace(s.file, '/', '')), '') || coalesce(':' || s.line, '') AS place,
       count(*) AS objects, sum(o.size) AS bytes,
       coalesce(sum(o.retained) FILTER (WHERE s.within_id IS NULL), 0) AS retained,
       max(s.chain) AS chain, min(s.object_id) AS object_id
FROM suspended s JOIN object o ON o.id = s.object_id LEFT JOIN type t ON t.id = o.type_id
WHERE s.kind <> 'awaitable' AND (:type IS NULL OR t.name REGEXP :type)
GROUP BY s.kind, s.state, s.file, s.line, s.function
ORDER BY retained DESC, objects DESC, s.kind, s.file, s.line
LIMIT :limit
