/*
 * firstword: the first words of untyped blocks that point into a module.
 *
 * A vtable, a table of operations, a type descriptor: what a block begins with often says what it
 * is, and few words are shared by many blocks. So the distinct words are gathered first (in
 * parallel), each is looked into once, and the answer goes to all its blocks.
 *
 * Cost: 4 bytes a block and 16 a distinct word, until first_words_deinit.
 */
#pragma once

#include "runtime/runtime.h"

struct first_words {
	uint64_t *value; /* distinct, ascending */
	uint32_t n;
	uint32_t *of; /* of each object (index): index into value, plus one; 0: none */
};

struct error *first_words_find(struct runtime_context *ctx, struct first_words *ret) _must_check_;
void first_words_deinit(struct first_words *fw);
