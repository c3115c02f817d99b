-- The live blocks before and behind an address. One above 2^63 is negative here, and behind them all.
SELECT * FROM (SELECT 'before' AS place, o.id, o.address, o.size, t.name AS type, o.value
               FROM object o LEFT JOIN type t ON t.id = o.type_id
               WHERE o.address < iif(:address < 0, 0x7fffffffffffffff, :address)
               ORDER BY o.address DESC LIMIT 1)
UNION ALL
SELECT * FROM (SELECT 'behind', o.id, o.address, o.size, t.name, o.value
               FROM object o LEFT JOIN type t ON t.id = o.type_id
               WHERE o.address > iif(:address < 0, 0x7fffffffffffffff, :address)
               ORDER BY o.address LIMIT 1)
