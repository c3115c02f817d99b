/* snapshot_impl: what the files of this folder share. */
#pragma once

#include "snapshot/snapshot.h"

/*
 * The locator: ranges of address space that hold blocks close together, each with a table of pages
 * (1 << page_shift bytes). first[p] is the index of the first block whose address is at or behind
 * the start of page p; first has one entry more than there are pages.
 *
 *	range   |----------------------------------------|
 *	page    |    0    |    1    |    2    |    3    |
 *	blocks    [==] [=====] [=][=======================]
 *	first     0         2     (3)       4        4   4
 *
 * Cost: 4 bytes a page; there are about as many pages as blocks.
 */
struct snapshot_page_range {
	uint64_t start, end;
	uint32_t *first;
};

struct error *snapshot_locator_init(struct snapshot *s) _must_check_;
void snapshot_locator_deinit(struct snapshot *s);
