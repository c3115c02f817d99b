/*
 * analysis: conclusions from the sealed graph. Reads objects, references and roots; writes the columns
 * and tables named below; looks at no byte of the dump (but ledger.c, which asks what is present, and trim.c, which asks
 * whether a free page was ever written to).
 *
 * All of it is linear in objects and references, iterative (no recursion: the graph is hostile too),
 * and deterministic: the same rows for the same input, whatever the number of processors.
 */
#pragma once

#include "base/error.h"
#include "base/log.h"
#include "snapshot/snapshot.h"

/*
 * CPython's cyclic garbage, exactly as gc.collect() would find it: object.flags and the garbage
 * vector. Before analysis_graph, for which a word that points from elsewhere to what is proven to
 * be dead leads nowhere: then object.reachable of the dead is 0. See pygc.c.
 */
struct error *analysis_pygc(struct snapshot *s, struct log *log) _must_check_;

/*
 * For a database that strangers may see: object.shown, from which contents and keys are gone. Before
 * analysis_graph, which writes keys into paths. See redact.c.
 */
struct error *analysis_redact(struct snapshot *s, struct log *log) _must_check_;

/*
 * cluster.collectable and .culprit_id of what no root leads to and a collector has a part in; finding
 * rows for cycles that it does not free. After analysis_graph. See pygc_unseen.c.
 */
struct error *analysis_pygc_unseen(struct snapshot *s, struct log *log) _must_check_;

/* refcount_error rows: counts that no reference explains. See refcounts.c. */
struct error *analysis_refcounts(struct snapshot *s, struct log *log) _must_check_;

/* holder and held rows: objects that only native code keeps alive. After analysis_pygc. See
 * native_held.c. */
struct error *analysis_native_held(struct snapshot *s, struct log *log) _must_check_;

/*
 * All that follows from the references and roots alone, in one call, as its parts share work and run
 * side by side. Makes the backward references, too, where they are missing.
 *
 * object.reachable and object.grade:
 *	reachable  1: a root's START word leads to it over START edges; 2: only with the help of an
 *	           INTERIOR, TAGGED or MISALIGNED word somewhere on the way; 0: nothing does.
 *	grade      the best g such that it can be reached (over any edge) from roots of grade <= g.
 * So "lost for certain" is reachable = 0, "lost if the weak roots are stale" is that or
 * grade >= ROOT_WEAK_FROM. Weak references (kind 2) lead nowhere.
 *
 * object.dominator and object.retained, for every object. The virtual root points to what the roots
 * point to, and to the head of every leak cluster.
 *
 * cluster and member rows. `leak`: every unreachable object is in exactly one; a cluster is a source
 * component of the unreachable graph (its head: the one object; on a cycle a typed one, best of
 * the program's own types, then the biggest, then the first) and what hangs off it and no earlier cluster took. `cycle`: strongly
 * connected components of more than one object, or self-references, among unreachable objects (any
 * edge but a weak one) and among reachable typed ones (owning edges). More in clusters.c, signatures
 * in clusters_impl.h.
 */
struct error *analysis_graph(struct snapshot *s, struct log *log) _must_check_;

/* suspended rows: chains, lines and nesting. After analysis_graph. */
struct error *analysis_suspended(struct snapshot *s, struct log *log) _must_check_;

/* census rows: how many objects there are of each kind; after all that fills the object columns. */
struct error *analysis_census(struct snapshot *s, struct log *log) _must_check_;

/*
 * biggest rows: of the objects of each type and size those that retain the most; meta `biggest_each`. After
 * analysis_census.
 */
struct error *analysis_biggest(struct snapshot *s, struct log *log) _must_check_;

/* type.retained. After analysis_graph. See types.c. */
struct error *analysis_types(struct snapshot *s, struct log *log) _must_check_;

/* shape rows: clusters of one signature folded together, by kind, the most bytes first. */
struct error *analysis_shapes(struct snapshot *s, struct log *log) _must_check_;

/* ledger rows: for each segment, rows that add up to its length exactly. */
struct error *analysis_ledger(struct snapshot *s, struct log *log) _must_check_;

/*
 * trim rows: what would go back to the system if the allocator were asked (malloc_trim(0)); pin rows:
 * which blocks keep the rest. See trim.c.
 */
struct error *analysis_trim(struct snapshot *s, struct log *log) _must_check_;

/*
 * saving rows: what one copy of equal contents, and containers no larger than they need be, would save.
 * After analysis_graph and analysis_pygc: what is garbage, or lost, is another matter. See savings.c.
 */
struct error *analysis_savings(struct snapshot *s, struct log *log) _must_check_;

/* owner_id of containers' memory: last, for counts are of blocks. See owners.c. */
struct error *analysis_owners(struct snapshot *s, struct log *log) _must_check_;

/* finding rows: leaks, cycles, damage, what was missing. Most important first. */
struct error *analysis_findings(struct snapshot *s, struct log *log) _must_check_;
