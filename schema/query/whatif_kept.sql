-- Does an interpreter keep free objects inside these addresses?
SELECT 1 FROM free_block WHERE address >= ?1 AND address < ?2 AND kind NOT LIKE 'pymalloc%' LIMIT 1
