/*
 * bench_store: the bulk writer against the ordinary one, in one run.
 *
 *	bench_store [OBJECTS [REFERENCES [FOLDER]]]	(1,000,000, twice that, /tmp)
 *
 * Prints seconds, rows and bytes a second, the ratio, and peak memory beside the snapshot. OBJECTS
 *with a leading '-' leaves the ordinary path out.
 */
#include "base/log.h"
#include "store/store.h"

#include "store_gen.h"

#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static double now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static double processor_seconds(void)
{
	struct rusage r;
	getrusage(RUSAGE_SELF, &r);
	return (double)(r.ru_utime.tv_sec + r.ru_stime.tv_sec) +
	       (double)(r.ru_utime.tv_usec + r.ru_stime.tv_usec) / 1e6;
}

static double peak_mib(void)
{
	struct rusage r;
	getrusage(RUSAGE_SELF, &r);
	return (double)r.ru_maxrss / 1024;
}

static double run(const struct snapshot *s, const char *path, bool ordinary, bool sync)
{
	struct store_options opt = {.ordinary = ordinary, .no_sync = !sync};
	double start = now(), cpu = processor_seconds(), before = peak_mib();
	struct error *err = store_write(s, path, &opt, NULL);
	if (err) {
		fprintf(stderr, "bench_store: %s\n", err->message);
		exit(2);
	}
	double took = now() - start;
	struct stat st;
	if (stat(path, &st))
		st.st_size = 0;
	double rows = (double)s->object.n + (double)s->edge.n;
	printf("%-9s %-8s %8.2f s  %8.2f s CPU  %10.0f rows/s  %7.0f MB  %6.0f MB/s  peak +%.0f "
	       "MiB\n",
	       ordinary ? "ordinary" : "bulk", sync ? "synced" : "unsynced", took,
	       processor_seconds() - cpu, rows / took, (double)st.st_size / 1e6,
	       (double)st.st_size / 1e6 / took, peak_mib() - before);
	fflush(stdout);
	return took;
}

int main(int argc, char **argv)
{
	const char *objects = argc > 1 ? argv[1] : "1000000";
	bool bulk_only = *objects == '-';
	struct gen_options o = {.seed = 1, .types = 300, .text_max = 40, .plain = true};
	o.objects = (uint32_t)strtoul(objects + bulk_only, NULL, 10);
	o.references = argc > 2 ? strtoull(argv[2], NULL, 10) : 2 * (uint64_t)o.objects;
	o.roots = o.objects / 100;
	o.frees = o.objects / 10;
	o.clusters = o.objects / 1000;
	struct image img = {.word_size = 8};
	struct snapshot *s = gen_snapshot(&o, &img);
	char path[500];
	snprintf(path, sizeof(path), "%s/bench_store.%d.db", argc > 3 ? argv[3] : "/tmp", getpid());
	printf("%u objects, %llu references; snapshot %.0f MiB\n", o.objects,
	       (unsigned long long)o.references, peak_mib());
	double bulk = run(s, path, false, false);
	run(s, path, false, true);
	if (!bulk_only)
		printf("ratio ordinary/bulk: %.1f\n", run(s, path, true, false) / bulk);
	if (!getenv("BENCH_KEEP"))
		unlink(path);
	gen_destroy(s, &img);
	return 0;
}
