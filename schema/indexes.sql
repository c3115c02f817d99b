-- Indexes for the questions people ask. object by address, by type, by size and by what it retains, what it
-- dominates, and the buffers of an owner; the biggest of a type; references from both ends; roots by what they hold;
-- clusters of an object. One over a column that is NULL in every row is not made (a trace has no types), but for those
-- that leave NULL out: questions go by way of them whether they have rows or not.
CREATE INDEX object_address ON object (address);
CREATE INDEX object_type ON object (type_id);
CREATE INDEX object_size ON object (size);
CREATE INDEX object_retained ON object (retained);
CREATE INDEX object_dominator ON object (dominator_id) WHERE dominator_id IS NOT NULL;
CREATE INDEX object_owner ON object (owner_id) WHERE owner_id IS NOT NULL;
CREATE INDEX biggest_type ON biggest (type_id);
CREATE INDEX reference_src ON reference (src);
CREATE INDEX reference_dst ON reference (dst);
CREATE INDEX root_object ON root (object_id);
CREATE INDEX cluster_member_object ON cluster_member (object_id);
CREATE INDEX ledger_segment ON ledger (segment_id);
CREATE INDEX written_object ON written (object_id);
CREATE INDEX suspended_awaits ON suspended (awaits_id) WHERE awaits_id IS NOT NULL;
