/*
 * log: what goes to stderr, through a context that is passed along.
 *
 * stdout is the answer; everything else comes here: "heapscan: warning: FILE: what, where, what it
 * means for you". Progress is drawn on a terminal only, one line that overwrites itself; a message
 * clears it first. Calls are safe from several threads.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum log_level {
	LOG_ERROR,
	LOG_WARNING,
	LOG_INFO,  /* -v */
	LOG_DEBUG, /* -vv */
};

struct log {
	enum log_level level; /* the most talkative level that is shown */
	bool progress;	      /* stderr is a terminal, and nobody said --quiet */
	bool drawn;	      /* a progress line stands there now */
	uint64_t last_drawn;  /* milliseconds */
};

void log_init(struct log *log, enum log_level level);
void log_msg(struct log *log, enum log_level level, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

#define log_error(log, ...) log_msg((log), LOG_ERROR, __VA_ARGS__)
#define log_warning(log, ...) log_msg((log), LOG_WARNING, __VA_ARGS__)
#define log_info(log, ...) log_msg((log), LOG_INFO, __VA_ARGS__)
#define log_debug(log, ...) log_msg((log), LOG_DEBUG, __VA_ARGS__)

/* "phase  42 %"; total 0: unknown, `done` is shown as bytes. Cheap: draws at most ten times a second. */
void log_progress(struct log *log, const char *phase, uint64_t done, uint64_t total);
void log_progress_end(struct log *log);
