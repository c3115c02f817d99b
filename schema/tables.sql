-- The database that heapscan promises. Every table and column has a comment; `make tidy` checks it.
-- Addresses are integers (the views print hex), sizes are bytes, unknown is NULL and never 0.
-- Ids are dense from 1; addresses above 2^63 are stored as negative integers, as SQLite has them.

-- Facts about the dump, one row each: kind (core, trace), source, pid, exe, taken_at, warnings, ...
CREATE TABLE meta (
    key   TEXT PRIMARY KEY, -- name of the fact
    value TEXT              -- its value as text
) WITHOUT ROWID;

-- A memory mapping of the process.
CREATE TABLE segment (
    id        INTEGER PRIMARY KEY, -- dense, in address order
    start     INTEGER NOT NULL,    -- first address
    "end"     INTEGER NOT NULL,    -- address behind the last
    present   INTEGER NOT NULL,    -- bytes found in the dump
    perms     TEXT NOT NULL,       -- as in /proc/PID/maps: r-x
    kind      TEXT NOT NULL,       -- anon, stack, module, file, shared, vdso, heap
    module_id INTEGER REFERENCES module (id), -- the binary it is mapped from
    name      TEXT                 -- path of the mapped file
);

-- An executable or library.
CREATE TABLE module (
    id       INTEGER PRIMARY KEY, -- dense, in address order
    path     TEXT,                -- as the process knew it
    build_id TEXT,                -- hex
    base     INTEGER NOT NULL,    -- lowest mapped address
    symbols  TEXT                 -- where names came from: symtab, debug file, minidebuginfo, dynsym, none
);

-- A thread of the process.
CREATE TABLE thread (
    id     INTEGER PRIMARY KEY, -- dense; 1 is the one that dumped
    tid    INTEGER,             -- the kernel's number
    name   TEXT,                -- its name, where the dump tells it
    signal INTEGER,             -- the signal it had
    pc     INTEGER,             -- program counter
    sp     INTEGER              -- stack pointer
);

-- A native or interpreter frame of a thread, innermost first.
CREATE TABLE frame (
    thread_id INTEGER NOT NULL REFERENCES thread (id), -- whose
    depth     INTEGER NOT NULL, -- 0 is the innermost
    language  TEXT,             -- native, python
    function  TEXT,             -- demangled
    file      TEXT,             -- source file
    line      INTEGER,          -- source line
    module_id INTEGER REFERENCES module (id), -- binary that holds pc
    pc        INTEGER,          -- address of the instruction
    sp        INTEGER,          -- its part of the stack begins here ...
    cfa       INTEGER,          -- ... and ends before this; NULL: not known
    PRIMARY KEY (thread_id, depth)
) WITHOUT ROWID;

-- An arena or heap of an allocator.
CREATE TABLE arena (
    id             INTEGER PRIMARY KEY, -- dense
    allocator      TEXT NOT NULL,    -- glibc, pymalloc, ...
    name           TEXT,             -- main, thread arena of ...
    address        INTEGER,          -- the allocator's own structure for it
    system_bytes   INTEGER,          -- what the allocator itself says it holds
    used_bytes     INTEGER NOT NULL, -- usable bytes of its live blocks
    free_bytes     INTEGER NOT NULL, -- usable bytes of its free blocks
    overhead_bytes INTEGER NOT NULL  -- all the rest: headers, rounding, damaged parts
);

-- A type of objects.
CREATE TABLE type (
    id       INTEGER PRIMARY KEY, -- dense
    language TEXT,                -- C, C++, python
    name     TEXT NOT NULL,       -- as its language writes it
    module   TEXT,                -- library or package it comes from
    retained INTEGER              -- bytes that go with all its objects, at the least: what those retain that none of it dominates
);

-- A live block, or an object in one.
CREATE TABLE object (
    id           INTEGER PRIMARY KEY, -- dense, in address order
    address      INTEGER,          -- what the program calls it
    block        INTEGER,          -- first usable byte of the allocator's block
    size         INTEGER NOT NULL, -- usable bytes of that block
    arena_id     INTEGER REFERENCES arena (id),  -- NULL: lives in a module's data
    type_id      INTEGER REFERENCES type (id),   -- NULL: not known
    owner_id     INTEGER REFERENCES object (id), -- the object it is a buffer of; of a C++ container's memory: the block
                                -- that the container lies in
    refcount     INTEGER,          -- as stored in the object
    reachable    INTEGER,          -- 0 nothing leads to it, 1 a root does, 2 only by interior pointers
    grade        INTEGER,          -- best root that leads to it: 1 global .. 7 unexplained; 6 and 7 are weak
    retained     INTEGER,          -- bytes of its dominator subtree
    dominator_id INTEGER REFERENCES object (id), -- NULL: under the virtual root
    site_id      INTEGER REFERENCES site (id),   -- who allocated it, where the process or a trace recorded it
    retention_id INTEGER REFERENCES retention (id), -- what holds it; NULL: not known
    held_by      INTEGER,          -- rowid of the reference that comes last on a shortest chain from the most telling root; NULL: the root itself, or none
    value        TEXT              -- short preview of its contents
);

-- A block that the allocator holds free.
CREATE TABLE free_block (
    address  INTEGER PRIMARY KEY, -- as malloc would return it
    size     INTEGER NOT NULL,    -- usable bytes
    arena_id INTEGER REFERENCES arena (id), -- whose
    kind     TEXT NOT NULL        -- tcache, fastbin, unsorted, small, large, top, last_remainder, unlinked, pymalloc free, pymalloc pool
) WITHOUT ROWID;

-- A pointer from one object to another.
CREATE TABLE reference (
    src    INTEGER NOT NULL REFERENCES object (id), -- the object that holds the pointer
    offset INTEGER,          -- byte offset in its block; NULL: too far to record
    dst    INTEGER NOT NULL REFERENCES object (id), -- the object it points to
    kind   INTEGER NOT NULL, -- 1 typed and owning, 0 a word that looks like a pointer, 2 weak or borrowed
    how    INTEGER NOT NULL, -- 0 to the start, 1 to the inside, 2 with tag bits, 3 stored unaligned
    name   TEXT,             -- .attr, ['key'], [3], ->next
    unseen INTEGER           -- 1: counted, but the source's collector does not visit it; NULL: it does
);

-- A pointer to an object from outside the heap.
CREATE TABLE root (
    id        INTEGER PRIMARY KEY, -- dense
    kind      TEXT NOT NULL,       -- global, data, tls, frame, register, stack, unexplained
    grade     INTEGER NOT NULL,    -- 1 (surest) to 7; 6 and 7 may be stale words
    object_id INTEGER NOT NULL REFERENCES object (id), -- what it points to
    address   INTEGER,             -- where the word lies; NULL: in a register
    how       INTEGER NOT NULL,    -- as in reference
    thread_id INTEGER REFERENCES thread (id), -- stack, register, TLS: whose
    depth     INTEGER,             -- the frame, where known
    module_id INTEGER REFERENCES module (id), -- module data: whose
    name      TEXT                 -- symbol+offset, register
);

-- A group of objects: a leak behind one head, or a cycle.
CREATE TABLE cluster (
    id           INTEGER PRIMARY KEY, -- dense
    kind         TEXT NOT NULL,    -- leak, cycle
    reachable    INTEGER NOT NULL, -- 1: a root leads to it; 0: garbage
    objects      INTEGER NOT NULL, -- members
    bytes        INTEGER NOT NULL, -- of all members
    direct_bytes INTEGER NOT NULL, -- of the head alone
    head_id      INTEGER REFERENCES object (id), -- where to start looking
    signature    TEXT,             -- its shape: like ones have the same
    collectable  INTEGER,          -- of an unreachable one: 1 its runtime's collector would free it, 0 it never does; NULL: not known, or there is none
    culprit_id   INTEGER REFERENCES object (id), -- the object of it whose references the collector does not see, or may not; NULL: none
    definitions  INTEGER NOT NULL  -- 1: a class or module is in it; those that are alive every program has
);

-- Membership in clusters.
CREATE TABLE cluster_member (
    cluster_id INTEGER NOT NULL REFERENCES cluster (id), -- the group
    object_id  INTEGER NOT NULL REFERENCES object (id),  -- the member
    PRIMARY KEY (cluster_id, object_id)
) WITHOUT ROWID;

-- Clusters of one signature: a question about leaks or cycles need not read all clusters. In each kind the
-- most bytes come first.
CREATE TABLE shape (
    id           INTEGER PRIMARY KEY, -- dense
    kind         TEXT NOT NULL,    -- as in cluster
    reachable    INTEGER NOT NULL, -- as in cluster
    signature    TEXT,             -- as in cluster; NULL: one cluster by itself
    clusters     INTEGER NOT NULL, -- how many
    objects      INTEGER NOT NULL, -- members of all
    bytes        INTEGER NOT NULL, -- of all members
    direct_bytes INTEGER NOT NULL, -- of all heads
    cluster_id   INTEGER NOT NULL REFERENCES cluster (id), -- an example: the biggest
    head_id      INTEGER REFERENCES object (id), -- the example's head
    definitions  INTEGER NOT NULL  -- as in cluster: of all of them
);

-- CPython's dicts (3.6 to 3.13) by their last write, by the interpreter's own clock.
CREATE TABLE written (
    id        INTEGER PRIMARY KEY, -- dense: 1 was written the longest ago, the highest last of all
    object_id INTEGER NOT NULL REFERENCES object (id) -- the dict
);

-- Work that has not ended, or has and is kept: generators, coroutines, tasks, futures.
CREATE TABLE suspended (
    object_id INTEGER PRIMARY KEY REFERENCES object (id), -- which
    kind      TEXT NOT NULL, -- generator, coroutine, async generator, task, future, awaitable (passes on what it waits for)
    state     TEXT,    -- created, suspended, running, ended; of tasks and futures pending, done, cancelled
    function  TEXT,    -- qualified name; of a task the innermost one outside asyncio that waits
    file      TEXT,    -- source file
    line      INTEGER, -- where it waits; before it has begun and when it has ended, where the function begins
    awaits_id INTEGER REFERENCES object (id), -- what it waits for (cr_await, gi_yieldfrom); of a task its coroutine
    future_id INTEGER REFERENCES object (id), -- of a task: the future that will wake it
    chain     TEXT,    -- of a task: from its coroutine to the future, 'serve() app.py:90 > fetch() app.py:41 > Future'
    within_id INTEGER REFERENCES object (id)  -- nearest dominator of the same kind and state at the same line: what this one holds, that one does
);

-- An object that CPython's collector would have found unreachable: what gc.collect() returns the number of.
CREATE TABLE garbage (
    object_id     INTEGER PRIMARY KEY REFERENCES object (id), -- which
    uncollectable INTEGER NOT NULL -- 1: the collector would not free it (a finalizer that it must not run)
);

-- An object whose count is not explained by the references found.
CREATE TABLE refcount_error (
    object_id INTEGER PRIMARY KEY REFERENCES object (id), -- which
    refcount  INTEGER NOT NULL, -- stored
    found     INTEGER NOT NULL, -- references that explain it
    excess    INTEGER NOT NULL  -- refcount - found
);

-- Counts that an extension module took when it was imported and never gives back, as far as they can be told:
-- nothing in memory holds them. No other table of faults has them; what a program does makes no more of them.
CREATE TABLE kept_count (
    object_id INTEGER PRIMARY KEY REFERENCES object (id), -- which
    counts    INTEGER NOT NULL, -- how many nothing else explains
    cause     TEXT NOT NULL,    -- why
    module_id INTEGER REFERENCES module (id) -- whose; NULL: of one of several
);

-- Native code that alone keeps Python objects alive: a variable, thread or mapping of its own, or memory of C
-- behind objects. No reference of Python's leads to what it holds.
CREATE TABLE native_holder (
    id          INTEGER PRIMARY KEY, -- dense
    kind        TEXT NOT NULL,    -- as in root; object: memory of C behind objects of one type
    module_id   INTEGER REFERENCES module (id), -- global, data, tls: whose
    thread_id   INTEGER REFERENCES thread (id), -- frame, register, stack, tls: whose
    type_id     INTEGER REFERENCES type (id),   -- object: of which type
    name        TEXT,             -- global: its symbol
    address     INTEGER,          -- of a word of it: an example
    object_id   INTEGER REFERENCES object (id), -- object: one of them
    interpreter INTEGER NOT NULL, -- 1: a variable of the interpreter's own binary
    objects     INTEGER NOT NULL, -- Python objects that live by it alone
    direct      INTEGER NOT NULL, -- of these, those that memory of C itself refers to
    bytes       INTEGER NOT NULL  -- of the objects and their buffers
);

-- A Python object that only native code keeps alive.
CREATE TABLE native_held (
    object_id INTEGER PRIMARY KEY REFERENCES object (id),    -- which
    holder_id INTEGER NOT NULL REFERENCES native_holder (id), -- by what: the nearest
    via_id    INTEGER REFERENCES object (id), -- the block of C memory that refers to it; NULL: the holder's own word, or another object does
    direct    INTEGER NOT NULL -- 1: memory of C refers to it; 0: only objects that C holds do
);

-- A node of the call tree of allocations: of a trace, or of what the process recorded itself (tracemalloc).
-- Figures are the node's own, not those of what it calls; a caller has a lower id than what it calls.
CREATE TABLE site (
    id              INTEGER PRIMARY KEY, -- dense
    parent_id       INTEGER REFERENCES site (id), -- its caller
    function        TEXT,    -- demangled
    file            TEXT,    -- source file
    line            INTEGER, -- source line
    module          TEXT,    -- binary
    address         INTEGER, -- of the code, where the function is not known: in the binary, if that is known
    allocations     INTEGER, -- by this node itself
    temporary       INTEGER, -- freed by the very next event
    allocated_bytes INTEGER, -- in all
    live_objects    INTEGER, -- at the end
    live_bytes      INTEGER, -- at the end
    peak_bytes      INTEGER, -- at the overall peak
    own_peak_bytes  INTEGER, -- the most that this node ever had; NULL: not known, or nothing
    lifetime        REAL,    -- of all its blocks together, to the end for those still live; meta.time_unit
    suppressed      INTEGER  -- 1: what is live here is known to be no leak; NULL: it is not
);

-- A sample over time of a trace.
CREATE TABLE timeline (
    time         REAL NOT NULL,    -- since the start; seconds, or what meta.time_unit says
    live_bytes   INTEGER NOT NULL, -- then
    live_objects INTEGER           -- then
);

-- A way in which objects are held, with what differs from one to the other left out: by what root, over which
-- attributes, keys and members. A buffer (and the __dict__ of a class or module) is where its owner
-- is: counted in bytes, but not in objects. Every object is in one row. When there are more ways than 262,144, the
-- small ones of one parent, and what hangs off these, are one row "...".
CREATE TABLE retention (
    id          INTEGER PRIMARY KEY, -- dense; parents come before their children
    parent_id   INTEGER REFERENCES retention (id), -- what is one step nearer to the root
    key         INTEGER NOT NULL, -- hash of all steps and types: the same in every dump of a program
    path        TEXT NOT NULL,    -- app.CACHE['sessions'][*].user; a step with * behind it may have been taken again
    step        TEXT NOT NULL,    -- the last step
    type_id     INTEGER REFERENCES type (id), -- of what is there; NULL: not known
    size        INTEGER,          -- of each of its objects; NULL: various
    objects     INTEGER NOT NULL, -- that are held so
    bytes       INTEGER NOT NULL, -- of these, with their buffers
    all_objects INTEGER NOT NULL, -- with what is held through them
    all_bytes   INTEGER NOT NULL, -- with what is held through them
    object_id   INTEGER REFERENCES object (id) -- an example: the first of its objects
);

-- How many live objects there are of each kind: a question about all of them need not read all of them.
CREATE TABLE census (
    type_id   INTEGER REFERENCES type (id),  -- NULL: not known
    size      INTEGER NOT NULL, -- usable bytes of one
    arena_id  INTEGER REFERENCES arena (id), -- as in object
    reachable INTEGER,          -- as in object
    grade     INTEGER,          -- as in object
    objects   INTEGER NOT NULL, -- how many
    bytes     INTEGER NOT NULL, -- all of them
    tops      INTEGER,          -- of them: objects that no other one dominates; NULL: not known (a trace)
    tops_retained INTEGER       -- what these retain: over all rows, every live byte once
);

-- Of the objects of each type and size those that retain the most, at most meta.biggest_each of them: what is biggest
-- of a type, or among sizes, need not be looked for among all objects.
CREATE TABLE biggest (
    type_id   INTEGER REFERENCES type (id), -- NULL: not known
    size      INTEGER NOT NULL, -- as in object
    retained  INTEGER,          -- as in object
    object_id INTEGER NOT NULL REFERENCES object (id) -- which
);

-- Every byte of every mapping, in exactly one row: the rows of a segment add up to its length.
CREATE TABLE ledger (
    segment_id INTEGER NOT NULL REFERENCES segment (id), -- where
    category   TEXT NOT NULL,   -- live, free, overhead, rounding, reserved, stack, ..., missing
    place      TEXT,            -- which free list, which module, ...
    bytes      INTEGER NOT NULL -- how much
);

-- What an arena could give back to the system if it were asked (malloc_trim(0)), and why its other free memory
-- stays. Returnable bytes are whole pages, so they count the headers between free blocks, too.
CREATE TABLE trim (
    arena_id   INTEGER PRIMARY KEY REFERENCES arena (id), -- whose
    returnable INTEGER NOT NULL, -- pages inside free memory that a trim gives back
    written    INTEGER NOT NULL, -- of those: pages that hold more than zeroes, hence were in use once
    top        INTEGER NOT NULL, -- free bytes that stay: the end of the arena
    cached     INTEGER NOT NULL, -- free bytes that stay: in threads' caches
    pinned     INTEGER NOT NULL  -- free bytes that stay: something in use is on their page (pymalloc: in their arena)
);

-- Who pins free memory: live blocks on pages (pymalloc: in arenas) that are partly free. The free bytes of a page
-- are shared out in equal parts, so the rows of an allocator add up to its arenas' trim.pinned.
CREATE TABLE pin (
    allocator TEXT NOT NULL,    -- as in arena
    type_id   INTEGER REFERENCES type (id), -- of the live blocks; NULL: not known
    size      INTEGER,          -- of each, where the type is not known; NULL: various
    objects   INTEGER NOT NULL, -- live blocks; 0: only headers and threads' caches are there
    units     INTEGER NOT NULL, -- pages (pymalloc: arenas) at least half free that they are on
    bytes     INTEGER NOT NULL, -- free bytes that they keep
    object_id INTEGER REFERENCES object (id) -- an example: the one that keeps most
);

-- Bytes that could be saved. duplicate: contents that several live texts or buffers have, byte for byte, of which one
-- would do. slack: containers that keep more than their entries need; what they would not have if they were made
-- anew. Of each kind the thousand that matter most, and one row (folded) for all others, so that sums are right.
-- What no root leads to, and garbage, is not in it.
CREATE TABLE saving (
    id           INTEGER PRIMARY KEY, -- duplicates first; of each kind the most bytes first
    kind         TEXT NOT NULL,    -- duplicate, slack
    type_id      INTEGER REFERENCES type (id), -- of the objects; NULL: not known, or various
    objects      INTEGER NOT NULL, -- copies; containers
    bytes        INTEGER NOT NULL, -- that would be saved: all copies but the largest; what containers have too much
    size         INTEGER,          -- duplicate: bytes of one copy, the largest, with its buffers
    capacity     INTEGER,          -- slack: entries that there is room for (str, bytes: bytes), in all of them
    used         INTEGER,          -- slack: entries that there are
    object_id    INTEGER REFERENCES object (id), -- an example: the first copy; the container that keeps most
    retention_id INTEGER REFERENCES retention (id), -- how most of them are held
    there        INTEGER,          -- how many are held so
    folded       INTEGER,          -- how many smaller rows this one stands for; NULL: it is one itself
    form         TEXT              -- slack: as in container; NULL: what the type says
);

-- A container whose room is known. Python's: those that keep more than their entries need. C++'s (libstdc++, libc++)
-- and C's by the words that such a container consists of, without debug information: the object is the block that
-- entries are in (of a deque: its table of blocks; of a hash table: its buckets). Lost ones and garbage are in it,
-- too.
CREATE TABLE container (
    object_id INTEGER PRIMARY KEY REFERENCES object (id), -- the container, or its block
    form      TEXT,             -- vector, string, deque, hash table; table of blocks: that of libc++'s deque; buffer: one
                                -- of C that is like a vector or string. NULL: it is what its type says
    capacity  INTEGER NOT NULL, -- bytes that there is room for; of a hash table, and without a form: entries (str, bytes:
                                -- bytes)
    used      INTEGER NOT NULL, -- bytes, or entries, that there are
    bytes     INTEGER NOT NULL, -- that it would not have if it were made anew
    header    INTEGER,          -- address of the words that say so; NULL: they are in the object
    holder_id INTEGER REFERENCES object (id) -- the object that they lie in; NULL: none (a variable), or the object
) WITHOUT ROWID;

-- A conclusion worth a person's time.
CREATE TABLE finding (
    id         INTEGER PRIMARY KEY, -- dense, most important first
    kind       TEXT NOT NULL,    -- leak, cycle, heap-damage, dump-damage, missing, ...
    severity   TEXT NOT NULL,    -- error, warning, info
    title      TEXT NOT NULL,    -- one line
    detail     TEXT,             -- evidence, and what to do next
    objects    INTEGER,          -- how many are concerned
    bytes      INTEGER,          -- how much memory is
    object_id  INTEGER REFERENCES object (id),  -- an example
    cluster_id INTEGER REFERENCES cluster (id), -- the group
    type_id    INTEGER REFERENCES type (id),    -- the type
    address    INTEGER           -- a place in memory, where it is no object
);
