// Containers of the standard library with room to spare, or none: what they say of it themselves.
// build: only=gcc-O0,gcc-O2,clang-O2,static-stripped,i686
//
// With libc++, too, and with libstdc++'s strings of old: only what `tell` says of them is not the same.
#include "oracle.h"

#include <algorithm>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

static uint32_t state = 12345;

static unsigned roll(unsigned most)
{
	state = state * 1664525u + 1013904223u;
	return (state >> 8) % most;
}

template <size_t n> struct sized {
	char byte[n];
	sized(int i = 0)
	{
		memset(byte, (char)(i | 1), n);
	}
};

/* ---- what they say ---- */

/* A block's usable bytes; none: 0. */
static size_t usable(const void *p)
{
	return malloc_usable_size(const_cast<void *>(p));
}

/* Of a request: what is usual. A chunk whose rest would be too small for another one is a bit larger. */
static size_t usable_of(size_t n)
{
	void *p[256];
	size_t least = SIZE_MAX;
	for (auto &x : p) {
		x = __libc_malloc(n);
		least = std::min(least, usable(x));
	}
	for (auto x : p)
		__libc_free(x);
	return n ? least : 0;
}

static void tell(const void *block, const char *form, size_t capacity, size_t used, size_t had,
		 size_t anew, const void *header)
{
	oracle_room(block, form, capacity, used, had > anew ? had - anew : 0, header);
}

template <class T> static noinline_ void tell(const std::vector<T> &v)
{
	if (!v.capacity())
		return;
	const std::vector<T> anew(v);
	tell(v.data(), "vector", v.capacity() * sizeof(T), v.size() * sizeof(T), usable(v.data()),
	     usable_of(anew.capacity() * sizeof(T)), &v);
}

static noinline_ void tell(const std::vector<bool> &v)
{
	if (!v.capacity())
		return;
#ifdef _LIBCPP_VERSION
	/* Such numbers could mean anything. */
	if (v.size() <= v.capacity() / 8 / sizeof(void *) || v.size() == v.capacity() / 8)
		return;
#endif
	const std::vector<bool> anew(v);
	const void *block = *(void *const *)&v;
	tell(block, "vector", v.capacity() / 8, (v.size() + 7) / 8, usable(block),
	     usable_of(anew.capacity() / 8), &v);
}

template <class C> static noinline_ void tell(const std::basic_string<C> &s)
{
#if defined(_LIBCPP_VERSION) || _GLIBCXX_USE_CXX11_ABI
	const std::basic_string<C> anew(s);
	const char *at = (const char *)&s, *fresh = (const char *)&anew;
	if ((const char *)s.data() >= at && (const char *)s.data() < at + sizeof(s))
		return; // short
	const bool fits = (const char *)anew.data() >= fresh &&
			  (const char *)anew.data() < fresh + sizeof(anew);
	tell(s.data(), "string", s.capacity() * sizeof(C), s.size() * sizeof(C), usable(s.data()),
	     fits ? 0 : usable_of((anew.capacity() + 1) * sizeof(C)), &s);
#else
	const size_t rep = 3 * sizeof(size_t);
	if (!s.capacity())
		return; // all that are empty have one text
	const std::basic_string<C> anew(s.data(), s.size());
	const void *block = (const char *)s.data() - rep;
	/* So little text may be that of narrow characters. */
	const size_t width =
		s.size() < 2 && usable(block) < rep + s.capacity() + 33 ? 1 : sizeof(C);
	tell(block, "string", s.capacity() * width, s.size() * width, usable(block),
	     anew.capacity() ? usable_of(rep + (anew.capacity() + 1) * sizeof(C)) : 0, nullptr);
#endif
}

#ifdef _LIBCPP_VERSION
template <class T> static noinline_ void tell(const std::deque<T> &d)
{
	/* Of its table: how much would be needed for the blocks that there are. */
	const size_t *at = (const size_t *)&d;
	if (at[2] == at[1])
		return;
	tell((const void *)at[0], "table of blocks", at[3] - at[0], at[2] - at[1],
	     usable((const void *)at[0]), usable_of(at[2] - at[1]), &d);
}
#else
template <class T> static noinline_ void tell(const std::deque<T> &d)
{
	const std::deque<T> anew(d);
	const size_t nodes = (size_t)(d.end()._M_node - d.begin()._M_node) + 1;
	const size_t node = (size_t)((char *)d.begin()._M_last - (char *)d.begin()._M_first);
	size_t had = usable(*(void *const *)&d),
	       least = usable_of(((const size_t *)&anew)[1] * sizeof(void *));
	for (auto at = d.begin()._M_node; at <= d.end()._M_node; at++)
		had += usable(*at);
	for (auto at = anew.begin()._M_node; at <= anew.end()._M_node; at++)
		least += usable_of(node);
	tell(*(void *const *)&d, "deque", nodes * node, d.size() * sizeof(T), had, least, &d);
}

#endif

/* unordered_map, unordered_set */
template <class H> static noinline_ void tell_hash(const H &h)
{
	const void *const *at = (const void *const *)&h;
	if (!at[0] || (at[0] > (const void *)at && at[0] < (const void *)(&h + 1)))
		return; // none; one, inside
	const size_t need = (size_t)__builtin_ceil((double)h.size() / (double)h.max_load_factor());
	tell(at[0], "hash table", (size_t)((double)h.bucket_count() * (double)h.max_load_factor()),
	     h.size(), usable(at[0]), usable_of(need * sizeof(void *)), &h);
}

/* ---- how they come to it ---- */

template <class V> static noinline_ void churn(V &v, unsigned most)
{
	typedef typename V::value_type T;
	for (unsigned i = 1 + roll(8); i--;) {
		switch (roll(9)) {
		case 0:
			v.shrink_to_fit();
			break;
		case 1:
			v.clear();
			break;
		case 2:
			v.resize(roll(most), T(7));
			break;
		case 3:
			if (v.size())
				v.erase(v.begin() + (long)(v.size() / 2), v.end());
			break;
		case 4:
			if (!v.empty())
				v.pop_back();
			break;
		case 5: {
			V moved(std::move(v));
			if (roll(2))
				v = std::move(moved);
			else
				v = V();
			break;
		}
		default:
			for (unsigned n = roll(most); n--;)
				v.push_back(T(1 + (int)n % 90));
		}
	}
}

template <class V> static noinline_ V made(unsigned most)
{
	V v;
	churn(v, most);
	return v;
}

template <class T> static noinline_ void make_roomy(std::vector<T> &v, unsigned most)
{
	v.reserve(1 + roll(most));
	churn(v, most);
}

/* ---- where they are ---- */

struct thing {
	virtual ~thing()
	{
	}
	int before = 7;
	std::vector<char> chars;
	std::vector<int> ints;
	const void *inside = nullptr; // points into a vector, beside it
	std::vector<sized<3>> threes;
	std::vector<bool> bits;
	std::string text;
	std::u16string wide;
	std::deque<int> queue;
	std::deque<sized<24>> queue24;
	std::unordered_map<int, int> map;
	std::unordered_set<std::string> names;
	std::vector<std::vector<int>> rows;
	std::vector<std::string> lines;
	std::map<std::string, std::vector<std::string>> index;
	std::unique_ptr<std::vector<thing *>> parts;
};

static noinline_ void fill(thing *t)
{
	make_roomy(t->chars, 300);
	make_roomy(t->ints, 2000);
	t->inside = t->ints.data() + t->ints.size();
	churn(t->threes, 50);
	for (unsigned i = roll(500); i--;)
		t->bits.push_back(i % 3);
	if (roll(2))
		t->bits.resize(t->bits.size() / 3);
	t->text.reserve(roll(400));
	churn(t->text, 100);
	churn(t->wide, 60);
	churn(t->queue, 3000);
	if (roll(3) == 0)
		for (unsigned i = roll((unsigned)t->queue.size() + 1); i--;)
			t->queue.pop_front();
	churn(t->queue24, 300);
	if (roll(2))
		t->map.max_load_factor(0.25f + (float)roll(8) / 4);
	for (unsigned i = roll(3000); i--;)
		t->map[(int)roll(1u << 20)] = 1;
	if (roll(3) == 0)
		t->map.clear();
	else if (roll(2))
		for (auto it = t->map.begin(); it != t->map.end();)
			it = roll(4) ? t->map.erase(it) : std::next(it);
	t->names.reserve(roll(200));
	for (unsigned i = roll(60); i--;)
		t->names.insert("a name of more than fifteen letters, " + std::to_string(i));
	for (unsigned i = roll(20); i--;)
		t->rows.push_back(made<std::vector<int>>(60));
	for (unsigned i = roll((unsigned)t->rows.size() + 1); i--;)
		t->rows.pop_back();
	for (unsigned i = roll(20); i--;)
		t->lines.push_back(made<std::string>(80));
	if (roll(2))
		t->lines.resize(t->lines.size() / 2);
	for (unsigned i = roll(6); i--;)
		t->index[std::to_string(roll(1000)) + " and more than fifteen letters"].push_back(
			made<std::string>(50));
}

static noinline_ void tell(const thing *t)
{
	tell(t->chars);
	tell(t->ints);
	tell(t->threes);
	tell(t->bits);
	tell(t->text);
	tell(t->wide);
	tell(t->queue);
	tell(t->queue24);
	tell_hash(t->map);
	tell_hash(t->names);
	for (auto &name : t->names)
		tell(name);
	tell(t->rows);
	for (auto &row : t->rows)
		tell(row);
	tell(t->lines);
	for (auto &line : t->lines)
		tell(line);
	for (auto &entry : t->index) {
		tell(entry.first);
		tell(entry.second);
		for (auto &line : entry.second)
			tell(line);
	}
	if (t->parts) {
		tell(*t->parts);
		for (thing *part : *t->parts)
			tell(part);
	}
}

static thing variable;
static std::vector<thing *> all;
static std::vector<sized<12>> big;
static std::deque<int> lengthy;
static thread_local std::vector<long> local;

/* Few in number: a frame's dead parts may hold copies of what was there before. */
static noinline_ void on_the_stack()
{
	std::vector<int> v;
	std::string s;
	std::deque<short> d;
	v.reserve(77);
	v.assign(5, 1);
	s.reserve(200);
	s = "on the stack";
	for (int i = 0; i < 400; i++)
		d.push_back((short)i);
	tell(v);
	tell(s);
	tell(d);
	oracle_die_clean();
}

static void situation(int argc, char **argv)
{
	if (argc > 1)
		state = (uint32_t)atoi(argv[1]);
	fill(&variable);
	for (unsigned i = 0; i < 40; i++) {
		thing *t = new thing;
		fill(t);
		all.push_back(t);
	}
	for (unsigned i = 0; i < 5; i++) {
		all[i]->parts.reset(new std::vector<thing *>);
		all[i]->parts->reserve(10);
		all[i]->parts->push_back(new thing);
		fill(all[i]->parts->back());
	}
	big.reserve(100000);
	big.resize(1000);
	lengthy.resize(30000);
	lengthy.resize(20000);
	local.reserve(50);
	local.push_back(-1);
	for (unsigned i = 0; i < 10; i++) {
		delete all.back();
		all.pop_back();
	}
	tell(&variable);
	tell(all);
	for (thing *t : all)
		tell(t);
	tell(big);
	tell(lengthy);
	tell(local);
	on_the_stack();
}
