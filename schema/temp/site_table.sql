-- Call paths with their own figures and with those of all that they call: see src/cmd/sites.h.
CREATE TEMP TABLE site_row (
    id INTEGER, parent_id INTEGER, function TEXT, file TEXT, line INTEGER, module TEXT, address INTEGER,
    name TEXT, caller TEXT,
    live_bytes INTEGER, live_objects INTEGER, peak_bytes INTEGER, allocations INTEGER, temporary INTEGER,
    allocated_bytes INTEGER,
    total_live_bytes INTEGER, total_live_objects INTEGER, total_peak_bytes INTEGER, total_allocations INTEGER,
    total_temporary INTEGER, total_allocated_bytes INTEGER)
