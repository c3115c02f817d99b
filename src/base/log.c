#include "base/log.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

/* Guards the terminal, not our state: there is one stderr in a process. */
static pthread_mutex_t log_lock = PTHREAD_MUTEX_INITIALIZER;

void log_init(struct log *log, enum log_level level)
{
	*log = (struct log){.level = level, .progress = isatty(STDERR_FILENO)};
}

static void log_clear(struct log *log)
{
	if (log->drawn)
		fputs("\r\033[K", stderr);
	log->drawn = false;
}

/* A name in a message may come from the dump: control bytes do not reach the terminal. */
__attribute__((format(printf, 1, 0))) static void log_print(const char *fmt, va_list ap)
{
	char *text = NULL;
	if (vasprintf(&text, fmt, ap) < 0) {
		fputs("(out of memory)", stderr);
		return;
	}
	for (const unsigned char *p = (const unsigned char *)text; *p; p++) {
		if ((*p < 0x20 && *p != '\n' && *p != '\t') || *p == 0x7f)
			fprintf(stderr, "\\x%02x", *p);
		else
			fputc(*p, stderr);
	}
	free(text);
}

void log_msg(struct log *log, enum log_level level, const char *fmt, ...)
{
	static const char *const word[] = {"error: ", "warning: ", "", ""};
	if (level > log->level)
		return;
	pthread_mutex_lock(&log_lock);
	log_clear(log);
	fprintf(stderr, "heapscan: %s", word[level]);
	va_list ap;
	va_start(ap, fmt);
	log_print(fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	pthread_mutex_unlock(&log_lock);
}

static uint64_t log_now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

void log_progress(struct log *log, const char *phase, uint64_t done, uint64_t total)
{
	if (!log->progress)
		return;
	uint64_t now = log_now();
	if (now - log->last_drawn < 100)
		return;
	pthread_mutex_lock(&log_lock);
	log->last_drawn = now;
	if (total)
		fprintf(stderr, "\r\033[K%s  %" PRIu64 " %%", phase,
			total >= 100 ? done / (total / 100) : done * 100 / total);
	else
		fprintf(stderr, "\r\033[K%s  %" PRIu64 " MB", phase, done >> 20);
	fflush(stderr);
	log->drawn = true;
	pthread_mutex_unlock(&log_lock);
}

void log_progress_end(struct log *log)
{
	pthread_mutex_lock(&log_lock);
	log_clear(log);
	pthread_mutex_unlock(&log_lock);
}
