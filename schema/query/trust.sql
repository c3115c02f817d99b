-- The trust card.
SELECT aspect, figure, weakens FROM trust ORDER BY rank
