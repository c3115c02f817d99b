-- Views: the everyday questions as one short SELECT. Addresses as hex, types by name.

-- Objects with hex addresses and type names.
CREATE VIEW object_view AS
SELECT o.id, printf('0x%x', o.address) AS address, o.size, t.name AS type, o.refcount, o.reachable,
       o.grade, o.retained, o.dominator_id, o.arena_id, o.value
FROM object o LEFT JOIN type t ON t.id = o.type_id;
