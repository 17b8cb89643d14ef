/* The loop's queue and its end: calls that come back late, publications nobody waits for, stopping under load. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <event2/buffer.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "fixture.h"

static void stops_with_held_and_idle_and_away(void **state)
{
	struct world *w = world_new();
	world_serve(w, (struct edge_config){ .request_time = 5000 });
	struct raw held = raw_connect(w, false), idle = raw_connect(w, false), away = raw_connect(w, false), tcp = raw_connect_plain(w);
	raw_send(&held, "GET /hold?wait=30s HTTP/1.1\r\nHost: a\r\n\r\n");
	assert_true(await_int(&w->handled, 1));
	raw_send(&away, "GET /away HTTP/1.1\r\nHost: a\r\n\r\n");
	assert_true(await_int(&w->handled, 2));
	msec_t began = mono();
	edge_server_stop(w->edge, 1500);
	assert_non_null(strstr(raw_reply(w, &held), "\"said\":\"nothing\""));
	assert_non_null(strstr(raw_reply(w, &away), "\"said\":\"elsewhere\""));
	assert_true(raw_ended(&idle, 1000) && raw_ended(&tcp, 1000));
	raw_close(&held);
	raw_close(&away);
	edge_server_join(w->edge);
	assert_true(mono() - began < 2000);
	assert_int_equal(edge_server_connections(w->edge), 0);
	raw_close(&idle);
	raw_close(&tcp);
	world_free(w);
}

static void publications_are_cheap_when_nobody_waits(void **state)
{
	struct world *w = world_new();
	world_serve(w, (struct edge_config){ 0 });
	for (int i = 0; i < 1000; i++) {
		const char *topics[] = { "news", "a-topic-that-is-much-longer-than-a-topic-may-be-so-that-it-is-cut-where-the-room-ends-and-more" };
		edge_publish(w->edge, topics, 2);
	}
	struct raw r = raw_connect(w, false);
	raw_send(&r, "GET /echo HTTP/1.1\r\nHost: a\r\n\r\n");
	assert_int_equal(status_of(raw_reply(w, &r)), 200);
	raw_close(&r);
	world_free(w);
}

static void connection_cap(void **state)
{
	struct world *w = world_new();
	world_serve(w, (struct edge_config){ .connections = 3, .request_time = 5000 });
	struct raw r[3], more;
	for (int i = 0; i < 3; i++)
		r[i] = raw_connect(w, false);
	more = raw_connect_plain(w);
	assert_true(raw_ended(&more, 2000));
	raw_close(&more);
	raw_close(&r[0]);
	for (msec_t end = mono() + 5000; edge_server_connections(w->edge) > 2 && mono() < end;)
		;
	r[0] = raw_connect(w, false);
	for (int i = 0; i < 3; i++)
		raw_close(&r[i]);
	world_free(w);
}

static void limits_change_while_it_runs(void **state)
{
	struct world *w = world_new();
	world_serve(w, (struct edge_config){ .connections = 1, .request_time = 5000 });
	struct raw first = raw_connect(w, false), more = raw_connect_plain(w);
	assert_true(raw_ended(&more, 2000));
	raw_close(&more);
	edge_server_set_limits(w->edge, 2, 100, 0);
	struct raw second = raw_connect_plain(w); /* there is room for it, and it is given 100 ms for its handshake */
	msec_t began = mono();
	assert_true(raw_ended(&second, 4000));
	assert_in_range(mono() - began, 50, 3000);
	raw_close(&first);
	raw_close(&second);
	world_free(w);
}

/* Looked at from outside: what was freed is not read by this program. */
static void what_passes_through_leaves_nothing(void **state)
{
	static const char KEY[] = "0123456789-private-0123456789-private-0123456789-private-0123456";
	struct world *w = world_new();
	char seen[sizeof KEY] = "";
	world_serve(w, (struct edge_config){ 0 });
	struct evbuffer *b = evbuffer_new();
	evbuffer_add(b, KEY, sizeof KEY);
	off_t at = (off_t)(uintptr_t)evbuffer_pullup(b, -1);
	int fd = open("/proc/self/mem", O_RDONLY);
	assert_int_equal(pread(fd, seen, sizeof seen, at), sizeof seen);
	assert_memory_equal(seen, KEY, sizeof seen);
	evbuffer_free(b);
	assert_int_equal(pread(fd, seen, sizeof seen, at), sizeof seen);
	assert_null(memmem(seen, sizeof seen, KEY + 24, 8));
	close(fd);
	world_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(stops_with_held_and_idle_and_away),
					    cmocka_unit_test(publications_are_cheap_when_nobody_waits), cmocka_unit_test(connection_cap),
					    cmocka_unit_test(limits_change_while_it_runs),
					    cmocka_unit_test(what_passes_through_leaves_nothing) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
