-- Functions with their own figures and with those of all paths that they are in: see src/cmd/sites.h.
CREATE TEMP TABLE function_row (
    function TEXT, module TEXT, address INTEGER, name TEXT,
    live_bytes INTEGER, live_objects INTEGER, peak_bytes INTEGER, allocations INTEGER, temporary INTEGER,
    allocated_bytes INTEGER,
    total_live_bytes INTEGER, total_live_objects INTEGER, total_peak_bytes INTEGER, total_allocations INTEGER,
    total_temporary INTEGER, total_allocated_bytes INTEGER)
