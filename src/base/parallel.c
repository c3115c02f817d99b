#include "base/parallel.h"

#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <stdlib.h>

enum { PARALLEL_MAX = 64 };

struct parallel_task {
	pthread_t thread;
	bool started;
	parallel_fn fn;
	void *arg;
	unsigned slice;
	uint64_t first, end;
	struct error *err;
};

unsigned parallel_slices(uint64_t n, uint64_t grain)
{
	cpu_set_t set;
	unsigned cpus = 1;
	if (!sched_getaffinity(0, sizeof(set), &set))
		cpus = (unsigned)CPU_COUNT(&set);
	if (cpus > PARALLEL_MAX)
		cpus = PARALLEL_MAX;
	uint64_t most = grain ? n / grain : n;
	if (most < 1)
		most = 1;
	return most < cpus ? (unsigned)most : cpus;
}

static void *parallel_run(void *arg)
{
	struct parallel_task *t = arg;
	t->err = t->fn(t->arg, t->slice, t->first, t->end);
	return NULL;
}

static struct error *parallel_all(struct parallel_task *task, unsigned n)
{
	for (unsigned i = 1; i < n; i++)
		task[i].started = !pthread_create(&task[i].thread, NULL, parallel_run, &task[i]);
	parallel_run(&task[0]);
	for (unsigned i = 1; i < n; i++) {
		if (task[i].started)
			pthread_join(task[i].thread, NULL);
		else
			parallel_run(&task[i]);
	}
	struct error *err = NULL;
	for (unsigned i = 0; i < n; i++) {
		if (!err)
			err = task[i].err;
		else
			error_free(task[i].err);
	}
	return err;
}

struct error *parallel_for(uint64_t n, unsigned slices, parallel_fn fn, void *arg)
{
	struct parallel_task task[PARALLEL_MAX];
	if (slices < 1)
		slices = 1;
	if (slices > PARALLEL_MAX)
		slices = PARALLEL_MAX;
	for (unsigned i = 0; i < slices; i++)
		task[i] = (struct parallel_task){
			.fn = fn,
			.arg = arg,
			.slice = i,
			.first = n / slices * i + (n % slices < i ? n % slices : i),
			.end = n / slices * (i + 1) + (n % slices < i + 1 ? n % slices : i + 1),
		};
	return parallel_all(task, slices);
}

struct error *parallel_jobs(unsigned n, const parallel_fn *fn, void *const *arg)
{
	struct parallel_task task[PARALLEL_MAX];
	for (unsigned i = 0; i < n && i < PARALLEL_MAX; i++)
		task[i] = (struct parallel_task){.fn = fn[i], .arg = arg[i], .slice = i};
	return parallel_all(task, n < PARALLEL_MAX ? n : PARALLEL_MAX);
}
