-- Memory of the process in the first and the last dump, and how much of it is where no allocator, stack or binary is;
-- steady: that grew in every step.
SELECT coalesce(sum(old_bytes), 0) AS old_memory, coalesce(sum(new_bytes), 0) AS new_memory,
       coalesce(sum(old_bytes) FILTER (WHERE unread), 0) AS old_unread,
       coalesce(sum(new_bytes) FILTER (WHERE unread), 0) AS new_unread,
       coalesce(max(rises = :steps) FILTER (WHERE unread), 0) AS steady
FROM (SELECT g.*, i.name = 'unexplained' AS unread FROM main.growth g JOIN main.item i ON i.id = g.item_id
      WHERE g.kind = 'memory' AND i.name <> 'unexplained: pages of zeroes')
