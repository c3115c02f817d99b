#include "report/report.h"

#include "base/cleanup.h"
#include "base/short_name.h"
#include "base/utf8.h"
#include "base/vec.h"
#include "report/text.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <math.h>
#include <stdarg.h>
#include <string.h>

enum {
	COLUMNS_MAX = 200,
	CUT_LEAST = 10,
	GAP = 2,
	PIPE_MOST = 60, /* columns kept for a text, where nothing is cut */
};

struct cell {
	const char *text; /* escaped */
	size_t width;
};

struct report_table {
	const struct report_column *column;
	unsigned ncolumn;
	int from[COLUMNS_MAX]; /* column of the statement */
	size_t width[COLUMNS_MAX];
	bool right[COLUMNS_MAX];
	bool hidden[COLUMNS_MAX];
	struct region region;
	VEC(struct cell) cell; /* rows that wait for the widths */
	bool flushed;
};

void report_begin(struct report *rep, const char *command)
{
	rep->fields = 0;
	if (rep->json) {
		fputc('{', rep->out);
		report_string(rep, "command", command);
	}
}

struct error *report_end(struct report *rep)
{
	if (rep->json)
		fputs("}\n", rep->out);
	return report_flush(rep);
}

struct error *report_flush(struct report *rep)
{
	errno = 0;
	if (fflush(rep->out) || ferror(rep->out))
		return error_errno(ERROR_SYSTEM, errno ? errno : EIO, "cannot write the output");
	return NULL;
}

/* ---- JSON ---- */

static void json_key(struct report *rep, const char *key)
{
	if (rep->fields++)
		fputs(", ", rep->out);
	fprintf(rep->out, "\"%s\": ", key);
}

/* Takes the value over. NULL: memory was short; the field stays readable as null. */
static void json_value(struct report *rep, json_t *v)
{
	if (!v || json_dumpf(v, rep->out, JSON_ENCODE_ANY | JSON_REAL_PRECISION(6)))
		fputs("null", rep->out);
	json_decref(v);
}

/* What JSON has between quotes as it is. Most texts are; the others go by way of Jansson. */
static bool json_is_plain(const char *s, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (s[i] < 0x20 || s[i] >= 0x7f || s[i] == '"' || s[i] == '\\')
			return false;
	return true;
}

static json_t *json_text(const char *s, size_t len)
{
	if (utf8_valid(s, len))
		return json_stringn_nocheck(s, len);
	_cleanup_free_ char *valid = calloc(len + 1, UTF8_CLEAN_MOST);
	if (!valid)
		return NULL;
	size_t n = utf8_clean(valid, (len + 1) * UTF8_CLEAN_MOST, s, len);
	return json_stringn_nocheck(valid, n);
}

static json_t *json_address(uint64_t address)
{
	char buf[24];
	snprintf(buf, sizeof(buf), "0x%" PRIx64, address);
	return json_string(buf);
}

/* How much of `s` must not be broken: a word, or a whole command. At least a byte of what is not "". */
static size_t text_piece(const char *s, size_t room)
{
	size_t word = strcspn(s, " ");
	if (!strncmp(s + word, " %", 2))
		return word + 1 + strcspn(s + word + 1, " "); /* 54 % */
	if (strncmp(s, "heapscan ", 9))
		return word;
	size_t len = 0;
	char quote = 0;
	for (; s[len] && (quote || !strchr(";,", s[len])); len++)
		if (quote ? s[len] == quote : s[len] == '"' || s[len] == '\'')
			quote = quote ? 0 : s[len];
	len += s[len] != 0; /* the mark goes with it */
	while (len > word && s[len - 1] == ' ')
		len--;
	return len <= room && len > word ? len : word;
}

void report_text(struct report *rep, const char *lead, const char *text)
{
	if (rep->json)
		return;
	const size_t indent = text_width(lead);
	const size_t room = rep->wrap > indent ? rep->wrap - indent : 0;
	size_t used = 0;
	fputs(lead, rep->out);
	while (*text) {
		size_t len = room ? text_piece(text, room) : strlen(text);
		size_t columns = text_width_n(text, len);
		if (used && used + 1 + columns > room) {
			fprintf(rep->out, "\n%*s", (int)indent, "");
			used = 0;
		}
		fprintf(rep->out, "%s%.*s", used ? " " : "", (int)len, text);
		used += columns + (used > 0);
		text += len;
		text += strspn(text, " ");
	}
	fputc('\n', rep->out);
}

void report_int(struct report *rep, const char *key, int64_t value)
{
	if (!rep->json)
		return;
	json_key(rep, key);
	json_value(rep, json_integer(value));
}

void report_string(struct report *rep, const char *key, const char *value)
{
	if (!rep->json)
		return;
	json_key(rep, key);
	json_value(rep, value ? json_text(value, strlen(value)) : json_null());
}

void report_address(struct report *rep, const char *key, uint64_t value)
{
	if (!rep->json)
		return;
	json_key(rep, key);
	json_value(rep, json_address(value));
}

static void json_put_text(struct report *rep, const char *s, size_t len)
{
	if (!s || !json_is_plain(s, len)) {
		json_value(rep, s ? json_text(s, len) : NULL);
		return;
	}
	putc_unlocked('"', rep->out);
	fwrite_unlocked(s, 1, len, rep->out);
	putc_unlocked('"', rep->out);
}

/* There may be millions: what needs no care is written as it is. */
static void json_cell(struct report *rep, sqlite3_stmt *stmt, int i, enum report_kind kind)
{
	char buf[TEXT_NUMBER_MAX];
	switch (sqlite3_column_type(stmt, i)) {
	case SQLITE_INTEGER: {
		const int64_t v = sqlite3_column_int64(stmt, i);
		if (kind == REPORT_ADDRESS)
			json_put_text(rep, buf, strlen(text_address(buf, (uint64_t)v)));
		else
			fputs_unlocked(text_integer(buf, v), rep->out);
		break;
	}
	case SQLITE_FLOAT: {
		double d = sqlite3_column_double(stmt, i);
		json_value(rep, isfinite(d) ? json_real(d) : json_null());
		break;
	}
	case SQLITE_TEXT: {
		const char *s = (const char *)sqlite3_column_text(stmt, i);
		json_put_text(rep, s, (size_t)sqlite3_column_bytes(stmt, i));
		break;
	}
	case SQLITE_BLOB: {
		const char *s = sqlite3_column_blob(stmt, i);
		json_put_text(rep, s ? s : "", (size_t)sqlite3_column_bytes(stmt, i));
		break;
	}
	default:
		fputs_unlocked("null", rep->out);
	}
}

/* A column may be printed twice in text (exact and human); JSON has it once. */
static bool json_is_repeated(const struct report_table *t, unsigned c)
{
	for (unsigned i = 0; i < c; i++)
		if (!strcmp(t->column[i].name, t->column[c].name))
			return true;
	return false;
}

static void json_row(struct report *rep, const struct report_table *t, sqlite3_stmt *stmt)
{
	fputc('{', rep->out);
	rep->fields = 0;
	for (unsigned c = 0; c < t->ncolumn; c++) {
		if (json_is_repeated(t, c))
			continue;
		if (rep->fields++)
			fputs_unlocked(", ", rep->out);
		json_put_text(rep, t->column[c].name, strlen(t->column[c].name));
		fputs_unlocked(": ", rep->out);
		json_cell(rep, stmt, t->from[c], t->column[c].kind);
	}
	fputc('}', rep->out);
}

/* ---- text ---- */

void report_line(struct report *rep, const char *fmt, ...)
{
	if (rep->json)
		return;
	va_list ap;
	va_start(ap, fmt);
	vfprintf(rep->out, fmt, ap);
	va_end(ap);
	fputc('\n', rep->out);
}

void report_heading(struct report *rep, const char *fmt, ...)
{
	if (rep->json)
		return;
	fputs(rep->color ? "\n\033[1m" : "\n", rep->out);
	va_list ap;
	va_start(ap, fmt);
	vfprintf(rep->out, fmt, ap);
	va_end(ap);
	fputs(rep->color ? "\033[0m\n" : "\n", rep->out);
}

const char *report_safe(struct region *region, const char *text, const char *none)
{
	if (!text)
		return none;
	const char *safe = text_escape(region, text, strlen(text));
	return safe ? safe : "?";
}

static const char *text_cell(struct region *region, sqlite3_stmt *stmt, int i,
			     const struct report_column *column)
{
	char buf[TEXT_NUMBER_MAX];
	int type = sqlite3_column_type(stmt, i);
	if (type == SQLITE_NULL)
		return column->null ? column->null : column->kind == REPORT_ANY ? "NULL" : "-";
	if (type == SQLITE_INTEGER) {
		int64_t v = sqlite3_column_int64(stmt, i);
		switch (column->kind) {
		case REPORT_COUNT:
		case REPORT_EXACT:
			return region_strdup(region, text_count(buf, v));
		case REPORT_MORE:
			return region_printf(region, "%s%s", v > 0 ? "+" : "", text_count(buf, v));
		case REPORT_GREW:
			return region_printf(region, "%s%s",
					     v > 0   ? "+"
					     : v < 0 ? "-"
						     : "",
					     text_bytes(buf, v < 0 ? -(uint64_t)v : (uint64_t)v));
		case REPORT_BYTES:
			return region_strdup(region, text_bytes(buf, v < 0 ? 0 : (uint64_t)v));
		case REPORT_ADDRESS:
			return region_strdup(region, text_address(buf, (uint64_t)v));
		case REPORT_ID:
			buf[0] = '#';
			text_integer(buf + 1, v);
			return region_strdup(region, buf);
		case REPORT_SHARE:
			return region_strdup(region, text_share(buf, (double)v, 1));
		case REPORT_TEXT:
		case REPORT_NAME:
		case REPORT_WORD:
		case REPORT_ANY:
			break;
		}
		return region_strdup(region, text_integer(buf, v));
	}
	if (type == SQLITE_FLOAT && column->kind == REPORT_SHARE)
		return region_strdup(region, text_share(buf, sqlite3_column_double(stmt, i), 1));
	const char *s = (const char *)sqlite3_column_text(stmt, i);
	size_t len = s ? (size_t)sqlite3_column_bytes(stmt, i) : 0;
	if (s && column->kind == REPORT_NAME && len <= SHORT_NAME_MAX) {
		char said[SHORT_NAME_MAX + 1];
		if (short_name(s, said))
			return text_escape(region, said, strlen(said));
	}
	return s ? text_escape(region, s, len) : NULL;
}

/* Text that may be cut. */
static bool kind_is_text(enum report_kind kind)
{
	return kind == REPORT_TEXT || kind == REPORT_NAME;
}

static bool kind_is_number(enum report_kind kind)
{
	return !kind_is_text(kind) && kind != REPORT_WORD && kind != REPORT_ANY &&
	       kind != REPORT_ADDRESS;
}

static void print_row(struct report *rep, struct report_table *t, const struct cell *cell,
		      bool is_head)
{
	size_t blanks = 0; /* not yet printed: none are left at the end of a line */
	size_t debt = 0;   /* what an earlier cell took too much */
	bool first = true;
	if (is_head && rep->color)
		fputs("\033[4m", rep->out);
	for (unsigned c = 0; c < t->ncolumn; c++) {
		if (!t->column[c].title || t->hidden[c])
			continue;
		size_t width = cell[c].width;
		blanks += first ? 0 : GAP;
		first = false;
		size_t pad = t->width[c] > width ? t->width[c] - width : 0;
		size_t pay = pad < debt ? pad : debt;
		debt -= pay;
		pad -= pay;
		if (width > t->width[c])
			debt += width - t->width[c];
		if (t->right[c])
			blanks += pad;
		if (width) {
			for (; blanks; blanks--)
				putc_unlocked(' ', rep->out);
			fputs_unlocked(cell[c].text, rep->out);
		}
		if (!t->right[c])
			blanks += pad;
	}
	fputs(is_head && rep->color ? "\033[0m\n" : "\n", rep->out);
}

/* Takes columns from the widest texts until the table fits, or none can give more. */
static void table_fit(const struct report *rep, struct report_table *t)
{
	size_t total = 0;
	for (unsigned c = 0; c < t->ncolumn; c++)
		if (t->column[c].title && !t->hidden[c])
			total += t->width[c] + (total ? GAP : 0);
	while (rep->width && total > rep->width) {
		unsigned widest = t->ncolumn;
		for (unsigned c = 0; c < t->ncolumn; c++)
			if (t->column[c].title &&
			    (kind_is_text(t->column[c].kind) || t->column[c].kind == REPORT_ANY) &&
			    (widest == t->ncolumn || t->width[c] > t->width[widest]))
				widest = c;
		if (widest == t->ncolumn || t->width[widest] <= CUT_LEAST)
			return;
		t->width[widest]--;
		total--;
	}
}

static bool table_empty(const struct report_table *t, unsigned c)
{
	for (uint64_t i = c; i < t->cell.n; i += t->ncolumn)
		if (t->cell.at[i].width)
			return false;
	return true;
}

static struct error *table_flush(struct report *rep, struct report_table *t)
{
	uint64_t nrow = t->ncolumn ? t->cell.n / t->ncolumn : 0;
	if (!t->flushed && nrow) {
		struct cell head[COLUMNS_MAX];
		for (unsigned c = 0; c < t->ncolumn; c++) {
			const char *title = t->column[c].title;
			const bool optional = title && *title == '?';
			title += optional;
			head[c] = (struct cell){title, title ? text_width(title) : 0};
			t->width[c] = head[c].width;
			for (uint64_t r = 0; r < nrow; r++)
				if (t->cell.at[r * t->ncolumn + c].width > t->width[c])
					t->width[c] = t->cell.at[r * t->ncolumn + c].width;
			t->hidden[c] = optional && nrow < REPORT_AHEAD && table_empty(t, c);
			t->width[c] = t->hidden[c] ? 0 : t->width[c];
		}
		table_fit(rep, t);
		/* One name of 600 letters does not push every other row to the right. */
		for (unsigned c = 0; c < t->ncolumn && !rep->width; c++)
			if (kind_is_text(t->column[c].kind) && t->width[c] > PIPE_MOST)
				t->width[c] = PIPE_MOST;
		for (unsigned c = 0; c < t->ncolumn; c++) {
			if (head[c].width <= t->width[c] || t->hidden[c])
				continue;
			head[c].text = text_cut(&t->region, head[c].text, t->width[c]);
			head[c].width = t->width[c];
			if (!head[c].text)
				return &error_nomem;
		}
		print_row(rep, t, head, true);
		t->flushed = true;
	}
	for (uint64_t r = 0; r < nrow; r++) {
		struct cell *row = t->cell.at + r * t->ncolumn;
		for (unsigned c = 0; c < t->ncolumn; c++) {
			enum report_kind kind = t->column[c].kind;
			if (!rep->width || row[c].width <= t->width[c] || kind_is_number(kind) ||
			    !t->column[c].title)
				continue;
			if (kind == REPORT_WORD || kind == REPORT_ADDRESS)
				continue;
			row[c].text = text_cut(&t->region, row[c].text, t->width[c]);
			if (!row[c].text)
				return &error_nomem;
			row[c].width = text_width(row[c].text);
		}
		print_row(rep, t, row, false);
	}
	t->cell.n = 0;
	region_deinit(&t->region);
	t->region = (struct region){0};
	return NULL;
}

static struct error *table_row(struct report_table *t, sqlite3_stmt *stmt)
{
	for (unsigned c = 0; c < t->ncolumn; c++) {
		struct cell cell = {"", 0};
		if (t->column[c].title) {
			cell.text = text_cell(&t->region, stmt, t->from[c], &t->column[c]);
			if (!cell.text)
				return &error_nomem;
			cell.width = text_width(cell.text);
			int type = sqlite3_column_type(stmt, t->from[c]);
			if (t->column[c].kind == REPORT_ANY && type != SQLITE_NULL && !t->flushed &&
			    type != SQLITE_INTEGER && type != SQLITE_FLOAT)
				t->right[c] = false;
		}
		struct error *err = vec_push(&t->cell, cell);
		if (err)
			return err;
	}
	return NULL;
}

/* ---- both ---- */

static struct error *rows_step(struct report *rep, struct report_table *t, sqlite3_stmt *stmt,
			       uint64_t *nrow)
{
	for (;;) {
		int rc = sqlite3_step(stmt);
		if (rc == SQLITE_DONE)
			break;
		if (rc != SQLITE_ROW)
			return error_new(ERROR_INPUT, "%s",
					 sqlite3_errmsg(sqlite3_db_handle(stmt)));
		if (rep->json) {
			fputs(*nrow ? ",\n  " : "\n  ", rep->out);
			json_row(rep, t, stmt);
		} else {
			struct error *err = table_row(t, stmt);
			if (!err && t->cell.n >= (uint64_t)REPORT_AHEAD * t->ncolumn)
				err = table_flush(rep, t);
			if (err)
				return err;
		}
		++*nrow;
		if (ferror(rep->out))
			break; /* report_end says why */
	}
	return rep->json ? NULL : table_flush(rep, t);
}

static struct error *columns_bind(struct report_table *t, sqlite3_stmt *stmt)
{
	int n = sqlite3_column_count(stmt);
	for (unsigned c = 0; c < t->ncolumn; c++) {
		t->from[c] = -1;
		for (int i = 0; i < n; i++)
			if (!strcmp(sqlite3_column_name(stmt, i), t->column[c].name))
				t->from[c] = i;
		if (t->from[c] < 0)
			return error_new(ERROR_SYSTEM, "the query has no column '%s'",
					 t->column[c].name);
		/* REPORT_ANY: until a text is seen */
		t->right[c] = kind_is_number(t->column[c].kind) || t->column[c].kind == REPORT_ANY;
	}
	return NULL;
}

static struct error *columns_any(struct region *region, sqlite3_stmt *stmt,
				 const struct report_column **ret)
{
	int n = sqlite3_column_count(stmt);
	if (n > COLUMNS_MAX)
		return error_new(ERROR_USAGE, "the query has %d columns, the most is %d", n,
				 COLUMNS_MAX);
	struct report_column *column = region_alloc(region, (size_t)(n + 1) * sizeof(*column));
	if (!column)
		return &error_nomem;
	for (int i = 0; i < n; i++) {
		const char *name = sqlite3_column_name(stmt, i);
		if (!name)
			return &error_nomem;
		bool repeated = false;
		for (int k = 0; k < i; k++)
			repeated |= !strcmp(column[k].name, name);
		column[i].name = repeated ? region_printf(region, "%s:%d", name, i)
					  : region_strdup(region, name);
		column[i].title = text_escape(region, name, strlen(name));
		column[i].kind = REPORT_ANY;
		if (!column[i].name || !column[i].title)
			return &error_nomem;
	}
	*ret = column;
	return NULL;
}

struct error *report_rows(struct report *rep, const char *section,
			  const struct report_column *columns, sqlite3_stmt *stmt, uint64_t *nrow)
{
	struct region names = {0};
	struct error *err = NULL;
	uint64_t count = 0;
	struct report_table *t = calloc(1, sizeof(*t));
	if (!t)
		return &error_nomem;
	bool any = !columns;
	if (any)
		err = columns_any(&names, stmt, &columns);
	if (!err) {
		t->column = columns;
		while (columns[t->ncolumn].name)
			t->ncolumn++;
		if (any)
			for (unsigned c = 0; c < t->ncolumn; c++) {
				t->from[c] = (int)c; /* names may repeat */
				t->right[c] = true;
			}
		else
			err = columns_bind(t, stmt);
	}
	if (!err && rep->json) {
		json_key(rep, section);
		fputc('[', rep->out);
	}
	if (!err)
		err = rows_step(rep, t, stmt, &count);
	if (!err && rep->json) {
		fputs(count ? "\n]" : "]", rep->out);
		rep->fields = 1;
	}
	if (nrow)
		*nrow = count;
	vec_deinit(&t->cell);
	region_deinit(&t->region);
	region_deinit(&names);
	free(t);
	return err;
}
