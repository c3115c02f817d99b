-- Who holds an object: each reference that keeps it alive. An object that nothing leads to holds nothing: that is
-- looked at when its own turn comes, for half of those that are found never have one; unless it is known already
-- (:known).
SELECT r.rowid AS edge, r.src, r.kind, NULL AS type_id
FROM reference r
WHERE r.dst = :id AND r.kind <> 2
      AND (:known OR (SELECT o.reachable IS NOT 0 FROM object o WHERE o.id = :id))
LIMIT :limit
