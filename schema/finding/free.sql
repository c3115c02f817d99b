-- Memory that was freed and never went back to the system, when it is a good part of the heap: what a trim
-- would return, and what live blocks pin.
INSERT INTO draft (kind, severity, title, detail, objects, bytes)
SELECT 'free', 'info',
       printf('%s are free inside the allocator: %d %% of its memory, in %,d blocks', human(f.bytes),
              100 * f.bytes / a.bytes, f.blocks),
       coalesce(printf('malloc_trim(0) would return %s (%s of it once written to); %s stay, pinned by live blocks; ',
                       human(t.returnable), human(t.written), human(t.pinned)), '')
       || 'by place and by who pins it: heapscan memory DB',
       f.blocks, f.bytes
FROM (SELECT count(*) AS blocks, sum(size) AS bytes FROM free_block) f,
     (SELECT sum(used_bytes + free_bytes + overhead_bytes) AS bytes FROM arena) a,
     (SELECT sum(returnable) AS returnable, sum(written) AS written, sum(pinned) AS pinned FROM trim) t
WHERE f.bytes * 4 > a.bytes AND f.bytes > 1048576;
