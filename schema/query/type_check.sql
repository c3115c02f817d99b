-- Fails when --type is no regular expression.
SELECT '' REGEXP :type WHERE :type IS NOT NULL
