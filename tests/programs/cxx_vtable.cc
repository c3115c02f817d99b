// Objects with vtables: each block names its class; the second base makes a pointer an interior
// one.
#include "oracle.h"

namespace zoo
{
struct animal {
	virtual ~animal()
	{
	}
	virtual int legs() const = 0;
	animal *next = nullptr;
};
struct named {
	virtual ~named()
	{
	}
	virtual const char *name() const = 0;
};
struct bird : animal {
	int legs() const override
	{
		return 2;
	}
	long pad[4] = {};
};
struct dog : animal, named {
	int legs() const override
	{
		return 4;
	}
	const char *name() const override
	{
		return "dog";
	}
	long pad[6] = {};
};
template <class T> struct cage : animal {
	int legs() const override
	{
		return (int)sizeof(T);
	}
	T inmate = {};
};
} // namespace zoo

zoo::animal *first;
zoo::named *by_second_base;

static noinline_ void fill()
{
	zoo::bird *b = new zoo::bird;
	zoo::dog *d = new zoo::dog;
	auto *c = new zoo::cage<int>;
	first = b;
	b->next = c;
	by_second_base = d;
	oracle_type(b, "zoo::bird");
	oracle_type(d, "zoo::dog");
	oracle_type(c, "zoo::cage<int>");
	oracle_expect(b, 1);
	oracle_expect(c, 1);
	oracle_expect(d, 2);
	zoo::dog *lost = new zoo::dog;
	lost->next = new zoo::bird;
	oracle_head(lost, 1);
	oracle_leak(lost->next, 1);
	oracle_type(lost, "zoo::dog");
}

static void situation(int, char **)
{
	fill();
}
