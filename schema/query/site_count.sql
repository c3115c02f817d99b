-- How many allocation sites there are.
SELECT count(*) AS sites FROM site
