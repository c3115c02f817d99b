/*
 * bench_graph: what the graph analyses cost on a random graph, without a dump.
 *
 *	bench_graph [OBJECTS [REFERENCES [ROOTS]]]	default 1000000, twice and a thousandth of
 *that
 *
 * Sizes are 16 to 400 bytes, references go from anywhere to anywhere, roots point to objects at
 *equal distances. Prints seconds of each step, and their ratio to B: one thread summing the 64-bit
 *words of a mapping of 2 GB, warm; and resident memory, where the issue allows 80 bytes per object
 *and 8 per reference for everything.
 */
#include "analysis/analysis.h"
#include "base/log.h"
#include "snapshot/snapshot.h"

#include "../unit/random_graph.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

enum { WORDS = 1 << 28 }; /* 2 GB */

static double now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* A line of /proc/self/status, in MiB. */
static double status_mib(const char *name)
{
	FILE *f = fopen("/proc/self/status", "re");
	char line[256];
	unsigned long kib = 0;
	while (f && fgets(line, sizeof(line), f))
		if (!strncmp(line, name, strlen(name)))
			kib = strtoul(line + strlen(name) + 1, NULL, 10);
	if (f)
		fclose(f);
	return (double)kib / 1024;
}

/* So that VmHWM is the peak of one step. */
static void peak_reset(void)
{
	FILE *f = fopen("/proc/self/clear_refs", "we");
	if (!f)
		return;
	fputs("5\n", f);
	fclose(f);
}

static double yardstick(void)
{
	uint64_t *word = mmap(NULL, (size_t)WORDS * 8, PROT_READ | PROT_WRITE,
			      MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	if (word == MAP_FAILED)
		return 0;
	memset(word, 1, (size_t)WORDS * 8);
	double best = 0;
	for (int round = 0; round < 3; round++) {
		double start = now();
		uint64_t sum = 0;
		for (uint64_t i = 0; i < WORDS; i++)
			sum += word[i];
		__asm__ volatile("" : : "r"(sum));
		double took = now() - start;
		best = !round || took < best ? took : best;
	}
	munmap(word, (size_t)WORDS * 8);
	return best;
}

static void die(struct error *err)
{
	fprintf(stderr, "bench_graph: %s\n", err->message);
	exit(2);
}

static void *must(void *p)
{
	if (!p)
		die(&error_nomem);
	return p;
}

static void make(struct snapshot *s, uint32_t n, uint64_t m, uint32_t roots)
{
	struct object_table *o = &s->object;
	struct edge_table *e = &s->edge;
	uint64_t seed = 42, address = 0x10000;
	o->n = n;
	e->n = m;
	o->address = must(malloc(n * sizeof(*o->address)));
	o->size = must(malloc(n * sizeof(*o->size)));
	o->arena_id = must(calloc(n, sizeof(*o->arena_id)));
	o->type_id = must(calloc(n, sizeof(*o->type_id)));
	e->first = must(calloc((size_t)n + 1, sizeof(*e->first)));
	e->dst = must(malloc(m * sizeof(*e->dst)));
	e->where = must(malloc(m * sizeof(*e->where)));
	for (uint32_t i = 0; i < n; i++) {
		o->size[i] = (1 + random_below(&seed, 25)) * 16;
		o->address[i] = address;
		address += o->size[i] + 16;
	}
	for (uint64_t k = 0; k < m; k++)
		e->first[random_below(&seed, n) + 1]++;
	for (uint32_t i = 0; i < n; i++)
		e->first[i + 1] += e->first[i];
	for (uint64_t k = 0; k < m; k++) {
		e->dst[k] = (uint32_t)random_below(&seed, n) + 1;
		e->where[k] = edge_where_pack(random_below(&seed, 50) ? EDGE_START : EDGE_INTERIOR,
					      random_below(&seed, 4) * 8, 8);
	}
	for (uint32_t i = 0; i < roots; i++) {
		struct root_row row = {
			.object_id = (uint32_t)((uint64_t)i * n / roots) + 1,
			.grade = (uint8_t)(ROOT_GLOBAL + i % (ROOT_GRADES - ROOT_GLOBAL)),
		};
		struct error *err = vec_push(&s->root, row);
		if (err)
			die(err);
	}
}

int main(int argc, char **argv)
{
	uint32_t n = argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 0) : 1000000;
	uint64_t m = argc > 2 ? strtoull(argv[2], NULL, 0) : (uint64_t)n * 2;
	uint32_t roots = argc > 3 ? (uint32_t)strtoul(argv[3], NULL, 0) : n / 1000;
	double b = yardstick();
	struct damage_log damage = {0};
	struct log log;
	log_init(&log, LOG_DEBUG);
	struct snapshot *s = NULL;
	struct error *err = snapshot_create(NULL, &damage, &s);
	if (err)
		die(err);
	make(s, n, m, roots);
	printf("%" PRIu32 " objects, %" PRIu64 " references, %" PRIu32 " roots; B = %.3f s\n", n, m,
	       roots, b);
	peak_reset();
	double before = status_mib("VmRSS"), start = now();
	err = analysis_graph(s, &log);
	if (err)
		die(err);
	double took = now() - start, peak = status_mib("VmHWM"), after = status_mib("VmRSS");
	printf("%.3f s, %.1f B; resident %.1f MiB before, %.1f at the peak, %.1f after; %.1f bytes "
	       "per "
	       "object beside 8 per reference\n",
	       took, took / b, before, peak, after, (peak * 1048576 - 8 * (double)m) / n);
	snapshot_destroy(s);
	return 0;
}
