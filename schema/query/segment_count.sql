-- Enough of the mappings to tell whether a dump is the one that the database was made from.
SELECT count(*) AS segments, min(start) AS lowest FROM segment
