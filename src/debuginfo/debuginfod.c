#include "debuginfo/debuginfod.h"

#include <dlfcn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/*
 * The library's interface, elfutils 0.178 debuginfod/debuginfod.h (the progress callback and the
 * user pointer came with 0.179 and 0.180). Its header is in a package of its own that we do
 * without.
 */
typedef void client;
typedef int (*progress_fn)(client *, long, long);
typedef int (*find_fn)(client *, const unsigned char *, int, char **);
typedef client *(*begin_fn)(void);
typedef void (*end_fn)(client *);
typedef void (*set_progress_fn)(client *, progress_fn);
typedef void (*set_user_fn)(client *, void *);
typedef void *(*get_user_fn)(client *);

enum { DEBUGINFOD_ID_MAX = 64 };

struct debuginfod {
	void *lib;
	client *client;
	end_fn end;
	find_fn find_executable, find_debuginfo;
	struct log *log;
	unsigned seconds;
	uint64_t deadline; /* seconds of CLOCK_MONOTONIC, of the question in flight */
	bool late;	   /* it went past the deadline */
	bool heard;	   /* bytes came */
	bool mute;	   /* a server let a whole wait pass without a byte: no more questions */
};

static uint64_t debuginfod_now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec;
}

static int debuginfod_progress(client *c, long done, long total);

struct debuginfod *debuginfod_open(unsigned seconds, struct log *log)
{
	const char *urls = getenv("DEBUGINFOD_URLS");
	if (!urls || !urls[strspn(urls, " ")]) {
		log_warning(log, "--debuginfod: DEBUGINFOD_URLS names no server, none is asked");
		return NULL;
	}
	struct debuginfod *d = calloc(1, sizeof(*d));
	if (!d)
		return NULL;
	d->log = log;
	d->seconds = seconds ? seconds : 60;
	/* It stays: what it loads in turn (libcurl, TLS) keeps memory that only it can find. */
	d->lib = dlopen("libdebuginfod.so.1", RTLD_LAZY | RTLD_LOCAL | RTLD_NODELETE);
	if (!d->lib) {
		log_warning(log, "--debuginfod: %s", dlerror());
		free(d);
		return NULL;
	}
	begin_fn begin = (begin_fn)dlsym(d->lib, "debuginfod_begin");
	set_progress_fn set_progress = (set_progress_fn)dlsym(d->lib, "debuginfod_set_progressfn");
	set_user_fn set_user = (set_user_fn)dlsym(d->lib, "debuginfod_set_user_data");
	bool get_user = dlsym(d->lib, "debuginfod_get_user_data");
	d->end = (end_fn)dlsym(d->lib, "debuginfod_end");
	d->find_executable = (find_fn)dlsym(d->lib, "debuginfod_find_executable");
	d->find_debuginfo = (find_fn)dlsym(d->lib, "debuginfod_find_debuginfo");
	/* Without the progress function a wait could be neither shown nor ended. */
	if (begin && set_progress && set_user && get_user && d->end && d->find_executable &&
	    d->find_debuginfo)
		d->client = begin();
	if (!d->client) {
		log_warning(log,
			    "--debuginfod: this libdebuginfod cannot be used (older than 0.180)");
		debuginfod_close(d);
		return NULL;
	}
	set_user(d->client, d);
	set_progress(d->client, debuginfod_progress);
	return d;
}

void debuginfod_close(struct debuginfod *d)
{
	if (!d)
		return;
	if (d->client)
		d->end(d->client);
	dlclose(d->lib);
	free(d);
}

/* The one that this client belongs to; the library keeps the pointer, and is loaded by now. */
static struct debuginfod *debuginfod_of(client *c)
{
	void *lib = dlopen("libdebuginfod.so.1", RTLD_LAZY | RTLD_LOCAL | RTLD_NOLOAD);
	if (!lib)
		return NULL;
	get_user_fn get = (get_user_fn)dlsym(lib, "debuginfod_get_user_data");
	struct debuginfod *d = get ? get(c) : NULL;
	dlclose(lib);
	return d;
}

/* Called by the library while it waits, about once a second; not 0 ends the wait. */
static int debuginfod_progress(client *c, long done, long total)
{
	struct debuginfod *d = debuginfod_of(c);
	if (!d)
		return 1;
	d->late = debuginfod_now() >= d->deadline;
	d->heard |= done > 0;
	log_progress(d->log, "asking debuginfod", done > 0 ? (uint64_t)done : 0,
		     total > 0 ? (uint64_t)total : 0);
	return d->late;
}

static int debuginfod_find(struct debuginfod *d, find_fn find, const uint8_t *build_id,
			   uint32_t len, char **path)
{
	char hex[2 * DEBUGINFOD_ID_MAX + 1];
	if (path)
		*path = NULL;
	/* The length 0 would mean that the id is text. */
	if (!d || d->mute || !len || len > DEBUGINFOD_ID_MAX)
		return -1;
	for (uint32_t i = 0; i < len; i++)
		snprintf(hex + 2 * i, 3, "%02x", build_id[i]);
	d->deadline = debuginfod_now() + d->seconds;
	d->late = d->heard = false;
	log_info(d->log, "asking debuginfod for build id %s", hex);
	int fd = find(d->client, build_id, (int)len, path);
	log_progress_end(d->log);
	d->mute = d->late && !d->heard && fd < 0;
	if (d->late)
		log_warning(d->log, "debuginfod: gave up on build id %s after %u s%s", hex,
			    d->seconds, d->mute ? " of silence; no more is asked" : "");
	else if (fd < 0)
		log_info(d->log, "debuginfod: build id %s: %s", hex, strerror(-fd));
	return fd < 0 ? -1 : fd;
}

int debuginfod_executable(struct debuginfod *d, const uint8_t *build_id, uint32_t len, char **path)
{
	return debuginfod_find(d, d ? d->find_executable : NULL, build_id, len, path);
}

int debuginfod_debug_file(struct debuginfod *d, const uint8_t *build_id, uint32_t len, char **path)
{
	return debuginfod_find(d, d ? d->find_debuginfo : NULL, build_id, len, path);
}
