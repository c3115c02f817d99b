-- Who accounts for an object's count: owning references, from how many objects; what nobody accounts
-- for, and what a module took when it was imported and keeps.
SELECT o.refcount, (SELECT count(*) FROM reference r WHERE r.dst = o.id AND r.kind = 1) AS "references",
       (SELECT count(DISTINCT r.src) FROM reference r WHERE r.dst = o.id AND r.kind = 1) AS holders,
       (SELECT count(*) FROM root r WHERE r.object_id = o.id) AS roots,
       e.found, e.excess, k.counts AS kept, k.cause, m.path AS module
FROM object o LEFT JOIN refcount_error e ON e.object_id = o.id
     LEFT JOIN kept_count k ON k.object_id = o.id LEFT JOIN module m ON m.id = k.module_id
WHERE o.id = :id AND o.refcount IS NOT NULL
