-- Who accounts for an object's count: owning references, from how many objects; and what nobody accounts for.
SELECT o.refcount, (SELECT count(*) FROM reference r WHERE r.dst = o.id AND r.kind = 1) AS "references",
       (SELECT count(DISTINCT r.src) FROM reference r WHERE r.dst = o.id AND r.kind = 1) AS holders,
       e.found, e.excess
FROM object o LEFT JOIN refcount_error e ON e.object_id = o.id
WHERE o.id = :id AND o.refcount IS NOT NULL
