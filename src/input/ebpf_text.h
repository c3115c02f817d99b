/*
 * ebpf_text: a frame of a stack as bcc, libbpf-tools and bpftrace write it.
 *
 *	main+0x6d [allocs]				bcc before 0.20
 *	0x000055d7050e62a0<tab>main+0x6d [allocs]
 *	0x00007f6e6d64b830<tab>[unknown] [libx.so]
 *	0 [<000055d7050e62a0>] main+0x6d [allocs]	libbpf-tools
 *	1 [<000055d7050e62a0>] main+0x6d allocs.c:12	with blazesym
 *	2 [<00007f6e6d64b830>] [libx.so]
 *	3 [<0000000000000001>] <null sym>
 *	4 [<000055d7050e62a0>] (2 entries)		no frame: those come next
 *	get@0x55d7050e6200 get.c:7			one of them
 *	main+109					bpftrace
 *	0x7f4abc4ae7e0					no symbol
 *	7f6096b97109 main+20 (/usr/bin/app)		ustack(perf)
 */
#pragma once

#include "input/stack_text.h"

/* Is it one of ustack(perf)? */
bool ebpf_text_is_perf(struct word w);
/* Adds it to the stack of s, if it is one. Errors are those of trace.h. */
struct error *ebpf_text_frame(struct stack_text *s, struct word w) _must_check_;
