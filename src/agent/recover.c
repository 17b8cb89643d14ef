/* Asking for a new identity.  See recover.h. */
#include "agent/recover.h"

#include <event2/event.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "edge/client.h"
#include "port/port.h"

enum { RECOVER_ARENA = 1 << 20 };

struct recover {
	struct recover_config config;
	struct arena *a;
	struct http_client *http;
	struct key *key;
	struct event *timer;
	msec_t pause;
	const char *certificate;
	msec_t not_after;         /* of it */
	char *csr;                /* malloc'ed */
	const char *said;         /* what the log was told last, a literal */
	bool asking;
};

msec_t recover_next_pause(msec_t pause)
{
	msec_t next = pause + pause / 2;
	return next < RECOVER_LONGEST_S * MSEC_S ? next : RECOVER_LONGEST_S * MSEC_S;
}

/* A fleet that wakes up together shall not ask together: up to a quarter more. */
static void ask_later(struct recover *r)
{
	uint16_t random;
	PORT_RANDOM_REAL.fill(PORT_RANDOM_REAL.self, &random, sizeof random);
	msec_t in = r->pause + r->pause / 4 * random / UINT16_MAX;
	struct timeval tv = { in / MSEC_S, in % MSEC_S * 1000 };
	r->asking = false;
	r->pause = recover_next_pause(r->pause);
	event_add(r->timer, &tv);
}

static void failed(struct recover *r, const struct troth_err *e)
{
	if (e->kind == TROTH_FORBIDDEN)
		r->pause = RECOVER_LONGEST_S * MSEC_S; /* somebody said no: only somebody can say otherwise */
	log_err(LOG_LEVEL_WARN, "recovery.failed", e);
	r->said = NULL;
	ask_later(r);
}

/* -- saying it to people ------------------------------------------------------------------------------- */
static void say_waiting(struct recover *r, const struct msg_recovering *m)
{
	bool contested = text_equal(m->state, "contested");
	const char *event = contested ? "recovery.contested" : "recovery.waiting";
	char hex[SHA256_HEX_LEN] = "", text[400];
	uint8_t id[SHA256_LEN];
	struct csr csr;
	CLEANUP(arena_freep) struct arena *a = arena_new(RECOVER_ARENA);
	if (r->said && strcmp(r->said, event) == 0)
		return;
	r->said = event;
	if (rc_ok(csr_parse(a, bytes_of_text(r->csr), &csr, NULL))) {
		spki_id(csr.spki, id);
		hex_encode(id, sizeof id, hex);
	}
	snprintf(text, sizeof text, contested ? "another agent has proved the same old key with another new key; enrol the right node with a token: "
						"troth token create --instance %s --reinstall" :
						"an operator must approve: troth recover approve %s", m->instance);
	LOG(LOG_LEVEL_WARN, event, LOG_S("instance", m->instance), LOG_S("key", hex), LOG_S("text", text));
}

/* -- the exchange ---------------------------------------------------------------------------------------------- */
static void on_answer(void *self, troth_rc rc, const struct http_answer *answer, struct arena *a, const struct troth_err *why)
{
	struct recover *r = self;
	struct msg_recovering m;
	struct troth_err e = { 0 };
	if (rc_failed(rc))
		e = *why;
	else
		rc = http_answer_check(a, answer, &e);
	if (rc_ok(rc))
		rc = msg_recovering_decode(a, answer->body, &m, &e);
	if (rc_failed(rc)) {
		failed(r, &e);
		return;
	}
	if (text_equal(m.state, "approved")) {
		r->config.approved(r->config.self, &m);
		return;
	}
	say_waiting(r, &m);
	ask_later(r);
}

static troth_rc spell(struct recover *r, struct arena *a, const char *nonce, struct buf *out, struct troth_err *e)
{
	CLEANUP(buf_release) struct buf signature = buf_make(MSG_SIGNATURE_BYTES / 2);
	struct msg_recovery m = { .certificate = r->certificate, .csr = r->csr, .nonce = nonce };
	TRY(key_sign(r->key, msg_recovery_signed(a, &m), &signature, e));
	m.signature = hex_encode(signature.data, signature.len, arena_alloc(a, 2 * signature.len + 1));
	msg_recovery_encode(out, &m);
	ENSURE(buf_ok(out), e, TROTH_TOO_LARGE, "the request for recovery is too large");
	return RC_OK;
}

static troth_rc ask_with(struct recover *r, struct arena *a, const struct http_answer *answer, struct troth_err *e)
{
	CLEANUP(buf_release) struct buf body = buf_make(MSG_BYTES);
	struct msg_nonce m;
	TRY(http_answer_check(a, answer, e));
	TRY(msg_nonce_decode(a, answer->body, &m, e));
	TRY(spell(r, a, m.nonce, &body, e));
	struct http_outgoing out = { .method = HTTP_POST, .target = "/v1/agent/recovery", .body = buf_bytes(&body) };
	return http_client_send(r->http, &out, on_answer, r, NULL, e);
}

static void on_nonce(void *self, troth_rc rc, const struct http_answer *answer, struct arena *a, const struct troth_err *why)
{
	struct recover *r = self;
	struct troth_err e = { 0 };
	if (rc_failed(rc))
		e = *why;
	else
		rc = ask_with(r, a, answer, &e);
	if (rc_failed(rc))
		failed(r, &e);
}

/* A clock that was ahead when the node started makes a good identity look old, until it is put right. */
static void ask_nonce(struct recover *r)
{
	struct troth_err e = { 0 };
	struct http_outgoing out = { .method = HTTP_GET, .target = "/v1/agent/recovery" };
	if (port_now(&PORT_CLOCK_REAL) < r->not_after) {
		r->config.valid(r->config.self);
		return;
	}
	r->asking = true;
	if (rc_failed(http_client_send(r->http, &out, on_nonce, r, NULL, &e)))
		failed(r, &e);
}

static void on_timer(evutil_socket_t fd, short what, void *self)
{
	struct recover *r = self;
	if (r->csr)
		ask_nonce(r);
	else
		r->config.want_csr(r->config.self);
}

/* -- life ----------------------------------------------------------------------------------------------------------- */
void recover_ask(struct recover *r, const char *csr)
{
	free(r->csr);
	r->csr = strdup(csr);
	CHECK(r->csr);
	if (!r->asking && !evtimer_pending(r->timer, NULL))
		ask_nonce(r);
}

void recover_again(struct recover *r)
{
	ask_later(r);
}

static troth_rc fill(struct recover *r, const struct recover_config *config, struct troth_err *e)
{
	struct http_client_config http = { .server = config->server, .ca_pem = bytes_of_text(config->server_ca), .old_anchors = true,
					   .max_reply_bytes = MSG_BYTES };
	r->config = *config;
	r->config.identity = NULL; /* the caller's */
	r->config.key = bytes_of(NULL, 0);
	r->pause = config->first_pause ? config->first_pause : RECOVER_FIRST_S * MSEC_S;
	r->a = arena_new(RECOVER_ARENA);
	r->certificate = cert_pem(r->a, config->identity->der);
	r->not_after = config->identity->not_after;
	TRY(key_parse(config->key, &r->key, e));
	ENSURE(key_public_matches(r->key, config->identity->spki), e, TROTH_INVALID, "the identity's key is not that of its certificate");
	TRY(http_client_new(config->base, &http, &r->http, e));
	r->timer = evtimer_new(config->base, on_timer, r);
	ENSURE(r->timer, e, TROTH_UNAVAILABLE, "could not make a timer");
	return RC_OK;
}

troth_rc recover_new(const struct recover_config *config, struct recover **ret, struct troth_err *e)
{
	struct recover *r = calloc(1, sizeof *r);
	CHECK(r);
	troth_rc rc = fill(r, config, e);
	if (rc_failed(rc)) {
		recover_free(r);
		return rc;
	}
	*ret = r;
	return RC_OK;
}

void recover_free(struct recover *r)
{
	if (!r)
		return;
	http_client_free(r->http); /* what is under way ends without a word */
	if (r->timer)
		event_free(r->timer);
	key_release(r->key);
	free(r->csr);
	arena_free(r->a);
	free(r);
}
