-- Indexes for the questions people ask. object by address, by type and by size; references from both
-- ends; roots by what they hold.
CREATE INDEX object_address ON object (address);
CREATE INDEX object_type ON object (type_id);
CREATE INDEX reference_src ON reference (src);
CREATE INDEX reference_dst ON reference (dst);
CREATE INDEX root_object ON root (object_id);
CREATE INDEX cluster_member_object ON cluster_member (object_id);
CREATE INDEX ledger_segment ON ledger (segment_id);
CREATE INDEX object_size ON object (size);
CREATE INDEX object_retained ON object (retained);
