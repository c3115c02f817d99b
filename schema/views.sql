-- Views: the everyday questions as one short SELECT. Addresses are hex text, types are names; what is not
-- known is NULL. They need nothing but SQLite itself: the stock sqlite3 program reads them.

-- Objects, with hex addresses and type names.
CREATE VIEW object_view AS
SELECT o.id, CASE WHEN o.address IS NOT NULL THEN printf('0x%x', o.address) END AS address, o.size,
       t.name AS type, o.refcount, o.reachable, o.grade, o.retained, o.dominator_id, o.arena_id, o.owner_id,
       o.value
FROM object o LEFT JOIN type t ON t.id = o.type_id;

-- Live objects by type: how many, their bytes, and how much of that nothing leads to, or weak roots alone.
-- The row without a type is what is not known. From the census, hence quick however big the heap.
CREATE VIEW type_summary AS
SELECT c.type_id, t.name AS type, t.language, t.module, sum(c.objects) AS objects, sum(c.bytes) AS bytes,
       coalesce(sum(c.objects) FILTER (WHERE c.reachable = 0), 0) AS unreachable_objects,
       coalesce(sum(c.bytes) FILTER (WHERE c.reachable = 0), 0) AS unreachable_bytes,
       coalesce(sum(c.bytes) FILTER (WHERE c.reachable <> 0 AND c.grade >= 6), 0) AS weak_bytes
FROM census c LEFT JOIN type t ON t.id = c.type_id
GROUP BY c.type_id;

-- Live objects by size.
CREATE VIEW size_summary AS
SELECT size, sum(objects) AS objects, sum(bytes) AS bytes,
       coalesce(sum(objects) FILTER (WHERE reachable = 0), 0) AS unreachable_objects
FROM census
GROUP BY size;

-- Unreachable clusters, like ones folded together: direct_bytes are the heads', indirect_bytes what hangs
-- off them; cluster_id, head_id and head are an example, the biggest one.
CREATE VIEW leak_summary AS
SELECT c.signature, c.clusters, c.objects, c.bytes, c.direct_bytes, c.bytes - c.direct_bytes AS indirect_bytes,
       t.name AS type, c.cluster_id, c.head_id,
       CASE WHEN o.address IS NOT NULL THEN printf('0x%x', o.address) END AS head
FROM shape c LEFT JOIN object o ON o.id = c.head_id LEFT JOIN type t ON t.id = o.type_id
WHERE c.kind = 'leak' AND c.reachable = 0;

-- Cyclic clusters, like ones folded together; reachable 0 is garbage; definitions 1: classes and modules with what is
-- theirs. The example is the biggest one.
CREATE VIEW cycle_summary AS
SELECT c.reachable, c.signature, c.clusters, c.objects, c.bytes, t.name AS type, c.cluster_id, c.head_id,
       CASE WHEN o.address IS NOT NULL THEN printf('0x%x', o.address) END AS head, c.definitions
FROM shape c LEFT JOIN object o ON o.id = c.head_id LEFT JOIN type t ON t.id = o.type_id
WHERE c.kind = 'cycle';

-- Members of clusters, with their addresses and types.
CREATE VIEW cluster_view AS
SELECT m.cluster_id, c.kind, c.reachable, m.object_id,
       CASE WHEN o.address IS NOT NULL THEN printf('0x%x', o.address) END AS address, o.size, t.name AS type,
       m.object_id = c.head_id AS is_head
FROM cluster_member m JOIN cluster c ON c.id = m.cluster_id JOIN object o ON o.id = m.object_id
     LEFT JOIN type t ON t.id = o.type_id;

-- Pointers from one object to another, both ends with addresses and types.
CREATE VIEW reference_view AS
SELECT r.src, CASE WHEN s.address IS NOT NULL THEN printf('0x%x', s.address) END AS src_address,
       st.name AS src_type, r.offset, r.name, r.kind, r.how,
       r.dst, CASE WHEN d.address IS NOT NULL THEN printf('0x%x', d.address) END AS dst_address,
       dt.name AS dst_type
FROM reference r JOIN object s ON s.id = r.src JOIN object d ON d.id = r.dst
     LEFT JOIN type st ON st.id = s.type_id LEFT JOIN type dt ON dt.id = d.type_id;

-- What an object refers to, with the buffers that it owns counted as itself: references of its buffers are
-- its own, a reference to another object's buffer is one to that object, and the pointers to its own
-- buffers are none. Weak and borrowed references are left out, and what a collector does not visit, but for
-- the keys of dicts. Quick for a given src.
CREATE VIEW referent AS
SELECT r.src AS src, coalesce(d.owner_id, r.dst) AS dst, r.name AS name
FROM reference r JOIN object s ON s.id = r.src JOIN object d ON d.id = r.dst
WHERE s.owner_id IS NULL AND d.owner_id IS NOT r.src AND r.kind <> 2
  AND (r.unseen IS NULL OR r.name LIKE '<key %')
UNION ALL
SELECT s.owner_id, coalesce(d.owner_id, r.dst), r.name
FROM object s JOIN reference r ON r.src = s.id JOIN object d ON d.id = r.dst
WHERE s.owner_id IS NOT NULL AND d.owner_id IS NOT s.owner_id AND r.kind <> 2
  AND (r.unseen IS NULL OR r.name LIKE '<key %');

-- Words outside the heap that point to objects: where they lie, in whose frame or module, what they hold.
CREATE VIEW root_view AS
SELECT r.id, r.kind, r.grade, CASE WHEN r.address IS NOT NULL THEN printf('0x%x', r.address) END AS address,
       r.name, m.path AS module, th.tid, r.depth, f.function, r.object_id,
       CASE WHEN o.address IS NOT NULL THEN printf('0x%x', o.address) END AS object, t.name AS type, o.size,
       o.retained
FROM root r JOIN object o ON o.id = r.object_id LEFT JOIN type t ON t.id = o.type_id
     LEFT JOIN module m ON m.id = r.module_id LEFT JOIN thread th ON th.id = r.thread_id
     LEFT JOIN frame f ON f.thread_id = r.thread_id AND f.depth = r.depth;

-- Mappings, with hex addresses, their size, and what the dump lacks of them.
CREATE VIEW segment_view AS
SELECT s.id, printf('0x%x', s.start) AS start, printf('0x%x', s."end") AS "end", s."end" - s.start AS size,
       s.present, s."end" - s.start - s.present AS missing, s.perms, s.kind, s.name, m.path AS module
FROM segment s LEFT JOIN module m ON m.id = s.module_id;

-- Executables and libraries, with the hex address of each.
CREATE VIEW module_view AS
SELECT id, printf('0x%x', base) AS base, path, build_id, symbols FROM module;

-- Frames of all threads, innermost first.
CREATE VIEW frame_view AS
SELECT f.thread_id, th.tid, th.name AS thread, f.depth,
       CASE WHEN f.pc IS NOT NULL THEN printf('0x%x', f.pc) END AS pc, f.function, f.file, f.line,
       m.path AS module, f.language
FROM frame f JOIN thread th ON th.id = f.thread_id LEFT JOIN module m ON m.id = f.module_id;

-- Arenas: what they hold, and how much of it is of no use now.
CREATE VIEW arena_view AS
SELECT id, allocator, name, CASE WHEN address IS NOT NULL THEN printf('0x%x', address) END AS address,
       used_bytes + free_bytes + overhead_bytes AS bytes, used_bytes, free_bytes, overhead_bytes, system_bytes
FROM arena;

-- Free memory inside the allocators: by arena and list, how many blocks, their bytes, the biggest.
CREATE VIEW free_summary AS
SELECT a.allocator, a.name AS arena, f.arena_id, f.kind, count(*) AS blocks, sum(f.size) AS bytes,
       max(f.size) AS biggest
FROM free_block f LEFT JOIN arena a ON a.id = f.arena_id
GROUP BY f.arena_id, f.kind;

-- Where the process's memory went: the rows add up to all its mappings.
CREATE VIEW ledger_summary AS
SELECT category, place, sum(bytes) AS bytes, count(DISTINCT segment_id) AS segments
FROM ledger
GROUP BY category, place;

-- Work that has not ended, or has and is kept, by the line where it waits. retained: what goes with all of
-- them, each byte counted once where they lie in one another; chain and object_id are an example.
CREATE VIEW waiting AS
SELECT s.kind, s.state, s.function, s.file, s.line, count(*) AS objects, sum(o.size) AS bytes,
       coalesce(sum(o.retained) FILTER (WHERE s.within_id IS NULL), 0) AS retained,
       max(s.chain) AS chain, min(s.object_id) AS object_id
FROM suspended s JOIN object o ON o.id = s.object_id
WHERE s.kind <> 'awaitable'
GROUP BY s.kind, s.state, s.file, s.line, s.function;

-- The trust card: how sure the figures are, and which answers that weakens (NULL: none). Rank 1 to 4 weaken all.
CREATE VIEW trust AS
WITH fact AS (SELECT key, value, CAST(value AS REAL) AS n FROM meta),
card (rank, aspect, figure, weakens) AS (
    SELECT 1, 'whole', 'the dump ends early', 'everything: what was cut off is not in the figures'
    FROM fact WHERE key = 'truncated'
    UNION ALL
    SELECT 2, 'missing', CASE WHEN n > 0 THEN iif(n < 1048576, printf('%.1f KiB', n / 1024), printf('%.1f MiB', n / 1048576))
                              || ' of writable memory are missing from the dump'
                              ELSE 'no writable memory is missing from the dump' END,
           CASE WHEN n > 0 THEN 'leaks and paths: pointers there were not seen, so what they hold seems lost' END
    FROM fact WHERE key = 'trust_missing_bytes'
    UNION ALL
    SELECT 3, 'damage', CASE n WHEN 1 THEN '1 place is' ELSE printf('%,d places are', n) END || ' damaged, in the dump or its heap',
           'figures near them: the walk went on behind each; the findings say where'
    FROM fact WHERE key = 'trust_damage'
    UNION ALL
    SELECT 4, 'allocator', value, 'all figures of the heap: its blocks are not known' FROM fact WHERE key = 'unread_allocator'
    UNION ALL
    SELECT 5, 'runtime', 'the objects of ' || value || ' are not known', 'types, paths and leaks of what that language allocates'
    FROM fact WHERE key = 'unread_runtime'
    UNION ALL
    SELECT 4, 'python types', printf('%.0f %% of the Python objects are of types whose names are in binaries that were not found', 100 * n),
           'counts and leaks of Python objects: no count is audited, cyclic garbage is a part of what there is (--sysroot DIR, --exe FILE)'
    FROM fact WHERE key = 'trust_nameless_share' AND (SELECT 1 FROM fact WHERE key = 'counts_doubtful')
    UNION ALL
    SELECT 5, 'arenas', printf('%,d of %,d arenas add up to their own count', a.n, t.n),
           CASE WHEN a.n < t.n THEN 'sizes and free memory of the other arenas (heapscan memory)' END
    FROM fact a, fact t WHERE a.key = 'trust_arenas_agree' AND t.key = 'trust_arenas'
    UNION ALL
    SELECT 6, 'types', printf('%.0f %% of the live bytes have a type', 100 * n),
           CASE WHEN n < 0.5 THEN 'top, and the words in which leaks are told: what has no type is known by its size' END
    FROM fact WHERE key = 'trust_typed_share'
    UNION ALL
    SELECT 7, 'roots', printf('%.0f %% of the roots have a name', 100 * n),
           CASE WHEN n < 0.5 THEN 'path: chains begin at addresses, where no symbol tells more' END
    FROM fact WHERE key = 'trust_named_roots_share'
    UNION ALL
    SELECT 8, 'binaries', CASE n WHEN 1 THEN '1 binary was not found' ELSE printf('%,d binaries were not found', n) END,
           'names of functions, globals and C++ types (--sysroot DIR, --exe FILE, --debuginfod)'
    FROM fact WHERE key = 'trust_binaries_missing'
    UNION ALL
    SELECT 8, 'python types', CASE t.n WHEN 1 THEN '1 type of Python has no name' ELSE printf('%,d types of Python have no name', t.n) END
           || printf(CASE o.n WHEN 1 THEN ' (1 object)' ELSE ' (%,d objects)' END, o.n) || ', as binaries were not found',
           CASE WHEN (SELECT n FROM fact WHERE key = 'trust_nameless_share') >= 0.001
                THEN 'leaks and counts of what such objects hold: any word of theirs may be a reference (--sysroot DIR, --exe FILE)' END
    FROM fact t, fact o WHERE t.key = 'python_nameless_types' AND o.key = 'python_nameless_objects'
                          AND (SELECT n FROM fact WHERE key = 'trust_binaries_missing') > 0
                          AND (SELECT 1 FROM fact WHERE key = 'counts_doubtful') IS NULL
    UNION ALL
    SELECT 8, 'traverse functions', printf(CASE o.n WHEN 1 THEN 'what the collector sees of 1 object' ELSE 'what the collector sees of %,d objects' END, o.n)
           || CASE t.n WHEN 1 THEN ' of a type in C' ELSE printf(' of %,d types in C', t.n) END || ' is not known',
           'cycles: garbage that only such objects lead to may be missing; the findings name the types'
    FROM fact t, fact o WHERE t.key = 'python_untraversed_types' AND o.key = 'python_untraversed_objects'
    UNION ALL
    SELECT 9, 'unexplained',
           CASE WHEN n < 1 THEN 'all memory belongs to an allocator, a stack or a binary'
                ELSE iif(n < 1048576, printf('%.1f KiB', n / 1024), printf('%.1f MiB', n / 1048576))
                     || ' belong to no allocator, stack or binary' END,
           CASE WHEN n >= 1048576 THEN 'leaks: what only a word there points to counts as held, but weakly' END
    FROM fact WHERE key = 'trust_unexplained_bytes')
SELECT rank, aspect, figure, weakens FROM card;

-- Bytes that could be saved, with names: what is there more than once (value: how it begins), and containers with
-- room to spare; path is how most of them are held. What a row folds has no type.
CREATE VIEW savings AS
SELECT s.id, s.kind, s.bytes, s.objects, s.size, s.capacity, s.used, coalesce(s.form, t.name) AS type,
       o.value, r.path, s.there, s.folded, s.object_id,
       CASE WHEN o.address IS NOT NULL THEN printf('0x%x', o.address) END AS address, s.form
FROM saving s LEFT JOIN type t ON t.id = s.type_id LEFT JOIN object o ON o.id = s.object_id
     LEFT JOIN retention r ON r.id = s.retention_id;
