-- Fails when :pattern is no regular expression.
SELECT '' REGEXP :pattern
