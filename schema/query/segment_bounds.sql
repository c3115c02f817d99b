-- Enough of the mappings to tell whether a dump is the one that the database was made from.
SELECT min(start) AS lowest, max("end") AS highest FROM segment
