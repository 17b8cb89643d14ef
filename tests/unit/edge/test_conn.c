/* One connection: keep-alive, pipelining, deadlines that a slow client cannot move, held polls, vanished peers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fixture.h"

enum { DEADLINE = 400 };
static struct world *w;

static const char GET_ECHO[] = "GET /echo HTTP/1.1\r\nHost: a\r\n\r\n";

static void keep_alive(void **state)
{
	struct raw r = raw_connect(w, true);
	for (int i = 0; i < 5; i++) {
		raw_send(&r, GET_ECHO);
		const char *reply = raw_reply(w, &r);
		assert_int_equal(status_of(reply), 200);
		assert_null(strstr(reply, "\"peer_cert\":0"));
	}
	raw_close(&r);
}

static void connection_close(void **state)
{
	struct raw r = raw_connect(w, false);
	raw_send(&r, "GET /echo HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
	assert_non_null(strstr(raw_reply(w, &r), "Connection: close\r\n"));
	assert_true(raw_ended(&r, 300));
	raw_close(&r);
}

static void many_pipelined(void **state)
{
	struct raw r = raw_connect(w, false);
	const char *many = "";
	for (int i = 0; i < 50; i++)
		many = arena_printf(w->a, "%s%s", many, GET_ECHO);
	raw_send(&r, many);
	for (int i = 0; i < 50; i++)
		assert_int_equal(status_of(raw_reply(w, &r)), 200);
	raw_close(&r);
}

static void large_reply(void **state)
{
	struct raw r = raw_connect(w, false);
	raw_send(&r, "GET /big HTTP/1.1\r\nHost: a\r\n\r\n");
	assert_true(strlen(raw_reply(w, &r)) > 1 << 20);
	raw_send(&r, GET_ECHO);
	assert_int_equal(status_of(raw_reply(w, &r)), 200);
	raw_close(&r);
}

static void expect_continue(void **state)
{
	struct raw r = raw_connect(w, false);
	raw_send(&r, "POST /echo HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n");
	assert_int_equal(status_of(raw_reply(w, &r)), 100);
	raw_send(&r, "{}");
	assert_int_equal(status_of(raw_reply(w, &r)), 200);
	raw_close(&r);
}

/* -- slow and silent -------------------------------------------------------------------------------- */
static void assert_cut(struct raw *r, const char *drip)
{
	msec_t began = mono();
	bool ended = false;
	for (size_t i = 0; !ended && mono() - began < 4 * DEADLINE; i++) {
		const char *byte = drip ? &drip[i % strlen(drip)] : NULL;
		if (byte && r->ssl)
			SSL_write(r->ssl, byte, 1);
		else if (byte)
			(void)!send(r->fd, byte, 1, MSG_NOSIGNAL);
		ended = raw_ended(r, 50);
	}
	assert_true(ended);
	assert_in_range(mono() - began, DEADLINE / 2, 3 * DEADLINE);
	raw_close(r);
}

static void silent_tcp(void **state) { struct raw r = raw_connect_plain(w); assert_cut(&r, NULL); }
static void silent_tls(void **state) { struct raw r = raw_connect(w, false); assert_cut(&r, NULL); }

static void slow_client_hello(void **state)
{
	struct raw r = raw_connect_plain(w);
	assert_cut(&r, "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"); /* a ClientHello that never ends */
}

static void slow_header(void **state) { struct raw r = raw_connect(w, false); raw_send(&r, "GET /"); assert_cut(&r, "a"); }

static void slow_body(void **state)
{
	struct raw r = raw_connect(w, false);
	raw_send(&r, "POST /any HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n");
	assert_cut(&r, "a");
}

static void slow_chunks(void **state)
{
	struct raw r = raw_connect(w, false);
	raw_send(&r, "POST /any HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
	assert_cut(&r, "1\r\na\r\n");
}

static void slow_second_request(void **state)
{
	struct raw r = raw_connect(w, false);
	raw_send(&r, GET_ECHO);
	assert_int_equal(status_of(raw_reply(w, &r)), 200);
	raw_send(&r, "GET /");
	assert_cut(&r, "a");
}

static void slow_request_is_told_why(void **state)
{
	struct raw r = raw_connect(w, false);
	raw_send(&r, "GET /ech");
	assert_int_equal(status_of(raw_reply(w, &r)), 408);
	raw_close(&r);
}

static void slow_reader(void **state)
{
	struct raw r = raw_connect(w, false);
	int small = 4096, before = atomic_load(&w->finished) + atomic_load(&w->dropped);
	setsockopt(r.fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
	for (int i = 0; i < 8; i++)
		raw_send(&r, "GET /big HTTP/1.1\r\nHost: a\r\n\r\n"); /* more than the kernel takes in */
	msec_t end = mono() + 5000;
	while (edge_server_connections(w->edge) && mono() < end)
		poll(NULL, 0, 5);
	assert_int_equal(edge_server_connections(w->edge), 0);
	assert_true(atomic_load(&w->finished) + atomic_load(&w->dropped) > before);
	raw_close(&r);
}

/* -- held ------------------------------------------------------------------------------------------- */
static const char GET_HOLD[] = "GET /hold?wait=30s HTTP/1.1\r\nHost: a\r\n\r\n";

static void hold(struct raw *r, const char *request)
{
	int before = atomic_load(&w->handled);
	raw_send(r, request);
	assert_true(await_int(&w->handled, before + 1));
}

static void publish(const char *topic) { edge_publish(w->edge, &topic, 1); }

static void held_until_news(void **state)
{
	struct raw r = raw_connect(w, false);
	hold(&r, GET_HOLD);
	assert_false(raw_ended(&r, 2 * DEADLINE)); /* no request deadline while held */
	publish("other");
	publish("news");
	assert_non_null(strstr(raw_reply(w, &r), "\"said\":\"news\""));
	raw_send(&r, GET_ECHO);
	assert_int_equal(status_of(raw_reply(w, &r)), 200);
	raw_close(&r);
}

static void held_until_the_deadline(void **state)
{
	struct raw r = raw_connect(w, false);
	raw_send(&r, "GET /hold?wait=100ms HTTP/1.1\r\nHost: a\r\n\r\n");
	assert_non_null(strstr(raw_reply(w, &r), "\"said\":\"nothing\""));
	raw_close(&r);
}

static void pipelined_behind_a_held_poll(void **state)
{
	struct raw r = raw_connect(w, false);
	hold(&r, GET_HOLD);
	raw_send(&r, GET_ECHO);
	raw_send(&r, "GET /echo HT");
	assert_false(raw_ended(&r, 100));
	publish("news");
	assert_non_null(strstr(raw_reply(w, &r), "\"said\":\"news\""));
	assert_non_null(strstr(raw_reply(w, &r), "\"path\":\"/echo\""));
	raw_send(&r, "TP/1.1\r\nHost: a\r\n\r\n");
	assert_non_null(strstr(raw_reply(w, &r), "\"path\":\"/echo\""));
	raw_close(&r);
}

static void vanished_peer_is_noticed_at_once(void **state)
{
	int dropped = atomic_load(&w->dropped);
	struct raw r = raw_connect(w, false);
	hold(&r, GET_HOLD);
	close(r.fd);
	assert_true(await_int(&w->dropped, dropped + 1));
	SSL_free(r.ssl);
	SSL_CTX_free(r.ctx);
	publish("news");
}

static void many_held(void **state)
{
	enum { N = 40 };
	struct raw r[N];
	int before = atomic_load(&w->handled);
	for (int i = 0; i < N; i++) {
		r[i] = raw_connect(w, false);
		raw_send(&r[i], GET_HOLD);
	}
	assert_true(await_int(&w->handled, before + N));
	close(r[3].fd);
	publish("news");
	for (int i = 0; i < N; i++) {
		if (i != 3)
			assert_non_null(strstr(raw_reply(w, &r[i]), "\"said\":\"news\""));
		raw_close(&r[i]);
	}
}

/* -- away --------------------------------------------------------------------------------------------- */
static void answered_by_another_thread(void **state)
{
	struct raw r = raw_connect(w, false);
	raw_send(&r, "GET /away HTTP/1.1\r\nHost: a\r\n\r\n");
	assert_non_null(strstr(raw_reply(w, &r), "\"said\":\"elsewhere\""));
	raw_close(&r);
}

static void peer_gone_while_away(void **state)
{
	int before = atomic_load(&w->handled);
	for (int i = 0; i < 10; i++) {
		struct raw r = raw_connect(w, false);
		raw_send(&r, "GET /away HTTP/1.1\r\nHost: a\r\n\r\n");
		raw_close(&r);
	}
	assert_true(await_int(&w->handled, before + 10));
	answered_by_another_thread(state);
}

static int setup(void **state)
{
	w = world_new();
	world_serve(w, (struct edge_config){ .request_time = DEADLINE, .idle_time = DEADLINE });
	return 0;
}
static int teardown(void **state) { world_free(w); return 0; }

/* -- streams ------------------------------------------------------------------------------------ */
/* Reads until `word` has come; false: the end came first. */
static bool stream_says(struct raw *r, char *all, size_t size, const char *word)
{
	size_t len = strlen(all);
	while (!strstr(all, word)) {
		if (len == size - 1 || SSL_read(r->ssl, all + len, 1) != 1)
			return false;
		all[++len] = 0;
	}
	return true;
}

static void stream_goes_on_until_the_server_ends_it(void **state)
{
	struct world *own = world_new();
	char all[8192] = "";
	const char *topics[] = { "news" };
	world_serve(own, (struct edge_config){ 0 });
	struct raw r = raw_connect(own, false);
	raw_send(&r, "GET /stream HTTP/1.1\r\nHost: a\r\n\r\n");
	assert_true(stream_says(&r, all, sizeof all, "first\n"));
	assert_non_null(strstr(all, "HTTP/1.1 200 "));
	assert_non_null(strstr(all, "Content-Type: text/event-stream\r\n"));
	assert_non_null(strstr(all, "Connection: close\r\n"));
	assert_null(strstr(all, "Content-Length"));
	assert_true(stream_says(&r, all, sizeof all, "beat\n")); /* nothing happened: it lives */
	edge_publish(own->edge, topics, 1);
	assert_true(stream_says(&r, all, sizeof all, "news\n"));
	edge_server_stop(own->edge, 2000);
	assert_false(stream_says(&r, all, sizeof all, "never")); /* an orderly end */
	raw_close(&r);
	edge_server_join(own->edge);
	assert_int_equal(atomic_load(&own->finished), 1);
	world_free(own);
}

/* Its bytes fill the sockets, then the backlog; it is not waited for for ever. */
static void a_stream_that_nobody_reads_is_ended(void **state)
{
	struct world *own = world_new();
	world_serve(own, (struct edge_config){ .request_time = 300 });
	struct raw r = raw_connect(own, false);
	raw_send(&r, "GET /stream?much HTTP/1.1\r\nHost: a\r\n\r\n");
	assert_true(await_int(&own->finished, 1));
	raw_close(&r);
	world_free(own);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keep_alive), cmocka_unit_test(connection_close), cmocka_unit_test(many_pipelined),
		cmocka_unit_test(large_reply), cmocka_unit_test(expect_continue), cmocka_unit_test(silent_tcp),
		cmocka_unit_test(silent_tls), cmocka_unit_test(slow_client_hello), cmocka_unit_test(slow_header),
		cmocka_unit_test(slow_body), cmocka_unit_test(slow_chunks), cmocka_unit_test(slow_second_request),
		cmocka_unit_test(slow_request_is_told_why), cmocka_unit_test(slow_reader), cmocka_unit_test(held_until_news),
		cmocka_unit_test(held_until_the_deadline), cmocka_unit_test(pipelined_behind_a_held_poll),
		cmocka_unit_test(vanished_peer_is_noticed_at_once), cmocka_unit_test(many_held),
		cmocka_unit_test(answered_by_another_thread), cmocka_unit_test(peer_gone_while_away),
		cmocka_unit_test(stream_goes_on_until_the_server_ends_it), cmocka_unit_test(a_stream_that_nobody_reads_is_ended),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
