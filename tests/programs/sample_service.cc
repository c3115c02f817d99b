// A small service, as a person would meet it: sessions by name, workers, a cache of replies. Closed
// sessions are forgotten and not deleted; each holds a timer that holds it, so none of them goes.
#include "oracle.h"

#include <cstdio>
#include <map>
#include <string>
#include <vector>

namespace service
{

struct handler {
	virtual ~handler()
	{
	}
	virtual void fire() = 0;
};

struct session;

struct timer : handler {
	explicit timer(session *s) : target(s)
	{
	}
	void fire() override
	{
	}
	session *target;
	long deadline = 0;
};

struct request {
	long number;
	char *reply;
};

struct session : handler {
	explicit session(const std::string &name) : user(name), expiry(new timer(this))
	{
	}
	void fire() override
	{
	}
	std::string user;
	timer *expiry;
	std::vector<request *> pending;
};

} // namespace service

using service::request;
using service::session;

std::map<std::string, session *> sessions;
char *cache[64];

static noinline_ char *reply(unsigned n)
{
	char *p = (char *)new_block(200);
	snprintf(p, 200, "HTTP/1.1 200 OK\r\nContent-Length: %u\r\n\r\nreply number %u", n * 7, n);
	return p;
}

static noinline_ session *open_session(unsigned n)
{
	auto *s = new session("user-number-" + std::to_string(n) + "@example.org");
	for (unsigned i = 0; i < n % 5; i++)
		s->pending.push_back(new request{(long)i, reply(n + i)});
	sessions[s->user] = s;
	return s;
}

static noinline_ void close_session(const std::string &user, unsigned cluster)
{
	auto it = sessions.find(user);
	session *s = it->second;
	sessions.erase(it); // and here a delete is missing
	oracle_leak(s, cluster);
	oracle_leak(s->expiry, cluster);
	oracle_leak(s->user.data(), cluster);
	oracle_cycle(s, cluster);
	oracle_cycle(s->expiry, cluster);
	oracle_type(s, "service::session");
	oracle_type(s->expiry, "service::timer");
	if (s->pending.capacity())
		oracle_leak(s->pending.data(), cluster);
	for (request *r : s->pending) {
		oracle_leak(r, cluster);
		oracle_leak(r->reply, cluster);
		oracle_value(r->reply, "reply number");
	}
}

static noinline_ void run()
{
	for (unsigned i = 0; i < 300; i++)
		open_session(i);
	for (unsigned i = 0; i < 300; i += 3)
		close_session("user-number-" + std::to_string(i) + "@example.org", i);
	for (unsigned i = 0; i < 64; i++)
		cache[i] = reply(i);
	for (unsigned i = 0; i < 64; i += 2) {
		free(cache[i]);
		cache[i] = nullptr;
	}
}

static void *worker(void *arg)
{
	char *volatile scratch = reply(1000);
	oracle_expect(scratch, 1);
	oracle_wait_forever();
	return scratch ? arg : nullptr;
}

static void situation(int, char **)
{
	run();
	for (unsigned i = 0; i < 2; i++) {
		pthread_t t;
		pthread_create(&t, nullptr, worker, nullptr);
	}
	oracle_wait_ready(2);
}
