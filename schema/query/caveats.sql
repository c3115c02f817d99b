-- What weakens every answer.
SELECT figure, weakens FROM trust WHERE rank <= 4 AND weakens IS NOT NULL ORDER BY rank
