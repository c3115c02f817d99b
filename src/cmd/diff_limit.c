/* diff: --fail-on, a test of what grew. */
#include "cmd/diff_impl.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static struct error *limit_wrong(const char *text)
{
	return error_new(ERROR_USAGE,
			 "--fail-on %s: expected growth=SIZE (10M, 512K) or growth=PERCENT (5%%), "
			 "leaks, cycles, refcount",
			 text);
}

static struct error *limit_growth(const char *text, const char *whole, struct diff_limit *ret)
{
	static const char unit[] = "KMGT";
	char *end = NULL;
	ret->growth = true;
	if (!*text)
		return NULL;
	errno = 0;
	ret->value = strtod(text, &end);
	if (end == text || errno || !(ret->value >= 0) || !isdigit((unsigned char)*text))
		return limit_wrong(whole);
	const char *u = *end ? strchr(unit, toupper((unsigned char)*end)) : NULL;
	if (*end == '%') {
		ret->percent = true;
		end++;
	} else if (u) {
		ret->value *= (double)(UINT64_C(1) << 10 * (unsigned)(u - unit + 1));
		end++;
		if (!strcmp(end, "iB") || !strcmp(end, "B"))
			end += strlen(end);
	}
	return *end ? limit_wrong(whole) : NULL;
}

struct error *diff_limit_parse(struct cmd_context *ctx, const char *text, struct diff_limit *ret)
{
	*ret = (struct diff_limit){0};
	for (const char *at = text; at && *at;) {
		size_t len = strcspn(at, ",");
		const char *one = region_strndup(&ctx->region, at, len);
		if (!one)
			return &error_nomem;
		if (!strcmp(one, "leaks")) {
			ret->leaks = true;
		} else if (!strcmp(one, "cycles")) {
			ret->cycles = true;
		} else if (!strcmp(one, "refcount")) {
			ret->refcount = true;
		} else if (!strcmp(one, "growth") || !strncmp(one, "growth=", 7)) {
			struct error *err = limit_growth(one[6] ? one + 7 : "", text, ret);
			if (err)
				return err;
		} else {
			return limit_wrong(text);
		}
		at += len + (at[len] == ',');
	}
	return NULL;
}

static struct error *items_more(struct diff *d, const char *kind, struct cmd_row *ret)
{
	_cleanup_stmt_ sqlite3_stmt *stmt = NULL;
	bool found;
	struct error *err = cmd_prepare(d->ctx, "growth/items_total.sql", 0, &stmt);
	if (err)
		return err;
	cmd_bind_text(stmt, ":kind", kind);
	return cmd_row(d->ctx, stmt, ret, &found);
}

struct error *diff_limit_check(struct diff *d, const struct diff_limit *limit)
{
	const struct {
		bool wanted;
		const char *kind;
	} more[] = {{limit->leaks, "leak"}, {limit->cycles, "garbage"}, {limit->refcount, "count"}};
	/* what cannot be read grows, too; that it shrinks does not make up for anything */
	double unread = d->new_unread > d->old_unread ? (double)(d->new_unread - d->old_unread) : 0;
	double growth = (double)(d->new_bytes - d->old_bytes) + unread;
	double before = (double)d->old_bytes + (double)d->old_unread;
	if (limit->growth && limit->percent)
		d->ctx->condition |= growth > 0 && 100 * growth >= limit->value * before;
	else if (limit->growth && limit->value > 0)
		d->ctx->condition |= growth >= limit->value;
	else if (limit->growth)
		d->ctx->condition |= d->grown > 0 || d->unread_grew;
	for (unsigned i = 0; i < sizeof(more) / sizeof(*more); i++) {
		struct cmd_row row;
		if (!more[i].wanted)
			continue;
		struct error *err = items_more(d, more[i].kind, &row);
		if (err)
			return err;
		d->ctx->condition |= cmd_row_int(&row, "more") > 0;
	}
	return NULL;
}
