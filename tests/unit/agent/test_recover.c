/* Asking for a new identity: against a server of this test's own that answers by a script. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <event2/event.h>
#include <stdlib.h>
#include <string.h>

#include "../edge/fixture.h"
#include "agent/recover.h"
#include "service/verb.h"

enum { PAUSE_MS = 20 }; /* this test's server allows any */

#define ID "6f1c3a52-0b7e-4d0a-9a52-3f1b2c4d5e01"

struct script {
	struct world *w;
	struct edge_server *edge;
	const char *answers[4]; /* bodies of the POSTs, one after the other; the last one stays */
	int statuses[4];
	_Atomic int nonces, posts;
	struct bytes spki;      /* of the old identity */
	atomic_bool unproved;
	struct msg_recovery last;
	struct arena *a;
	/* the agent's side */
	struct event_base *base;
	struct recover *r;
	struct key *old, *next;
	const struct cert *identity;
	const char *csr;
	int wanted, approved, valid;
	const char *certificate;
};

static const struct verb ANY = { .name = "any", .cmd_size = 8, .ret_size = 8 };
static const struct route ROWS[] = {
	{ HTTP_GET, "/v1/agent/recovery", &ANY, NULL, NULL, ROUTE_NO_AUTH },
	{ HTTP_POST, "/v1/agent/recovery", &ANY, NULL, NULL, ROUTE_NO_AUTH | ROUTE_ANY_BODY },
};
static const struct route_table ROUTES = { ROWS, ARRAY_LEN(ROWS) };

static void answer(struct edge_call *call, int status, const char *body)
{
	CLEANUP(http_reply_release) struct http_reply reply = http_reply_make();
	http_reply_text(&reply, status, status < 300 ? "application/json" : "application/problem+json", body);
	edge_send(call, &reply);
}

static void judge(struct script *s, struct edge_call *call)
{
	CLEANUP(arena_freep) struct arena *a = arena_new(8 << 20);
	struct msg_recovery m;
	uint8_t signature[MSG_SIGNATURE_BYTES / 2];
	if (rc_failed(msg_recovery_decode(a, call->request.body, &m, NULL)) ||
	    !hex_decode(m.signature, strlen(m.signature), signature, strlen(m.signature) / 2) ||
	    rc_failed(spki_verify(s->spki, msg_recovery_signed(a, &m), bytes_of(signature, strlen(m.signature) / 2), NULL)) ||
	    call->request.peer_cert.len)
		atomic_store(&s->unproved, true);
}

static void handle(void *self, struct edge_call *call)
{
	struct script *s = self;
	if (call->request.method == HTTP_GET) {
		atomic_fetch_add(&s->nonces, 1);
		answer(call, 200, "{\"nonce\":\"00ff\"}");
		return;
	}
	judge(s, call);
	int i = atomic_fetch_add(&s->posts, 1);
	i = i < 4 && s->answers[i] ? i : s->answers[1] ? 1 : 0;
	answer(call, s->statuses[i], s->answers[i]);
}

static void finished(void *self, const struct edge_call *call, int status) { }

static void serve(struct script *s)
{
	struct bytes ca;
	struct edge_tls tls = world_tls(s->w, &ca);
	struct edge_config config = { .listen = "127.0.0.1:0", .loops = 1, .request_time = 5000, .clock = &PORT_CLOCK_REAL, .random = &PORT_RANDOM_REAL,
				      .tables = &ROUTES, .table_count = 1, .handler = { s, handle, NULL, NULL, finished } };
	struct troth_err e = { 0 };
	if (rc_failed(edge_server_new(&config, &tls, &s->edge, &e)) || rc_failed(edge_server_start(s->edge, &e)))
		fail_msg("%s", e.primary);
}

static void on_want(void *self)
{
	struct script *s = self;
	s->wanted++;
	event_base_loopbreak(s->base);
}

static void on_approved(void *self, const struct msg_recovering *m)
{
	struct script *s = self;
	s->approved++;
	s->certificate = arena_text(s->a, m->certificate);
	event_base_loopbreak(s->base);
}

static void on_valid(void *self)
{
	struct script *s = self;
	s->valid++;
	event_base_loopbreak(s->base);
}

static struct key *new_key(void)
{
	struct key *k;
	assert_true(rc_ok(key_generate(KEY_EC_P256, &k, NULL)));
	return k;
}

static struct script *script_until(const char *server_ca, msec_t end)
{
	struct script *s = calloc(1, sizeof *s);
	struct troth_err e = { 0 };
	CLEANUP(buf_release) struct buf pem = buf_make_secret(8192);
	msec_t now = port_now(&PORT_CLOCK_REAL);
	const struct cert *ca;
	struct bytes der;
	s->w = world_new();
	s->a = arena_new(16 << 20);
	s->base = event_base_new();
	s->old = new_key();
	s->next = new_key();
	struct cert_spec spec = { .kind = CERT_LEAF, .common_name = ID, .not_before = now - MSEC_DAY, .not_after = now + end, .path_len = -1,
				  .serial = { 3 }, .eku = EKU_CLIENT };
	assert_true(rc_ok(key_spki(s->old, s->a, &spec.spki, &e)) && rc_ok(key_write(s->old, KEY_PKCS8_PEM, &pem, &e)));
	s->spki = spec.spki;
	assert_true(rc_ok(cert_parse(s->a, s->w->ca.der, &ca, &e)) && rc_ok(cert_build(&spec, ca, s->w->ca_key, s->a, &der, &e)));
	assert_true(rc_ok(cert_parse(s->a, der, &s->identity, &e)) && rc_ok(csr_build(s->a, s->next, ID, &s->csr, &e)));
	serve(s);
	struct recover_config config = { .base = s->base, .server = arena_printf(s->a, "https://127.0.0.1:%d", edge_server_port(s->edge)),
					 .server_ca = server_ca ? server_ca : s->w->ca.pem, .identity = s->identity, .key = buf_bytes(&pem), .self = s,
					 .want_csr = on_want, .approved = on_approved, .valid = on_valid, .first_pause = PAUSE_MS };
	if (rc_failed(recover_new(&config, &s->r, &e)))
		fail_msg("%s", e.primary);
	return s;
}

static struct script *setup_script(const char *server_ca) { return script_until(server_ca, -MSEC_HOUR); }

static void script_free(struct script *s)
{
	recover_free(s->r);
	event_base_loop(s->base, EVLOOP_NONBLOCK);
	event_base_free(s->base);
	edge_server_stop(s->edge, 500);
	edge_server_join(s->edge);
	edge_server_free(s->edge);
	world_free(s->w);
	key_release(s->old);
	key_release(s->next);
	arena_free(s->a);
	free(s);
}

static void run_until(struct script *s, msec_t limit)
{
	struct timeval tv = { limit / 1000, limit % 1000 * 1000 };
	event_base_loopexit(s->base, &tv);
	event_base_dispatch(s->base);
}

static const char PENDING[] = "{\"state\":\"pending\",\"instance\":\"pg-1\",\"retry_s\":2}";
static const char APPROVED[] = "{\"state\":\"approved\",\"instance\":\"pg-1\",\"certificate\":\"C\",\"chain\":\"\",\"server_ca\":\"S\"}";

/* It asks, waits, asks again with a fresh nonce, and hands the certificate over once. */
static void asked_until_approved(void **state)
{
	struct script *s = setup_script(NULL);
	s->answers[0] = PENDING;
	s->statuses[0] = 202;
	s->answers[1] = APPROVED;
	s->statuses[1] = 200;
	recover_ask(s->r, s->csr);
	run_until(s, 20000);
	assert_int_equal(s->approved, 1);
	assert_string_equal(s->certificate, "C");
	assert_int_equal(atomic_load(&s->nonces), 2);
	assert_int_equal(atomic_load(&s->posts), 2);
	assert_false(atomic_load(&s->unproved));
	script_free(s);
}

/* A refusal, and an answer that cannot be read: it goes on asking, later. */
static void refused_is_not_the_end(void **state)
{
	struct script *s = setup_script(NULL);
	s->answers[0] = "{\"state\":\"approved\",\"instance\":\"pg-1\"}";
	s->statuses[0] = 200;
	s->answers[1] = APPROVED;
	s->statuses[1] = 200;
	recover_ask(s->r, s->csr);
	run_until(s, 20000);
	assert_int_equal(s->approved, 1);
	assert_int_equal(atomic_load(&s->posts), 2);
	script_free(s);
}

/* Nothing is said to a server that another CA vouches for. */
static void a_stranger_hears_nothing(void **state)
{
	struct world *other = world_new();
	struct script *s = setup_script(other->other_ca.pem);
	s->answers[0] = APPROVED;
	s->statuses[0] = 200;
	recover_ask(s->r, s->csr);
	run_until(s, 10 * PAUSE_MS); /* it tries again meanwhile */
	assert_int_equal(s->approved, 0);
	assert_int_equal(atomic_load(&s->nonces), 0);
	script_free(s);
	world_free(other);
}

/* The hand could not make the CSR: it is asked again. */
static void without_a_csr_it_is_wanted_again(void **state)
{
	struct script *s = setup_script(NULL);
	recover_again(s->r);
	run_until(s, 20000);
	assert_int_equal(s->wanted, 1);
	assert_int_equal(atomic_load(&s->nonces), 0);
	script_free(s);
}

/* The clock was ahead when it began, and was put right: nobody needs to approve anything. */
static void what_has_not_expired_is_not_asked_for(void **state)
{
	struct script *s = script_until(NULL, MSEC_HOUR);
	s->answers[0] = PENDING;
	s->statuses[0] = 202;
	recover_ask(s->r, s->csr);
	assert_int_equal(s->valid, 1); /* at once */
	run_until(s, 2 * PAUSE_MS);
	assert_int_equal(atomic_load(&s->nonces), 0);
	script_free(s);
}

static void wrong_parts(void **state)
{
	struct script *s = setup_script(NULL);
	CLEANUP(buf_release) struct buf pem = buf_make_secret(8192);
	struct troth_err e = { 0 };
	struct recover *r;
	assert_true(rc_ok(key_write(s->next, KEY_PKCS8_PEM, &pem, &e)));
	struct recover_config config = { .base = s->base, .server = "https://127.0.0.1:1", .server_ca = s->w->ca.pem, .identity = s->identity, .key = buf_bytes(&pem) };
	assert_int_equal(recover_new(&config, &r, &e).code, TROTH_INVALID);
	assert_non_null(strstr(e.primary, "is not that of its certificate"));
	pem.len = 0;
	assert_true(rc_ok(key_write(s->old, KEY_PKCS8_PEM, &pem, &e)));
	config.key = buf_bytes(&pem);
	config.server_ca = "none";
	assert_true(rc_failed(recover_new(&config, &r, &e)));
	recover_free(NULL);
	script_free(s);
}

static void pauses_grow_to_their_bound(void **state)
{
	msec_t pause = RECOVER_FIRST_S * MSEC_S, before = 0;
	assert_true(pause > LIMIT_RECOVERY_PAUSE_S * MSEC_S); /* what the server allows */
	for (int i = 0; i < 20; i++, before = pause, pause = recover_next_pause(pause))
		assert_true(pause > before || pause == RECOVER_LONGEST_S * MSEC_S);
	assert_int_equal(pause, RECOVER_LONGEST_S * MSEC_S);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(asked_until_approved), cmocka_unit_test(refused_is_not_the_end), cmocka_unit_test(a_stranger_hears_nothing),
		cmocka_unit_test(without_a_csr_it_is_wanted_again), cmocka_unit_test(what_has_not_expired_is_not_asked_for),
		cmocka_unit_test(wrong_parts), cmocka_unit_test(pauses_grow_to_their_bound),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
