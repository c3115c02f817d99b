#include "debuginfo/cfi.h"

#include "base/checked.h"
#include "debuginfo/dwarf_cursor.h"

#include <dwarf.h>
#include <stdlib.h>
#include <string.h>

enum {
	CFI_ENTRIES_MAX = 1 << 24, /* of an index, and of entries looked at to make one */
	CFI_REMEMBERED = 32,	   /* depth of DW_CFA_remember_state; compilers use one */
};

/* An entry copied out of its source. */
struct cfi_record {
	struct dwarf_cursor body; /* behind the id */
	const uint8_t *first;	  /* the buffer's start; its place is `at` */
	uint64_t at, next;
	uint64_t id, id_at; /* the id field: its value and its place */
	bool is_cie, end_mark;
};

struct cfi_cie {
	uint64_t at;
	uint64_t code_align;
	int64_t data_align;
	uint32_t return_column;
	uint8_t encoding; /* of code addresses: DW_EH_PE_* */
	bool has_size;	  /* 'z': FDEs have augmentation data, preceded by its size */
	bool signal;
	bool readable; /* augmentation was understood */
	struct dwarf_cursor code;
};

static bool source_read(const struct cfi_source *s, uint64_t at, void *buf, uint64_t len)
{
	if (!s->data)
		return image_try_read(s->img, at, buf, len);
	if (!checked_within(at, len, 0, s->size))
		return false;
	memcpy(buf, s->data + at, len);
	return true;
}

/* A whole entry into buf of `room` bytes. False: it cannot be read, or is too large to be one. */
static bool record_read(const struct cfi_source *s, uint64_t at, uint8_t *buf, uint32_t room,
			struct cfi_record *r)
{
	uint32_t len32;
	uint64_t len;
	unsigned head = 4, wide = 4;
	if (!source_read(s, at, &len32, 4))
		return false;
	len = len32;
	if (len32 == UINT32_MAX) {
		head = 12;
		wide = s->eh ? 4 : 8;
		if (!source_read(s, at + 4, &len, 8))
			return false;
	}
	*r = (struct cfi_record){.at = at, .first = buf};
	if (!checked_add(at, head, &r->id_at) || !checked_add(r->id_at, len, &r->next))
		return false;
	if (!len) {
		r->end_mark = true;
		return true;
	}
	if (len < wide || len > room || !source_read(s, r->id_at, buf, len))
		return false;
	r->body = (struct dwarf_cursor){buf, buf + len, false};
	r->id = dwarf_uint(&r->body, wide);
	if (s->eh)
		r->is_cie = r->id == 0;
	else
		r->is_cie = r->id == (wide == 8 ? UINT64_MAX : UINT32_MAX);
	return true;
}

/* Where in its source the cursor's next byte lies. */
static uint64_t record_place(const struct cfi_record *r, const struct dwarf_cursor *c)
{
	return r->id_at + (uint64_t)(c->p - r->first);
}

/* LSB Core 5.0, 10.5: a pointer in one of DW_EH_PE's encodings. `hdr`: base of DW_EH_PE_datarel. */
static bool read_encoded(struct dwarf_cursor *c, const struct image *img, uint8_t encoding,
			 uint64_t place, uint64_t hdr, uint64_t *ret)
{
	uint64_t v;
	switch (encoding & 0x0f) {
	case DW_EH_PE_absptr:
		v = dwarf_uint(c, img->word_size);
		break;
	case DW_EH_PE_uleb128:
		v = dwarf_uleb(c);
		break;
	case DW_EH_PE_udata2:
		v = dwarf_uint(c, 2);
		break;
	case DW_EH_PE_udata4:
		v = dwarf_uint(c, 4);
		break;
	case DW_EH_PE_udata8:
		v = dwarf_uint(c, 8);
		break;
	case DW_EH_PE_sleb128:
		v = (uint64_t)dwarf_sleb(c);
		break;
	case DW_EH_PE_sdata2:
		v = (uint64_t)dwarf_sint(c, 2);
		break;
	case DW_EH_PE_sdata4:
		v = (uint64_t)dwarf_sint(c, 4);
		break;
	case DW_EH_PE_sdata8:
		v = dwarf_uint(c, 8);
		break;
	default:
		return false;
	}
	switch (encoding & 0x70) {
	case DW_EH_PE_absptr:
		break;
	case DW_EH_PE_pcrel:
		v += place;
		break;
	case DW_EH_PE_datarel:
		if (!hdr)
			return false;
		v += hdr;
		break;
	default:
		return false; /* textrel, funcrel, aligned: no Linux tool writes them */
	}
	if (img->word_size == 4)
		v = (uint32_t)v;
	if (encoding & DW_EH_PE_indirect && !image_try_word(img, v, &v))
		return false;
	*ret = v;
	return !c->bad;
}

static bool cie_read(const struct cfi_source *s, uint64_t at, uint8_t *buf, struct cfi_cie *cie)
{
	struct cfi_record r;
	if (!record_read(s, at, buf, CFI_CIE_MAX, &r) || r.end_mark || !r.is_cie)
		return false;
	struct dwarf_cursor *c = &r.body;
	*cie = (struct cfi_cie){.at = at, .encoding = DW_EH_PE_absptr};
	uint8_t version = (uint8_t)dwarf_uint(c, 1);
	if (version != 1 && version != 3 && version != 4)
		return false;
	const char *augmentation = (const char *)c->p;
	const uint8_t *nul = memchr(c->p, 0, dwarf_left(c));
	if (!nul)
		return false;
	c->p = nul + 1;
	if (version == 4) {
		uint64_t address_size = dwarf_uint(c, 1), segment_size = dwarf_uint(c, 1);
		if (address_size != s->img->word_size || segment_size)
			return false;
	}
	cie->code_align = dwarf_uleb(c);
	cie->data_align = dwarf_sleb(c);
	uint64_t column = version == 1 ? dwarf_uint(c, 1) : dwarf_uleb(c);
	if (column >= CFI_REGS)
		return false;
	cie->return_column = (uint32_t)column;
	cie->readable = true;
	if (*augmentation == 'z') {
		cie->has_size = true;
		uint64_t len = dwarf_uleb(c);
		const uint8_t *data = dwarf_bytes(c, len);
		if (!data)
			return false;
		struct dwarf_cursor a = {data, data + len, false};
		for (const char *k = augmentation + 1; *k; k++) {
			uint64_t skip;
			if (*k == 'R') {
				cie->encoding = (uint8_t)dwarf_uint(&a, 1);
			} else if (*k == 'L') {
				dwarf_uint(&a, 1);
			} else if (*k == 'P') {
				uint8_t how = (uint8_t)dwarf_uint(&a, 1);
				/* Its value is of no interest, only its length. */
				if (!read_encoded(&a, s->img, how & 0x0f, 0, 0, &skip))
					return false;
			} else if (*k == 'S') {
				cie->signal = true;
			} else if (*k != 'B' && *k != 'G') {
				/* 'B': aarch64 signs with key B; 'G': tagged stack. Unknown
				 * ones may mean anything, but their data is skipped. */
				break;
			}
		}
		if (a.bad)
			return false;
	} else if (*augmentation) {
		return false; /* "eh" of gcc 2, or nobody's */
	}
	cie->code = *c;
	return !c->bad;
}

/* The FDE's function; *code gets its instructions. */
static bool fde_read(const struct cfi_source *s, struct cfi_record *r, const struct cfi_cie *cie,
		     uint64_t *start, uint64_t *end)
{
	struct dwarf_cursor *c = &r->body;
	uint64_t place = record_place(r, c), size;
	if (!read_encoded(c, s->img, cie->encoding, place, 0, start) ||
	    !read_encoded(c, s->img, cie->encoding & 0x0f, 0, 0, &size))
		return false;
	*start += s->bias;
	if (!checked_add(*start, size, end))
		return false;
	if (cie->has_size)
		dwarf_bytes(c, dwarf_uleb(c));
	return !c->bad;
}

static uint64_t fde_cie_place(const struct cfi_source *s, const struct cfi_record *r)
{
	return s->eh ? r->id_at - r->id : r->id;
}

/* ---- rules ---- */

struct cfi_machine {
	const struct cfi_cie *cie;
	struct cfi_row *row;
	struct cfi_rule initial[CFI_REGS]; /* for DW_CFA_restore: after the CIE's instructions */
	struct saved {
		struct cfi_rule cfa, rule[CFI_REGS];
	} * saved;
	unsigned nsaved;
	uint64_t location, pc, bias;
};

static int64_t factored(const struct cfi_machine *m, uint64_t n)
{
	return (int64_t)(n * (uint64_t)m->cie->data_align);
}

/* Registers that are not followed (floating point, vectors) have rules, too: those go nowhere. */
static void set_rule(struct cfi_machine *m, uint64_t reg, enum cfi_rule_kind kind, int64_t n)
{
	if (reg < CFI_REGS)
		m->row->rule[reg] = (struct cfi_rule){.kind = (uint8_t)kind, .n = n};
}

static bool set_expr(struct cfi_rule *rule, enum cfi_rule_kind kind, struct dwarf_cursor *c)
{
	uint64_t len = dwarf_uleb(c);
	const uint8_t *expr = dwarf_bytes(c, len);
	if (!expr)
		return false;
	if (rule)
		*rule = (struct cfi_rule){
			.kind = (uint8_t)kind, .expr = expr, .len = (uint32_t)len};
	return true;
}

static void set_cfa(struct cfi_machine *m, uint64_t reg, int64_t n)
{
	m->row->cfa = (struct cfi_rule){
		.kind = reg < CFI_REGS ? RULE_REGISTER : RULE_NONE, .reg = (uint16_t)reg, .n = n};
}

static void advance(struct cfi_machine *m, uint64_t by)
{
	uint64_t bytes;
	if (!checked_mul(by, m->cie->code_align, &bytes) ||
	    !checked_add(m->location, bytes, &m->location))
		m->location = UINT64_MAX;
}

static bool restore(struct cfi_machine *m, uint64_t reg)
{
	if (reg < CFI_REGS)
		m->row->rule[reg] = m->initial[reg];
	return true;
}

static bool remember(struct cfi_machine *m)
{
	if (m->nsaved == CFI_REMEMBERED)
		return false;
	if (!m->saved) {
		m->saved = calloc(CFI_REMEMBERED, sizeof(*m->saved));
		if (!m->saved)
			return false;
	}
	struct saved *s = &m->saved[m->nsaved++];
	s->cfa = m->row->cfa;
	memcpy(s->rule, m->row->rule, sizeof(s->rule));
	return true;
}

static bool recall(struct cfi_machine *m)
{
	if (!m->nsaved)
		return false;
	const struct saved *s = &m->saved[--m->nsaved];
	m->row->cfa = s->cfa;
	memcpy(m->row->rule, s->rule, sizeof(s->rule));
	return true;
}

/* One instruction. False: the entry is unsound. */
static bool cfi_step(struct cfi_machine *m, struct dwarf_cursor *c, const struct image *img)
{
	struct cfi_row *row = m->row;
	uint8_t op = (uint8_t)dwarf_uint(c, 1);
	uint64_t low = op & 0x3f, reg, n;
	switch (op & 0xc0) {
	case DW_CFA_advance_loc:
		advance(m, low);
		return true;
	case DW_CFA_offset:
		set_rule(m, low, RULE_OFFSET, factored(m, dwarf_uleb(c)));
		return true;
	case DW_CFA_restore:
		return restore(m, low);
	default:
		break;
	}
	switch (op) {
	case DW_CFA_nop:
		return true;
	case DW_CFA_set_loc:
		if (!read_encoded(c, img, m->cie->encoding & 0x0f, 0, 0, &n) ||
		    m->cie->encoding & 0x70)
			return false;
		m->location = n + m->bias;
		return true;
	case DW_CFA_advance_loc1:
		advance(m, dwarf_uint(c, 1));
		return true;
	case DW_CFA_advance_loc2:
		advance(m, dwarf_uint(c, 2));
		return true;
	case DW_CFA_advance_loc4:
		advance(m, dwarf_uint(c, 4));
		return true;
	case DW_CFA_offset_extended:
		reg = dwarf_uleb(c);
		set_rule(m, reg, RULE_OFFSET, factored(m, dwarf_uleb(c)));
		return true;
	case DW_CFA_offset_extended_sf:
		reg = dwarf_uleb(c);
		set_rule(m, reg, RULE_OFFSET, factored(m, (uint64_t)dwarf_sleb(c)));
		return true;
	case DW_CFA_GNU_negative_offset_extended:
		reg = dwarf_uleb(c);
		set_rule(m, reg, RULE_OFFSET, factored(m, 0 - dwarf_uleb(c)));
		return true;
	case DW_CFA_val_offset:
		reg = dwarf_uleb(c);
		set_rule(m, reg, RULE_VAL_OFFSET, factored(m, dwarf_uleb(c)));
		return true;
	case DW_CFA_val_offset_sf:
		reg = dwarf_uleb(c);
		set_rule(m, reg, RULE_VAL_OFFSET, factored(m, (uint64_t)dwarf_sleb(c)));
		return true;
	case DW_CFA_restore_extended:
		return restore(m, dwarf_uleb(c));
	case DW_CFA_undefined:
		set_rule(m, dwarf_uleb(c), RULE_UNDEFINED, 0);
		return true;
	case DW_CFA_same_value:
		set_rule(m, dwarf_uleb(c), RULE_SAME, 0);
		return true;
	case DW_CFA_register:
		reg = dwarf_uleb(c);
		n = dwarf_uleb(c);
		set_rule(m, reg, n < CFI_REGS ? RULE_REGISTER : RULE_UNDEFINED, 0);
		if (reg < CFI_REGS)
			row->rule[reg].reg = (uint16_t)n;
		return true;
	case DW_CFA_remember_state:
		return remember(m);
	case DW_CFA_restore_state:
		return recall(m);
	case DW_CFA_def_cfa:
		reg = dwarf_uleb(c);
		set_cfa(m, reg, (int64_t)dwarf_uleb(c));
		return true;
	case DW_CFA_def_cfa_sf:
		reg = dwarf_uleb(c);
		set_cfa(m, reg, factored(m, (uint64_t)dwarf_sleb(c)));
		return true;
	case DW_CFA_def_cfa_register:
		set_cfa(m, dwarf_uleb(c), row->cfa.n);
		return true;
	case DW_CFA_def_cfa_offset:
		row->cfa.n = (int64_t)dwarf_uleb(c);
		return true;
	case DW_CFA_def_cfa_offset_sf:
		row->cfa.n = factored(m, (uint64_t)dwarf_sleb(c));
		return true;
	case DW_CFA_def_cfa_expression:
		return set_expr(&row->cfa, RULE_VAL_EXPR, c);
	case DW_CFA_expression:
		reg = dwarf_uleb(c);
		return set_expr(reg < CFI_REGS ? &row->rule[reg] : NULL, RULE_EXPR, c);
	case DW_CFA_val_expression:
		reg = dwarf_uleb(c);
		return set_expr(reg < CFI_REGS ? &row->rule[reg] : NULL, RULE_VAL_EXPR, c);
	case DW_CFA_GNU_args_size:
		dwarf_uleb(c);
		return true;
	case DW_CFA_GNU_window_save: /* aarch64: DW_CFA_AARCH64_negate_ra_state */
		row->ra_signed = !row->ra_signed;
		return img->machine == MACHINE_AARCH64;
	default:
		return false;
	}
}

static bool cfi_run(struct cfi_machine *m, struct dwarf_cursor c, const struct image *img)
{
	while (c.p < c.end) {
		if (!cfi_step(m, &c, img) || c.bad)
			return false;
		if (m->location > m->pc)
			break;
	}
	return true;
}

/* The entry at `at` and what it says of pc. */
static bool row_read(const struct cfi_source *s, uint64_t at, uint64_t pc, struct cfi_row *row)
{
	struct cfi_record r;
	struct cfi_cie cie;
	if (!record_read(s, at, row->fde, CFI_FDE_MAX, &r) || r.end_mark || r.is_cie ||
	    !cie_read(s, fde_cie_place(s, &r), row->cie, &cie) ||
	    !fde_read(s, &r, &cie, &row->start, &row->end))
		return false;
	if (pc < row->start || pc >= row->end)
		return false;
	row->return_column = cie.return_column;
	row->signal = cie.signal;
	row->ra_signed = false;
	row->cfa = (struct cfi_rule){0};
	memset(row->rule, 0, sizeof(row->rule));
	struct cfi_machine m = {.cie = &cie, .row = row, .pc = UINT64_MAX, .bias = s->bias};
	bool ok = cfi_run(&m, cie.code, s->img);
	if (ok) {
		memcpy(m.initial, row->rule, sizeof(m.initial));
		m.location = row->start;
		m.pc = pc;
		ok = cfi_run(&m, r.body, s->img);
	}
	free(m.saved);
	return ok;
}

/* ---- finding ---- */

/*
 * The table of .eh_frame_hdr: pairs of 4-byte distances from the header, as every linker writes
 * them (binutils 2.40 bfd/elf-eh-frame.c, lld, gold). Any other form: the index is made instead.
 */
static void hdr_read(struct cfi *cfi, const struct image *img, uint64_t hdr, uint64_t *eh_frame)
{
	uint8_t buf[32];
	uint64_t len = sizeof(buf);
	while (len && !image_try_read(img, hdr, buf, len))
		len--;
	struct dwarf_cursor c = {buf, buf + len, false};
	uint64_t version = dwarf_uint(&c, 1);
	uint8_t frame_enc = (uint8_t)dwarf_uint(&c, 1);
	uint8_t count_enc = (uint8_t)dwarf_uint(&c, 1);
	uint8_t table_enc = (uint8_t)dwarf_uint(&c, 1);
	uint64_t frame, count;
	if (c.bad || version != 1)
		return;
	if (!read_encoded(&c, img, frame_enc, hdr + (uint64_t)(c.p - buf), hdr, &frame))
		return;
	*eh_frame = frame;
	if (count_enc == DW_EH_PE_omit || table_enc != (DW_EH_PE_datarel | DW_EH_PE_sdata4) ||
	    !read_encoded(&c, img, count_enc, hdr + (uint64_t)(c.p - buf), hdr, &count) || !count ||
	    count > CFI_ENTRIES_MAX)
		return;
	cfi->hdr = hdr;
	cfi->table = hdr + (uint64_t)(c.p - buf);
	cfi->ntable = count;
}

static uint64_t table_at(const struct cfi *cfi, uint32_t distance)
{
	uint64_t v = cfi->hdr + (uint64_t)(int64_t)(int32_t)distance;
	return cfi->eh.img->word_size == 4 ? (uint32_t)v : v;
}

/* The FDE of the last pair that starts at or before pc. */
static bool table_find(const struct cfi *cfi, uint64_t pc, uint64_t *fde)
{
	uint64_t lo = 0, hi = cfi->ntable;
	uint32_t v;
	while (lo < hi) {
		uint64_t mid = lo + (hi - lo) / 2;
		if (!image_try_u32(cfi->eh.img, cfi->table + 8 * mid, &v))
			return false;
		if (table_at(cfi, v) <= pc)
			lo = mid + 1;
		else
			hi = mid;
	}
	if (!lo || !image_try_u32(cfi->eh.img, cfi->table + 8 * (lo - 1) + 4, &v))
		return false;
	*fde = table_at(cfi, v);
	return true;
}

static int entry_compare(const void *pa, const void *pb)
{
	const struct cfi_entry *a = pa, *b = pb;
	if (a->start != b->start)
		return a->start < b->start ? -1 : 1;
	return a->at < b->at ? -1 : a->at > b->at;
}

/* All entries in [at, end), in one pass. An entry that makes no sense ends it: nothing after it
 * can. */
static struct error *index_make(struct cfi_index *index, const struct cfi_source *s, uint64_t at,
				uint64_t end)
{
	struct cfi_row *row = malloc(sizeof(*row));
	if (!row)
		return &error_nomem;
	struct cfi_cie cie = {.at = UINT64_MAX};
	struct error *err = NULL;
	struct cfi_record r;
	index->entry.max = CFI_ENTRIES_MAX;
	for (uint64_t n = 0; at < end && n < CFI_ENTRIES_MAX && !err; n++, at = r.next) {
		/* In a section, 0 is padding between files; in memory it is the end. */
		if (!record_read(s, at, row->fde, CFI_FDE_MAX, &r) || (r.end_mark && !s->data))
			break;
		if (r.is_cie || r.end_mark)
			continue;
		uint64_t place = fde_cie_place(s, &r);
		if (place != cie.at && !cie_read(s, place, row->cie, &cie)) {
			cie.at = UINT64_MAX;
			continue;
		}
		struct cfi_entry e = {.at = at};
		if (fde_read(s, &r, &cie, &e.start, &e.end) && e.start < e.end)
			err = vec_push(&index->entry, e);
	}
	free(row);
	if (!err && index->entry.n)
		qsort(index->entry.at, index->entry.n, sizeof(*index->entry.at), entry_compare);
	vec_trim(&index->entry);
	return err;
}

static bool index_find(const struct cfi_index *index, uint64_t pc, uint64_t *fde)
{
	uint64_t lo = 0, hi = index->entry.n;
	while (lo < hi) {
		uint64_t mid = lo + (hi - lo) / 2;
		if (index->entry.at[mid].start <= pc)
			lo = mid + 1;
		else
			hi = mid;
	}
	if (!lo || pc >= index->entry.at[lo - 1].end)
		return false;
	*fde = index->entry.at[lo - 1].at;
	return true;
}

struct error *cfi_init(struct cfi *cfi, const struct image *img, uint64_t hdr, uint64_t eh_frame,
		       uint64_t eh_frame_size, const uint8_t *debug_frame,
		       uint64_t debug_frame_size, uint64_t debug_bias)
{
	*cfi = (struct cfi){
		.eh = {.img = img, .eh = true},
		.debug = {.img = img,
			  .data = debug_frame,
			  .size = debug_frame_size,
			  .bias = debug_bias},
	};
	struct error *err = NULL;
	if (hdr)
		hdr_read(cfi, img, hdr, &eh_frame);
	if (!cfi->ntable && eh_frame) {
		uint64_t end;
		if (!eh_frame_size || !checked_add(eh_frame, eh_frame_size, &end))
			end = UINT64_MAX;
		err = index_make(&cfi->eh_index, &cfi->eh, eh_frame, end);
	}
	if (!err && debug_frame)
		err = index_make(&cfi->debug_index, &cfi->debug, 0, debug_frame_size);
	if (err)
		cfi_deinit(cfi);
	return err;
}

void cfi_deinit(struct cfi *cfi)
{
	vec_deinit(&cfi->eh_index.entry);
	vec_deinit(&cfi->debug_index.entry);
	*cfi = (struct cfi){0};
}

bool cfi_find(const struct cfi *cfi, uint64_t pc, struct cfi_row *row)
{
	uint64_t fde;
	if (cfi->ntable && table_find(cfi, pc, &fde) && row_read(&cfi->eh, fde, pc, row))
		return true;
	if (index_find(&cfi->eh_index, pc, &fde) && row_read(&cfi->eh, fde, pc, row))
		return true;
	return index_find(&cfi->debug_index, pc, &fde) && row_read(&cfi->debug, fde, pc, row);
}
