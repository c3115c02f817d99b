/* The rows that there are, oldest first. */
#include "layout/cpython_impl.h"

const struct cpython_layout *const cpython_layouts[] = {
	&cpython_2_7,  &cpython_3_6,  &cpython_3_7,  &cpython_3_8,  &cpython_3_9,  &cpython_3_10,
	&cpython_3_11, &cpython_3_12, &cpython_3_13, &cpython_3_14, &cpython_3_15,
};
const unsigned cpython_nlayouts = sizeof(cpython_layouts) / sizeof(cpython_layouts[0]);

/* A version whose objects are known, but not what they refer to: all of it is scanned. */
const struct cpython_slot cpython_slots_unknown[] = {{.type = NULL}};
const struct cpython_visit_layout cpython_visit_unknown = {
	.instances_visit_type = true,
	.dict_visits_inline_since = CPYTHON_NEVER,
	.code_nlocals = CPYTHON_NONE,
	.code_varnames = CPYTHON_NONE,
	.code_cellvars = CPYTHON_NONE,
	.code_freevars = CPYTHON_NONE,
	.code_nlocalsplus = CPYTHON_NONE,
	.code_localsplusnames = CPYTHON_NONE,
	.code_cached = CPYTHON_NONE,
	.frame_code = CPYTHON_NONE,
	.frame_valuestack = CPYTHON_NONE,
	.frame_stacktop = CPYTHON_NONE,
	.frame_stackdepth = CPYTHON_NONE,
	.frame_localsplus = CPYTHON_NONE,
	.frame_iframe = CPYTHON_NONE,
	.iframe_code = CPYTHON_NONE,
	.iframe_function = CPYTHON_NONE,
	.iframe_globals = CPYTHON_NONE,
	.iframe_builtins = CPYTHON_NONE,
	.iframe_locals = CPYTHON_NONE,
	.iframe_object = CPYTHON_NONE,
	.iframe_stacktop = CPYTHON_NONE,
	.iframe_stackpointer = CPYTHON_NONE,
	.iframe_owner = CPYTHON_NONE,
	.iframe_localsplus = CPYTHON_NONE,
	.generator_state = CPYTHON_NONE,
	.generator_iframe = CPYTHON_NONE,
	.deque_left = CPYTHON_NONE,
	.deque_leftindex = CPYTHON_NONE,
	.deque_nfree = CPYTHON_NONE,
	.deque_free = CPYTHON_NONE,
	.deque_weakrefs = CPYTHON_NONE,
	.block_data = CPYTHON_NONE,
	.block_right = CPYTHON_NONE,
	.odict_first = CPYTHON_NONE,
	.odict_node_key = CPYTHON_NONE,
	.odict_node_next = CPYTHON_NONE,
	.lru_root = CPYTHON_NONE,
	.lru_next = CPYTHON_NONE,
	.lru_key = CPYTHON_NONE,
	.lru_result = CPYTHON_NONE,
	.tee_values = CPYTHON_NONE,
	.tee_numread = CPYTHON_NONE,
	.hamt_array = CPYTHON_NONE,
};
