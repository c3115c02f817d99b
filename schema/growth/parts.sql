-- The memory of C++'s containers that is part of the block they lie in: counted by itself, as malloc gave it.
SELECT object_id FROM container WHERE holder_id IS NOT NULL AND header IS NOT NULL
