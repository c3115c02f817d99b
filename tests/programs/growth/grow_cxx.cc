/* grow_cxx GROWER ROUNDS: as grow_c, with C++'s containers. */
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <list>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <unordered_map>
#include <vector>

namespace app
{

struct Session {
	virtual ~Session() = default;
	long number;
	std::string name;
	explicit Session(long n) : number(n), name("the name of session " + std::to_string(n))
	{
	}
};

struct Server {
	virtual ~Server() = default;
	std::vector<Session *> sessions;
	std::map<long, std::unique_ptr<Session>> by_number;
	std::unordered_map<std::string, long> index;
	std::deque<std::string> log;
	std::list<long> pending;
};

} // namespace app

app::Server *server;
std::vector<std::unique_ptr<app::Session>> churn;

static const int EACH = 2000;

static void grow_vector(long n)
{
	server->sessions.push_back(new app::Session(n));
}
static void grow_map(long n)
{
	server->by_number[n] = std::make_unique<app::Session>(n);
}
static void grow_hash(long n)
{
	server->index["the key of entry " + std::to_string(n)] = n;
}
static void grow_deque(long n)
{
	server->log.push_back("a line of the log, number " + std::to_string(n));
}
static void grow_list(long n)
{
	server->pending.push_back(n);
}
static void grow_none(long)
{
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*grow)(long);
	} grower[] = {{"vector", grow_vector}, {"map", grow_map},   {"hash", grow_hash},
		      {"deque", grow_deque},   {"list", grow_list}, {"none", grow_none}};
	long n = 0;
	server = new app::Server;
	for (int round = 0; argc > 2 && round < atoi(argv[2]); round++) {
		for (auto &g : grower)
			for (int i = 0; !strcmp(g.name, argv[1]) && i < EACH; i++)
				g.grow(n++);
		churn.clear();
		for (int i = 0; i < 1000 + 50 * (2 * round % 3); i++)
			churn.push_back(std::make_unique<app::Session>(i));
		std::string name = "dump" + std::to_string(round);
		if (mkdir(name.c_str(), 0700))
			return 1;
		pid_t pid = fork();
		if (!pid) {
			if (chdir(name.c_str()))
				_exit(1);
			abort();
		}
		waitpid(pid, nullptr, 0);
	}
	return 0;
}
