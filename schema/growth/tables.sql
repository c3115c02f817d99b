-- What `heapscan diff -o growth.db` leaves: what there was in each of the databases, by keys that do not
-- depend on ids or addresses, and which objects are new, gone or still there. Sizes are bytes, unknown is NULL.

-- A database that was compared, in the order in which they were given.
CREATE TABLE dump (
    step      INTEGER PRIMARY KEY, -- 1 is the oldest
    path      TEXT NOT NULL, -- of the database
    kind      TEXT,          -- core, trace
    source    TEXT,          -- the file it was made from
    pid       INTEGER,       -- of the process
    exe       TEXT,          -- its program
    build_id  TEXT,          -- of the program
    machine   TEXT,          -- x86-64, aarch64, i386
    taken_at  TEXT,          -- when, UTC
    execution TEXT,          -- the same for all dumps of one execution and its forks
    layout    TEXT,          -- where the program's binaries lie: the same where addresses mean the same
    retention INTEGER NOT NULL, -- 1: it has retention paths
    objects   INTEGER NOT NULL, -- live ones, or blocks
    bytes     INTEGER NOT NULL  -- of these
);

-- Something that has a size in each dump.
CREATE TABLE item (
    id        INTEGER PRIMARY KEY, -- dense
    kind      TEXT NOT NULL,    -- path, type, site, leak, garbage, count, memory
    key       INTEGER NOT NULL, -- hash of what it is: the same in every dump
    name      TEXT NOT NULL,    -- a retention path, a type, a function, a signature, a category of the ledger
    type      TEXT,             -- of a path: what is there
    parent_id INTEGER REFERENCES item (id), -- of a path or site: one step nearer to the root
    UNIQUE (kind, key)
);

-- How much of it there was. No row: none.
CREATE TABLE sample (
    item_id INTEGER NOT NULL REFERENCES item (id), -- of what
    step    INTEGER NOT NULL REFERENCES dump (step), -- in which dump
    objects INTEGER NOT NULL, -- buffers not counted
    bytes   INTEGER NOT NULL, -- with buffers
    PRIMARY KEY (item_id, step)
) WITHOUT ROWID;

-- Mappings in each dump that no allocator reads, shared ones among them.
CREATE TABLE mapping_sample (
    step  INTEGER NOT NULL REFERENCES dump (step), -- in which dump
    start INTEGER NOT NULL, -- first address
    "end" INTEGER NOT NULL, -- address behind the last
    perms TEXT NOT NULL,    -- as in /proc/PID/maps
    name  TEXT NOT NULL,    -- of the mapped file, or ''
    bytes INTEGER NOT NULL, -- of it in pages that hold more than zeroes
    PRIMARY KEY (step, start)
) WITHOUT ROWID;

-- Allocators in each dump: arenas of one name are one row.
CREATE TABLE arena_sample (
    step           INTEGER NOT NULL REFERENCES dump (step), -- in which dump
    allocator      TEXT NOT NULL,    -- glibc, pymalloc, ...
    name           TEXT NOT NULL,    -- main, thread arena of ...
    arenas         INTEGER NOT NULL, -- how many
    used_bytes     INTEGER NOT NULL, -- live
    free_bytes     INTEGER NOT NULL, -- free in them
    overhead_bytes INTEGER NOT NULL, -- all the rest
    PRIMARY KEY (step, allocator, name)
) WITHOUT ROWID;

-- An item over all dumps: the first and the last, and what was between. See growth.sql.
CREATE TABLE growth (
    item_id     INTEGER PRIMARY KEY REFERENCES item (id), -- what
    kind        TEXT NOT NULL,    -- as in item
    old_objects INTEGER NOT NULL, -- in the first dump
    new_objects INTEGER NOT NULL, -- in the last
    old_bytes   INTEGER NOT NULL, -- in the first dump
    new_bytes   INTEGER NOT NULL, -- in the last
    rises       INTEGER NOT NULL, -- steps from one dump to the next in which it grew
    falls       INTEGER NOT NULL, -- steps in which it shrank
    swing_bytes INTEGER NOT NULL, -- between the least and the most of all dumps
    slope       REAL,             -- bytes a step, by least squares
    point       INTEGER NOT NULL DEFAULT 0, -- of a path: 1: it grew, and not because what it hangs off did
    point_id    INTEGER REFERENCES item (id), -- of a path: the growing one that this hangs off, or itself
    all_objects INTEGER NOT NULL DEFAULT 0, -- of a point: growth of all that hangs off it, and off no other point
    all_bytes   INTEGER NOT NULL DEFAULT 0, -- of a point: the same in bytes
    all_slope   REAL,             -- of a point: the slopes of all that
    all_rises   INTEGER NOT NULL DEFAULT 0, -- of a point: steps in which all that grew, in all
    all_falls   INTEGER NOT NULL DEFAULT 0  -- of a point: steps in which it shrank
);

-- The objects of the first and the last dump: one row for all that are new, one for those that are gone, one for
-- those that both have; of the latter, some grew or shrank where they are. What is new, less what is gone, and that,
-- is the growth.
CREATE TABLE pairing (
    state   TEXT PRIMARY KEY, -- new, gone, same, grew
    objects INTEGER NOT NULL, -- how many, buffers included
    bytes   INTEGER NOT NULL  -- of these; grew: how many more
) WITHOUT ROWID;

-- An object that was there in the first dump and holds something new in the last, or has more members.
CREATE TABLE holder (
    new_id      INTEGER PRIMARY KEY, -- object.id in the last database; negative: new objects that a root holds,
                                     -- by the retention.id of the nearest
    old_id      INTEGER,          -- object.id in the first; NULL: a root
    address     INTEGER,          -- of the object
    type        TEXT,             -- of the object
    path        TEXT,             -- its retention path
    old_members INTEGER NOT NULL, -- references out of it and its buffers, in the first dump
    new_members INTEGER NOT NULL, -- in the last
    new_objects INTEGER NOT NULL, -- new ones that hang off it, buffers not counted
    new_bytes   INTEGER NOT NULL, -- of these and of new buffers
    gone_objects INTEGER NOT NULL, -- that hung off it in the first dump, and are gone
    gone_bytes  INTEGER NOT NULL, -- of these and of buffers that are gone
    sample_id   INTEGER,          -- object.id of one of the new ones
    sample_path TEXT              -- its retention path
);

-- A container of C++, or a buffer of C, that was there in the first dump and has more in it in the last. It is the same
-- when its own words lie at the same place of an object that both have, or in a variable.
CREATE TABLE filled (
    new_id       INTEGER PRIMARY KEY, -- container.object_id in the last database: the block of its entries
    old_id       INTEGER NOT NULL, -- in the first
    form         TEXT NOT NULL,    -- as in container
    header       INTEGER NOT NULL, -- address of the container's own words
    holder_id    INTEGER,          -- object.id in the last database of what they lie in; NULL: a variable
    path         TEXT,             -- retention path of the block
    old_used     INTEGER NOT NULL, -- bytes in use (hash table: entries) in the first dump
    new_used     INTEGER NOT NULL, -- in the last
    old_capacity INTEGER NOT NULL, -- bytes (entries) that there was room for in the first
    new_capacity INTEGER NOT NULL  -- in the last
);

-- Objects that the last dump has and the first one has not. With -o only.
CREATE TABLE new_object (
    id        INTEGER PRIMARY KEY, -- object.id in the last database
    holder_id INTEGER              -- holder.new_id; NULL: nothing that is reachable holds it
);

-- Objects that the first dump had and the last one has not. With -o only.
CREATE TABLE gone_object (
    id INTEGER PRIMARY KEY -- object.id in the first database
);

-- What grew, and what shrank, in words: of a path, `place` is 1 where growth begins, and then the all_ columns
-- have what hangs off it, too.
CREATE VIEW growth_view AS
SELECT g.kind, i.name, i.type, g.new_objects - g.old_objects AS objects, g.new_bytes - g.old_bytes AS bytes,
       g.old_objects, g.new_objects, g.old_bytes, g.new_bytes, g.rises, g.falls, g.slope, g.point AS place,
       g.all_objects, g.all_bytes
FROM growth g JOIN item i ON i.id = g.item_id;
