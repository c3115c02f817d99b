#include "base/damage.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

/*
 * Names in the text may come from the dump, and it is printed on terminals and put one to a line:
 * control bytes become '?', as ls(1) shows them.
 */
static void damage_clean(char *text)
{
	for (unsigned char *p = (unsigned char *)text; *p; p++)
		if (*p < 0x20 || *p == 0x7f)
			*p = '?';
}

__attribute__((format(printf, 5, 0))) static void damage_put(struct damage_log *log,
							     enum damage_kind kind,
							     uint64_t address, uint64_t culprit,
							     const char *fmt, va_list ap)
{
	if (log->count[kind]++ >= DAMAGE_KEPT)
		return;
	if (log->n == log->room) {
		uint64_t room = log->room ? log->room * 2 : 16;
		struct damage *at = realloc(log->at, room * sizeof(*at));
		if (!at)
			return;
		log->at = at;
		log->room = room;
	}
	char *text = NULL;
	if (vasprintf(&text, fmt, ap) < 0)
		return;
	damage_clean(text);
	log->at[log->n++] = (struct damage){kind, address, culprit, text};
}

void damage_add(struct damage_log *log, enum damage_kind kind, uint64_t address, const char *fmt,
		...)
{
	va_list ap;
	va_start(ap, fmt);
	damage_put(log, kind, address, 0, fmt, ap);
	va_end(ap);
}

void damage_add_culprit(struct damage_log *log, enum damage_kind kind, uint64_t address,
			uint64_t culprit, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	damage_put(log, kind, address, culprit, fmt, ap);
	va_end(ap);
}

void damage_deinit(struct damage_log *log)
{
	for (uint64_t i = 0; i < log->n; i++)
		free(log->at[i].text);
	free(log->at);
	*log = (struct damage_log){0};
}
