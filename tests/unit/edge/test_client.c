/* The client: names and chains are always verified, connections are reused, every end has its words. */
#include "edge/client.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <event2/event.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "fixture.h"

static struct world *w;

static troth_rc call(struct http_client_config config, struct http_outgoing out, struct http_answer *answer, struct troth_err *e)
{
	err_clear(e);
	return http_call(w->a, &config, &out, answer, e);
}

static void plain(void **state)
{
	struct http_answer answer;
	struct troth_err e;
	struct http_client_config config = world_client(w);
	config.bearer = "token";
	static const struct http_pair more[] = { { "If-Match", "\"3\"" } };
	struct http_outgoing out = { .method = HTTP_POST, .target = "/echo?wait=2s", .body = bytes_of_text("{\"name\":\"n\"}"),
				     .headers = { more, 1 } };
	assert_true(rc_ok(call(config, out, &answer, &e)));
	assert_int_equal(answer.status, 200);
	assert_string_equal(answer.content_type, "application/json");
	assert_non_null(strstr((const char *)answer.body.data, "\"name\":\"n\""));
	assert_non_null(strstr((const char *)answer.body.data, "\"bearer\":\"token\""));
	assert_non_null(strstr((const char *)answer.body.data, "\"if_match\":\"3\""));
	assert_true(rc_ok(call(config, (struct http_outgoing){ .target = "/big" }, &answer, &e)));
	assert_int_equal(answer.body.len, 1 << 20);
	assert_true(rc_ok(call(config, (struct http_outgoing){ .method = HTTP_HEAD, .target = "/big" }, &answer, &e)));
	assert_int_equal(answer.body.len, 0);
}

static void problems(void **state)
{
	struct http_answer answer;
	struct troth_err e;
	assert_true(rc_ok(call(world_client(w), (struct http_outgoing){ .target = "/nope" }, &answer, &e)));
	assert_int_equal(http_answer_check(w->a, &answer, &e).code, TROTH_NOT_FOUND);
	assert_string_equal(e.primary, "no such path: /nope");
}

static void wrong_ca(void **state)
{
	struct http_client_config config = world_client(w);
	struct http_answer answer;
	struct troth_err e;
	config.ca_pem = bytes_of_text(w->other_ca.pem);
	assert_int_equal(call(config, (struct http_outgoing){ .target = "/echo" }, &answer, &e).code, TROTH_UNAUTHENTICATED);
	assert_non_null(strstr(e.primary, "does not verify"));
}

static void wrong_name(void **state)
{
	struct http_client_config config = world_client(w);
	struct http_answer answer;
	struct troth_err e;
	config.server = arena_printf(w->a, "https://127.0.0.2:%d", w->port);
	assert_true(rc_failed(call(config, (struct http_outgoing){ .target = "/echo" }, &answer, &e)));
	config.server = arena_printf(w->a, "https://localhost:%d", w->port);
	assert_true(rc_ok(call(config, (struct http_outgoing){ .target = "/echo" }, &answer, &e)));
}

/* The server listens on 127.0.0.1 only, but its certificate can lack the name that is asked for. */
static void certificate_of_another_name(void **state)
{
	struct bytes ca;
	struct edge_tls tls = world_tls(w, &ca);
	struct http_client_config config = world_client(w);
	struct http_answer answer;
	struct troth_err e;
	tls.cert_pem = bytes_of_text(w->ca.pem); /* a CA has no names at all */
	tls.key_pem = &w->ca.key;
	assert_true(rc_ok(edge_server_set_tls(w->edge, &tls, &e)));
	assert_int_equal(call(config, (struct http_outgoing){ .target = "/echo" }, &answer, &e).code, TROTH_UNAUTHENTICATED);
	tls = world_tls(w, &ca);
	assert_true(rc_ok(edge_server_set_tls(w->edge, &tls, &e)));
}

static void pinned(void **state)
{
	struct http_client_config config = world_client(w);
	struct http_answer answer;
	struct troth_err e;
	config.ca_pem = (struct bytes){ 0 };
	config.pinned = true;
	pki_sha256(w->ca.der, config.pin);
	assert_true(rc_ok(call(config, (struct http_outgoing){ .target = "/echo" }, &answer, &e)));
	config.pin[0] ^= 1;
	assert_int_equal(call(config, (struct http_outgoing){ .target = "/echo" }, &answer, &e).code, TROTH_UNAUTHENTICATED);
	config.pin[0] ^= 1;
	config.server = arena_printf(w->a, "https://127.0.0.1:%d", 1);
	assert_int_equal(call(config, (struct http_outgoing){ .target = "/echo" }, &answer, &e).code, TROTH_UNAVAILABLE);
}

static void nobody_there(void **state)
{
	struct http_client_config config = world_client(w);
	struct http_answer answer;
	struct troth_err e;
	config.server = "https://127.0.0.1:1";
	assert_int_equal(call(config, (struct http_outgoing){ .target = "/echo" }, &answer, &e).code, TROTH_UNAVAILABLE);
	assert_string_equal(e.primary, "could not connect to 127.0.0.1:1: Connection refused");
	config.server = "https://no-such-host.invalid:1";
	assert_int_equal(call(config, (struct http_outgoing){ .target = "/echo" }, &answer, &e).code, TROTH_UNAVAILABLE);
	config.server = "http://127.0.0.1:1";
	assert_int_equal(call(config, (struct http_outgoing){ .target = "/echo" }, &answer, &e).code, TROTH_INVALID);
}

static void too_late_and_too_large(void **state)
{
	struct http_client_config config = world_client(w);
	struct http_answer answer;
	struct troth_err e;
	assert_int_equal(call(config, (struct http_outgoing){ .target = "/hold?wait=9s", .timeout = 100 }, &answer, &e).code, TROTH_TIMEOUT);
	config.max_reply_bytes = 1000;
	assert_int_equal(call(config, (struct http_outgoing){ .target = "/big" }, &answer, &e).code, TROTH_TOO_LARGE);
}

static void refused_before_sending(void **state)
{
	struct http_answer answer;
	struct troth_err e;
	static const struct http_pair split[] = { { "X", "a\r\nY: b" } };
	assert_int_equal(call(world_client(w), (struct http_outgoing){ .target = "/a b" }, &answer, &e).code, TROTH_INVALID);
	assert_int_equal(call(world_client(w), (struct http_outgoing){ .target = "/", .headers = { split, 1 } }, &answer, &e).code, TROTH_INVALID);
	struct http_client_config config = world_client(w);
	config.bearer = "a\r\nb";
	assert_int_equal(call(config, (struct http_outgoing){ .target = "/" }, &answer, &e).code, TROTH_INVALID);
}

static bool not_loopback(const struct sockaddr *to) { return to->sa_family != AF_INET; }

static void an_address_that_may_not_be_dialled(void **state)
{
	struct http_client_config config = world_client(w);
	struct http_answer answer;
	struct troth_err e;
	int before = atomic_load(&w->handled);
	config.may_dial = not_loopback;
	assert_int_equal(call(config, (struct http_outgoing){ .target = "/echo" }, &answer, &e).code, TROTH_FORBIDDEN);
	assert_non_null(strstr(e.primary, "at an address that is not called from here"));
	assert_int_equal(atomic_load(&w->handled), before);
}

/* Who wants the status only is not kept waiting by a body that nobody reads. */
static void a_long_body_is_not_waited_for(void **state)
{
	struct http_client_config config = world_client(w);
	struct http_answer answer;
	struct troth_err e;
	config.head_suffices = true;
	config.max_reply_bytes = 1000;
	assert_true(rc_ok(call(config, (struct http_outgoing){ .target = "/big" }, &answer, &e)));
	assert_int_equal(answer.status, 200);
	assert_true(rc_ok(call(config, (struct http_outgoing){ .target = "/echo" }, &answer, &e)));
	assert_true(answer.body.len > 0);
}

static void plain_http_is_spoken_to_who_is_told_to(void **state)
{
	struct edge_server *edge = w->edge;
	int port = w->port;
	struct http_client_config config = { .plain = true };
	struct http_answer answer;
	struct troth_err e;
	world_serve(w, (struct edge_config){ .plain_listen = "127.0.0.1:0" });
	config.server = arena_printf(w->a, "http://127.0.0.1:%d", edge_server_plain_port(w->edge));
	assert_true(rc_ok(call(config, (struct http_outgoing){ .target = "/echo" }, &answer, &e)));
	assert_int_equal(answer.status, 200);
	config.server = "http://127.0.0.1:1";
	assert_int_equal(call(config, (struct http_outgoing){ .target = "/echo" }, &answer, &e).code, TROTH_UNAVAILABLE);
	config.server = "https://127.0.0.1:1";
	assert_int_equal(call(config, (struct http_outgoing){ .target = "/echo" }, &answer, &e).code, TROTH_INVALID);
	edge_server_stop(w->edge, 0);
	edge_server_join(w->edge);
	edge_server_free(w->edge);
	w->edge = edge;
	w->port = port;
}

/* The system does not know the test's CA. */
static void the_systems_cas_are_believed_when_asked_for(void **state)
{
	struct http_client_config config = world_client(w);
	struct http_answer answer;
	struct troth_err e;
	config.ca_pem = (struct bytes){ 0 };
	config.system_anchors = true;
	assert_int_equal(call(config, (struct http_outgoing){ .target = "/echo" }, &answer, &e).code, TROTH_UNAUTHENTICATED);
	setenv("SSL_CERT_FILE", world_file(w, "system.pem", w->chain_pem, strlen(w->chain_pem)), 1);
	assert_true(rc_ok(call(config, (struct http_outgoing){ .target = "/echo" }, &answer, &e)));
	unsetenv("SSL_CERT_FILE");
}

/* -- asynchronous --------------------------------------------------------------------------------------- */
struct tally { int ok, failed, last_status; struct http_client *client; int again; };

static void on_done(void *self, troth_rc rc, const struct http_answer *answer, struct arena *a, const struct troth_err *e)
{
	struct tally *t = self;
	if (rc_ok(rc))
		t->ok++, t->last_status = answer->status;
	else
		t->failed++;
	if (t->again-- > 0)
		assert_true(rc_ok(http_client_send(t->client, &(struct http_outgoing){ .target = "/echo" }, on_done, t, NULL, NULL)));
}

static void run(struct event_base *base, const int *value, int until)
{
	for (msec_t end = mono() + 5000; *value < until && mono() < end;)
		event_base_loop(base, EVLOOP_ONCE | EVLOOP_NONBLOCK);
	assert_int_equal(*value, until);
}

static void reuses_connections(void **state)
{
	struct event_base *base = event_base_new();
	struct http_client_config config = world_client(w);
	struct tally t = { .again = 20 };
	assert_true(rc_ok(http_client_new(base, &config, &t.client, NULL)));
	unsigned before = edge_server_connections(w->edge);
	on_done(&t, (troth_rc){ 1 }, NULL, NULL, NULL);
	run(base, &t.ok, 20);
	assert_in_range(edge_server_connections(w->edge), before, before + 1);
	http_client_drop_idle(t.client);
	t.again = 1;
	on_done(&t, (troth_rc){ 1 }, NULL, NULL, NULL);
	run(base, &t.ok, 21);
	http_client_free(t.client);
	event_base_loop(base, EVLOOP_NONBLOCK);
	event_base_free(base);
}

static void cancel_and_free_under_way(void **state)
{
	struct event_base *base = event_base_new();
	struct http_client_config config = world_client(w);
	struct tally t = { 0 };
	struct http_exchange *x;
	int before = atomic_load(&w->handled);
	assert_true(rc_ok(http_client_new(base, &config, &t.client, NULL)));
	for (int i = 0; i < 3; i++)
		assert_true(rc_ok(http_client_send(t.client, &(struct http_outgoing){ .target = "/hold?wait=9s" }, on_done, &t, &x, NULL)));
	while (atomic_load(&w->handled) < before + 3)
		event_base_loop(base, EVLOOP_ONCE | EVLOOP_NONBLOCK);
	http_client_cancel(x);
	http_client_free(t.client);
	event_base_loop(base, EVLOOP_NONBLOCK);
	assert_int_equal(t.ok + t.failed, 0);
	event_base_free(base);
}

static int setup(void **state) { w = world_new(); world_serve(w, (struct edge_config){ 0 }); return 0; }
static int teardown(void **state) { world_free(w); return 0; }

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(plain), cmocka_unit_test(problems), cmocka_unit_test(wrong_ca), cmocka_unit_test(wrong_name),
		cmocka_unit_test(certificate_of_another_name), cmocka_unit_test(pinned), cmocka_unit_test(nobody_there),
		cmocka_unit_test(too_late_and_too_large), cmocka_unit_test(refused_before_sending),
		cmocka_unit_test(an_address_that_may_not_be_dialled), cmocka_unit_test(a_long_body_is_not_waited_for),
		cmocka_unit_test(plain_http_is_spoken_to_who_is_told_to), cmocka_unit_test(the_systems_cas_are_believed_when_asked_for),
		cmocka_unit_test(reuses_connections), cmocka_unit_test(cancel_and_free_under_way),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
