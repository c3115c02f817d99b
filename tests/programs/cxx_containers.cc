// The standard containers, held and lost: a map of strings to vectors, a list, an unordered_map.
#include "oracle.h"

#include <list>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

struct world {
	std::map<std::string, std::vector<int>> by_name;
	std::unordered_map<int, std::string> by_number;
	std::list<std::unique_ptr<std::string>> list;
	std::vector<std::vector<std::string>> rows;
	std::shared_ptr<int> shared;
};

world *kept;

static noinline_ world *make(int n)
{
	world *w = new world;
	for (int i = 0; i < n; i++) {
		std::string name = "a name that does not fit the small buffer " + std::to_string(i);
		w->by_name[name].assign((size_t)i % 17, i);
		w->by_number[i] = name;
		w->list.push_back(std::make_unique<std::string>(name));
		w->rows.emplace_back((size_t)i % 5, name);
	}
	w->shared = std::make_shared<int>(n);
	return w;
}

static noinline_ void lose()
{
	world *w = make(40);
	oracle_leak(w, 1);
	for (auto &x : w->by_name) {
		oracle_leak((char *)&x - sizeof(std::_Rb_tree_node_base), 1);
		if (x.first.size() > 15)
			oracle_leak(x.first.data(), 1);
		if (x.second.capacity())
			oracle_leak(x.second.data(), 1);
	}
	for (auto &x : w->by_number) {
		oracle_leak((char *)&x - sizeof(void *), 1);
		if (x.second.size() > 15)
			oracle_leak(x.second.data(), 1);
	}
	/* libstdc++'s layout: a hash table starts with its array of buckets */
	oracle_leak(*(void **)&w->by_number, 1);
	for (auto it = w->list.begin(); it != w->list.end(); ++it) {
		oracle_leak(*(void **)&it, 1);
		oracle_leak(it->get(), 1);
		oracle_leak((*it)->data(), 1);
	}
	oracle_leak(w->rows.data(), 1);
	for (auto &row : w->rows) {
		if (row.capacity())
			oracle_leak(row.data(), 1);
		for (auto &s : row)
			oracle_leak(s.data(), 1);
	}
	/* make_shared: counter and value in one block */
	oracle_leak((char *)w->shared.get() - sizeof(std::_Sp_counted_base<>), 1);
}

static void situation(int, char **)
{
	kept = make(60);
	lose();
}
