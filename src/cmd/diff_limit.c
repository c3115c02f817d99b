/* diff_limit_parse: see diff_impl.h. */
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
