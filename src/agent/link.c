/* One event loop: the channel to the hand, the server's answers, results of looks, one timer.
 *
 * Everything that comes in becomes an event of the core; what the core wants done is done here.  An
 * effect that cannot be done becomes a failed answer, on the next turn of the loop, never from inside
 * a step. */
#include "agent/link.h"

#include <event2/event.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "agent/channel.h"
#include "agent/core.h"
#include "agent/probes.h"
#include "agent/recover.h"
#include "base/log.h"
#include "edge/client.h"
#include "pki/pki.h"
#include "port/port.h"

enum {
	STEP_ARENA = 32 << 20,
	TICKET_IDENTITY = 0xffffff00, /* tickets from here on are the link's own */
	RENEW_CHECK_S = 60,           /* how often the age of the identity is looked at */
	RENEW_LEAST_MS = 3600000,     /* between two renewals */
	RENEW_TOLD = 1,               /* renew_at: at once, as the server said */
	RENEW_AGAIN_S = 2,            /* after a failure, when it said so */
	RENEW_SPREAD_US = 1000000,    /* a fleet that is told to come for new identities does not come as one */
	PEERS = 16,                   /* clients whose answers are waited for */
	PEER_MS = (AGENT_HOLD_S + 60) * 1000, /* longer than any answer takes */
};

struct peer { struct http_client *http; msec_t until; };

struct link {
	struct event_base *base;
	struct event *readable, *writable, *timer, *probed, *renew;
	struct channel channel;
	struct agent_core *core;
	struct probes *probes;
	struct http_client *http;
	struct peer former[PEERS];           /* until their answers have come, oldest first */
	size_t former_count;
	int identity_fd;                     /* memfd */
	msec_t renew_at, not_after;          /* of the identity: half its life, and its end; 0: not known yet */
	bool renewing, ended;
	struct recover *recover;             /* the identity has expired, and a new one is asked for; or NULL */
	struct asked *asked;                 /* all that are under way */
	struct agent_effects effects;
};

struct asked { /* an exchange under way */
	bool held; /* not sent: there is no identity to send it with */
	struct link *l;
	struct asked *next;
	enum agent_ask ask;
	uint32_t ticket;
	struct http_exchange *exchange; /* NULL: not sent */
};

static msec_t mono(void) { return port_mono(&PORT_CLOCK_REAL); }

static void perform(struct link *l);

static void step(struct link *l, const struct agent_event *event)
{
	struct arena *a = arena_new(STEP_ARENA);
	agent_step(l->core, event, mono(), a, &l->effects);
	perform(l);
	arena_free(a);
}

static void end(struct link *l, const struct troth_err *e)
{
	if (!l->ended && e)
		log_err(LOG_LEVEL_INFO, "link.ended", e);
	l->ended = true;
	event_base_loopbreak(l->base);
}

/* -- the server's answers --------------------------------------------------------------------------- */

static const char *const ASK_NAMES[] = { [ASK_OPEN] = "session", [ASK_POLL] = "desired", [ASK_REPORT] = "report", [ASK_CSR] = "csr" };

static troth_rc decode_answer(struct arena *a, const struct http_answer *answer, struct agent_answer *m, struct troth_err *e)
{
	struct msg_opened *opened = ARENA_NEW(a, struct msg_opened);
	struct msg_desired *desired = ARENA_NEW(a, struct msg_desired);
	TRY(http_answer_check(a, answer, e));
	if (m->ask == ASK_OPEN)
		TRY(msg_opened_decode(a, answer->body, opened, e));
	if (m->ask == ASK_POLL)
		TRY(msg_desired_decode(a, answer->body, desired, e));
	m->opened = opened;
	m->desired = desired;
	return RC_OK;
}

static struct asked *asked_add(struct link *l, enum agent_ask ask, uint32_t ticket)
{
	struct asked *asked = calloc(1, sizeof *asked);
	CHECK(asked);
	*asked = (struct asked){ false, l, l->asked, ask, ticket, NULL };
	l->asked = asked;
	return asked;
}

static void asked_drop(struct asked *asked)
{
	for (struct asked **p = &asked->l->asked; *p; p = &(*p)->next)
		if (*p == asked) {
			*p = asked->next;
			break;
		}
	free(asked);
}

/* The CA of the present identity is to go. */
static void heed(struct link *l, const struct agent_answer *m)
{
	uint32_t spread;
	if (!m->ok || m->ask != ASK_POLL || !m->desired->renew_identity || l->renewing || !l->http)
		return;
	PORT_RANDOM_REAL.fill(PORT_RANDOM_REAL.self, &spread, sizeof spread);
	struct timeval soon = { 0, spread % RENEW_SPREAD_US };
	l->renew_at = RENEW_TOLD;
	event_add(l->renew, &soon);
}

static void give_answer(struct link *l, const struct agent_answer *m)
{
	heed(l, m);
	step(l, &(struct agent_event){ .kind = EVENT_ANSWER, .answer = m });
}

static void on_answer(void *self, troth_rc rc, const struct http_answer *answer, struct arena *a, const struct troth_err *why)
{
	struct asked *asked = self;
	struct link *l = asked->l;
	struct agent_answer m = { .ask = asked->ask, .ticket = asked->ticket };
	struct troth_err e = { 0 };
	asked_drop(asked);
	if (rc_ok(rc))
		rc = decode_answer(a, answer, &m, &e);
	else
		e = *why;
	m.ok = rc_ok(rc);
	m.kind = e.kind;
	m.stale = !m.ok && text_ends(e.clause, "stale-session");
	if (!m.ok && !m.stale)
		LOG(LOG_LEVEL_WARN, "server.ask-failed", LOG_S("ask", ASK_NAMES[m.ask]), LOG_S("why", e.primary), LOG_S("hint", e.hint));
	give_answer(l, &m);
}

/* -- asking -------------------------------------------------------------------------------------------- */

static void answer_later(evutil_socket_t fd, short what, void *self)
{
	struct asked *asked = self;
	struct agent_answer m = { .ask = asked->ask, .ticket = asked->ticket, .kind = TROTH_UNAVAILABLE };
	struct link *l = asked->l;
	asked_drop(asked);
	give_answer(l, &m);
}

static void answer_soon(struct link *l, struct asked *asked)
{
	struct timeval soon = { 0, 0 };
	asked->held = false;
	CHECK(event_base_once(l->base, -1, EV_TIMEOUT, answer_later, asked, &soon) == 0);
}

static struct http_outgoing spell_ask(const struct agent_effect *x, struct buf *body, char target[160])
{
	struct http_outgoing out = { .method = HTTP_POST, .target = target };
	snprintf(target, 160, "/v1/agent/%s", ASK_NAMES[x->ask.ask]);
	switch (x->ask.ask) {
	case ASK_OPEN: msg_session_encode(body, &x->ask.open); break;
	case ASK_REPORT: msg_report_encode(body, &x->ask.report); break;
	case ASK_CSR: msg_csr_encode(body, &x->ask.csr); break;
	default:
		out.method = HTTP_GET;
		snprintf(target, 160, "/v1/agent/desired?session=%lld&after=%lld&wait=%ds", (long long)x->ask.poll.session,
			 (long long)x->ask.poll.after, AGENT_HOLD_S);
		out.timeout = (AGENT_HOLD_S + 15) * MSEC_S;
	}
	out.body = buf_bytes(body);
	return out;
}

static void do_ask(struct link *l, const struct agent_effect *x)
{
	CLEANUP(buf_release) struct buf body = buf_make(MSG_BYTES);
	char target[160];
	struct troth_err e = { 0 };
	struct asked *asked = asked_add(l, x->ask.ask, x->ticket);
	asked->held = l->recover != NULL;
	if (asked->held)
		return; /* answered when there is an identity again */
	struct http_outgoing out = spell_ask(x, &body, target);
	troth_rc rc = !l->http ? err_set(&e, TROTH_UNAVAILABLE, "no identity yet") :
		      !buf_ok(&body) ? err_set(&e, TROTH_TOO_LARGE, "the message is too large") :
				       http_client_send(l->http, &out, on_answer, asked, &asked->exchange, &e);
	if (rc_ok(rc))
		return;
	LOG(LOG_LEVEL_WARN, "server.ask-failed", LOG_S("ask", ASK_NAMES[x->ask.ask]), LOG_S("why", e.primary));
	answer_soon(l, asked);
}

/* The poll that the server holds was asked with the former identity, which it will soon not know any more; and it waits to
 * hear from the new one. */
static void poll_anew(struct link *l)
{
	struct timeval now = { 0, 0 };
	for (struct asked *asked = l->asked; asked; asked = asked->next) {
		if (asked->ask != ASK_POLL || !asked->exchange)
			continue;
		http_client_cancel(asked->exchange);
		asked->exchange = NULL;
		CHECK(event_base_once(l->base, -1, EV_TIMEOUT, answer_later, asked, &now) == 0);
	}
}

/* -- the hand --------------------------------------------------------------------------------------------- */

static void flush(struct link *l)
{
	bool waiting;
	struct troth_err e = { 0 };
	if (rc_failed(channel_flush(&l->channel, &waiting, &e)))
		end(l, &e);
	else if (waiting)
		event_add(l->writable, NULL);
}

static void ask_hand(struct link *l, const struct hand_request *r)
{
	CLEANUP(buf_release) struct buf b = buf_make_secret(WIRE_MESSAGE_BYTES);
	struct troth_err e = { 0 };
	hand_request_encode(&b, r);
	troth_rc rc = buf_ok(&b) ? channel_queue(&l->channel, buf_bytes(&b), &e) : err_set(&e, TROTH_TOO_LARGE, "too large for the hand");
	if (rc_failed(rc)) { /* the hand always takes what message.h lets in; if not, start over */
		end(l, &e);
		return;
	}
	flush(l);
}

/* -- who we are -------------------------------------------------------------------------------------------- */

static troth_rc keep_identity(struct link *l, const struct hand_reply *r, char path[64], struct troth_err *e)
{
	if (l->identity_fd >= 0)
		close(l->identity_fd);
	l->identity_fd = memfd_create("identity", MFD_CLOEXEC);
	ENSURE(l->identity_fd >= 0 && fchmod(l->identity_fd, 0600) == 0, e, TROTH_IO, "could not hold the identity");
	const struct bytes parts[2] = { bytes_of_text(r->certificate), r->key };
	for (int i = 0; i < 2; i++)
		ENSURE(write(l->identity_fd, parts[i].data, parts[i].len) == (ssize_t)parts[i].len, e, TROTH_IO, "could not hold the identity");
	snprintf(path, 64, "/proc/self/fd/%d", l->identity_fd);
	return RC_OK;
}

static troth_rc read_dates(struct link *l, struct arena *a, const struct hand_reply *r, const struct cert **ret, struct troth_err *e)
{
	const struct cert *const *certs;
	size_t n;
	TRY(certs_parse_pem(a, bytes_of_text(r->certificate), &certs, &n, e));
	l->renew_at = certs[0]->not_before + (certs[0]->not_after - certs[0]->not_before) / 2;
	l->not_after = certs[0]->not_after;
	*ret = certs[0];
	return RC_OK;
}

static void free_peers(struct link *l, msec_t now)
{
	size_t kept = 0;
	for (size_t i = 0; i < l->former_count; i++) {
		if (now >= l->former[i].until)
			http_client_free(l->former[i].http); /* nothing is under way on it any more */
		else
			l->former[kept++] = l->former[i];
	}
	l->former_count = kept;
}

/* Whoever waits for an answer of it gets it still. */
static troth_rc retire_peer(struct link *l, struct troth_err *e)
{
	free_peers(l, mono());
	ENSURE(l->former_count < PEERS, e, TROTH_BUSY, "identity and trust change too often");
	if (l->http)
		l->former[l->former_count++] = (struct peer){ l->http, mono() + PEER_MS };
	l->http = NULL;
	return RC_OK;
}

static bool has_expired(const struct link *l) { return l->not_after && port_now(&PORT_CLOCK_REAL) >= l->not_after; }

/* -- an identity that has expired --------------------------------------------------------------------------- */
static void save_identity(struct link *l, const struct msg_renewed *m)
{
	ask_hand(l, &(struct hand_request){ .op = HAND_IDENTITY_SAVE, .ticket = TICKET_IDENTITY, .certificate = m->certificate,
					    .chain = m->chain, .server_ca = m->server_ca });
}

static void want_csr(void *self)
{
	ask_hand(self, &(struct hand_request){ .op = HAND_IDENTITY_CSR, .ticket = TICKET_IDENTITY });
}

static void on_approved(void *self, const struct msg_recovering *m)
{
	save_identity(self, &(struct msg_renewed){ m->certificate, m->chain ? m->chain : "", m->server_ca });
}

/* It is looked at again, as it was at the start. */
static void on_valid(void *self)
{
	ask_hand(self, &(struct hand_request){ .op = HAND_HELLO, .ticket = TICKET_IDENTITY });
}

/* The server would refuse it in the handshake: what the core asks meanwhile is held. */
static troth_rc recover_begin(struct link *l, const struct hand_reply *r, const struct cert *identity, struct troth_err *e)
{
	char end[RFC3339_LEN];
	struct recover_config config = { .base = l->base, .server = r->server, .server_ca = r->server_ca, .identity = identity, .key = r->key,
					 .self = l, .want_csr = want_csr, .approved = on_approved, .valid = on_valid };
	bool again = l->recover != NULL; /* what it was given has expired too: whose clock is wrong? */
	recover_free(l->recover);
	l->recover = NULL;
	TRY(recover_new(&config, &l->recover, e));
	TRY(retire_peer(l, e));
	l->renewing = true; /* by this */
	LOG(LOG_LEVEL_WARN, "identity.expired", LOG_S("instance", r->instance_id), LOG_S("end", time_format(l->not_after, end)),
	    LOG_S("text", "this node's identity has expired; asking the server for a new one, which an operator must approve"));
	if (again)
		recover_again(l->recover);
	else
		want_csr(l);
	return RC_OK;
}

static void recover_end(struct link *l)
{
	recover_free(l->recover);
	l->recover = NULL;
	for (struct asked *x = l->asked; x; x = x->next)
		if (x->held)
			answer_soon(l, x);
}

static troth_rc become(struct link *l, struct arena *a, const struct hand_reply *r, struct troth_err *e)
{
	char path[64];
	ENSURE(r->server && r->certificate && r->server_ca && r->key.len, e, TROTH_CORRUPT, "the identity is not whole");
	const struct cert *identity;
	TRY(read_dates(l, a, r, &identity, e));
	if (has_expired(l))
		return recover_begin(l, r, identity, e);
	TRY(keep_identity(l, r, path, e));
	struct http_client_config config = { .server = r->server, .ca_pem = bytes_of_text(r->server_ca), .cert_file = path,
					     .key_file = path, .max_reply_bytes = MSG_BYTES };
	struct http_client *http;
	TRY(http_client_new(l->base, &config, &http, e));
	troth_rc rc = retire_peer(l, e);
	if (rc_failed(rc))
		http_client_free(http);
	TRY(rc);
	l->http = http;
	if (l->recover)
		recover_end(l);
	return RC_OK;
}

/* -- renewing the identity at half life ------------------------------------------------------------------------ */

/* The next look at the clock tries again; sooner if the server waits for it. */
static void renew_failed(struct link *l, const struct troth_err *e)
{
	struct timeval soon = { RENEW_AGAIN_S, 0 };
	l->renewing = false;
	if (l->renew_at == RENEW_TOLD)
		event_add(l->renew, &soon);
	log_err(LOG_LEVEL_WARN, "identity.renew-failed", e);
}

static void on_renewed(void *self, troth_rc rc, const struct http_answer *answer, struct arena *a, const struct troth_err *why)
{
	struct link *l = self;
	struct msg_renewed m;
	struct troth_err e = { 0 };
	if (rc_failed(rc))
		e = *why;
	else
		rc = http_answer_check(a, answer, &e);
	if (rc_ok(rc))
		rc = msg_renewed_decode(a, answer->body, &m, &e);
	if (rc_ok(rc)) {
		m.server_ca = NULL; /* those come as documents, in order */
		save_identity(l, &m);
		return;
	}
	renew_failed(l, &e);
}

static void ask_identity(struct link *l, const char *csr)
{
	CLEANUP(buf_release) struct buf body = buf_make(MSG_BYTES);
	struct troth_err e = { 0 };
	msg_identity_encode(&body, &(struct msg_identity){ csr });
	struct http_outgoing out = { .method = HTTP_POST, .target = "/v1/agent/identity", .body = buf_bytes(&body) };
	if (rc_ok(http_client_send(l->http, &out, on_renewed, l, NULL, &e)))
		return;
	renew_failed(l, &e);
}

/* When the identity has ended, if that is before the next look; a little later, for timers may be early. */
static void look_at_its_end(struct link *l)
{
	msec_t left = l->not_after + 20 - port_now(&PORT_CLOCK_REAL);
	struct timeval tv = { left / MSEC_S, left % MSEC_S * 1000 };
	if (left > 0 && left < RENEW_CHECK_S * MSEC_S)
		event_add(l->renew, &tv);
}

static void on_renew(evutil_socket_t fd, short what, void *self)
{
	struct link *l = self;
	struct timeval again = { RENEW_CHECK_S, 0 };
	event_add(l->renew, &again);
	free_peers(l, mono());
	bool due = l->renew_at && port_now(&PORT_CLOCK_REAL) >= l->renew_at, expired = has_expired(l);
	look_at_its_end(l);
	if (l->renewing || (!due && !expired))
		return;
	l->renewing = true;
	enum hand_op next = expired ? HAND_HELLO : HAND_IDENTITY_CSR; /* the server was away for too long */
	ask_hand(l, &(struct hand_request){ .op = next, .ticket = TICKET_IDENTITY });
}

/* Replies to the link's own requests. */
static void on_own_reply(struct link *l, const struct hand_reply *r)
{
	if (!r->ok) {
		l->renewing = l->recover != NULL;
		if (l->recover)
			recover_again(l->recover);
		LOG(LOG_LEVEL_WARN, "identity.renew-failed", LOG_S("step", hand_op_name(r->op)), LOG_S("why", r->text));
	} else if (r->op == HAND_IDENTITY_CSR && r->csr && l->recover) {
		recover_ask(l->recover, r->csr);
	} else if (r->op == HAND_IDENTITY_CSR && r->csr) {
		ask_identity(l, r->csr);
	} else if (r->op == HAND_IDENTITY_SAVE) {
		ask_hand(l, &(struct hand_request){ .op = HAND_HELLO, .ticket = TICKET_IDENTITY });
	}
}

/* -- what the hand says -------------------------------------------------------------------------------------------- */

static void on_hello(struct link *l, struct arena *a, const struct hand_reply *r)
{
	struct troth_err e = { 0 };
	bool own = r->ticket == TICKET_IDENTITY;
	if (r->ok && rc_failed(become(l, a, r, &e))) {
		log_err(LOG_LEVEL_ERROR, "identity.unusable", &e);
		end(l, NULL);
		return;
	}
	struct timeval now = { 0, 0 }; /* it may be past its half life already */
	event_add(l->renew, &now);
	if (own && l->recover) { /* it has just expired, or the new one cannot be read */
		if (!r->ok)
			recover_again(l->recover);
		return;
	}
	if (own) {
		/* A clock that is far ahead makes every new identity an old one: no oftener than this, which is also
		 * longer than any answer that the client before still waits for. */
		msec_t least = port_now(&PORT_CLOCK_REAL) + RENEW_LEAST_MS;
		l->renew_at = l->renew_at > least ? l->renew_at : least;
		l->renewing = false;
		LOG(LOG_LEVEL_INFO, "identity.renewed", LOG_S("instance", r->instance_id));
		step(l, &(struct agent_event){ .kind = EVENT_HAND, .hand = r }); /* who was recovered has another trust too */
		poll_anew(l);
		return;
	}
	step(l, &(struct agent_event){ .kind = EVENT_HAND, .hand = r });
}

/* From the next request on the server is believed by the new set; only then it is reported. */
static void on_trust(struct link *l, struct arena *a, const struct hand_reply *r)
{
	struct troth_err e = { 0 };
	if (r->ok && rc_failed(become(l, a, r, &e))) {
		log_err(LOG_LEVEL_ERROR, "identity.unusable", &e);
		end(l, NULL); /* what is saved counts: begin anew with it */
		return;
	}
	step(l, &(struct agent_event){ .kind = EVENT_HAND, .hand = r });
}

static void on_message(struct link *l, struct bytes message)
{
	struct arena *a = arena_new(STEP_ARENA);
	struct hand_reply r = { 0 };
	struct troth_err e = { 0 };
	if (rc_failed(hand_reply_decode(a, message, &r, &e)))
		end(l, &e);
	else if (r.op == HAND_HELLO)
		on_hello(l, a, &r);
	else if (r.ticket == TICKET_IDENTITY)
		on_own_reply(l, &r);
	else if (r.op == HAND_TRUST_SAVE)
		on_trust(l, a, &r);
	else
		step(l, &(struct agent_event){ .kind = EVENT_HAND, .hand = &r });
	if (r.key.len)
		secret_wipe((void *)(uintptr_t)r.key.data, r.key.len);
	arena_free(a);
}

static void on_readable(evutil_socket_t fd, short what, void *self)
{
	struct link *l = self;
	struct bytes message;
	bool found = true;
	struct troth_err e = { 0 };
	while (found && !l->ended) {
		if (rc_failed(channel_receive(&l->channel, &message, &found, &e)))
			end(l, &e);
		else if (found)
			on_message(l, message);
	}
}

static void on_writable(evutil_socket_t fd, short what, void *self) { flush(self); }

/* -- looks, timer, notes --------------------------------------------------------------------------------------------- */

static void on_probed(evutil_socket_t fd, short what, void *self)
{
	struct link *l = self;
	for (;;) {
		struct arena *a = arena_new(STEP_ARENA);
		struct agent_probed p;
		bool found = probes_take(l->probes, a, &p);
		if (found)
			step(l, &(struct agent_event){ .kind = EVENT_PROBED, .probed = &p });
		arena_free(a);
		if (!found)
			return;
	}
}

static void do_probe(struct link *l, const struct agent_effect *x)
{
	struct troth_err e = { 0 };
	if (rc_ok(probes_look(l->probes, x->ticket, x->probe.place, &e)))
		return;
	log_err(LOG_LEVEL_ERROR, "probe.failed", &e); /* the queue has room for twice all targets */
	end(l, NULL);
}

static void on_timer(evutil_socket_t fd, short what, void *self)
{
	step(self, &(struct agent_event){ .kind = EVENT_TIMER });
}

static void set_timer(struct link *l, msec_t at)
{
	msec_t in = at - mono();
	in = in < 1 ? 1 : in;
	struct timeval tv = { in / 1000, in % 1000 * 1000 };
	event_add(l->timer, &tv);
}

static void take_note(const struct agent_effect *x)
{
	LOG(x->note.text ? LOG_LEVEL_WARN : LOG_LEVEL_INFO, x->note.event, LOG_S("target", x->note.target),
	    LOG_I("generation", x->note.generation), LOG_S("text", x->note.text));
}

static void perform(struct link *l)
{
	for (size_t i = 0; i < l->effects.count && !l->ended; i++) {
		const struct agent_effect *x = &l->effects.items[i];
		switch (x->kind) {
		case EFFECT_ASK: do_ask(l, x); break;
		case EFFECT_HAND: ask_hand(l, &x->hand); break;
		case EFFECT_PROBE: do_probe(l, x); break;
		case EFFECT_TIMER: set_timer(l, x->at); break;
		case EFFECT_NOTE: take_note(x); break;
		}
	}
}

/* -- life ---------------------------------------------------------------------------------------------------------------- */

static troth_rc prepare(struct link *l, int fd, const struct profiles *profiles, struct troth_err *e)
{
	struct agent_config config = { profiles->items, profiles->count, &profiles->settings, 0 };
	PORT_RANDOM_REAL.fill(PORT_RANDOM_REAL.self, &config.seed, sizeof config.seed);
	l->identity_fd = -1;
	channel_open(&l->channel, fd);
	l->base = event_base_new();
	ENSURE(l->base && evutil_make_socket_nonblocking(fd) == 0, e, TROTH_UNAVAILABLE, "could not make the event loop");
	TRY(probes_new(&l->probes, e));
	l->core = agent_core_new(&config);
	l->readable = event_new(l->base, fd, EV_READ | EV_PERSIST, on_readable, l);
	l->writable = event_new(l->base, fd, EV_WRITE, on_writable, l);
	l->probed = event_new(l->base, probes_fd(l->probes), EV_READ | EV_PERSIST, on_probed, l);
	l->timer = evtimer_new(l->base, on_timer, l);
	l->renew = evtimer_new(l->base, on_renew, l);
	ENSURE(l->readable && l->writable && l->probed && l->timer && l->renew && event_add(l->readable, NULL) == 0 &&
		       event_add(l->probed, NULL) == 0, e, TROTH_UNAVAILABLE, "could not make the events");
	return RC_OK;
}

static void release(struct link *l)
{
	struct event *events[] = { l->readable, l->writable, l->probed, l->timer, l->renew };
	for (size_t i = 0; i < ARRAY_LEN(events); i++)
		if (events[i])
			event_free(events[i]);
	recover_free(l->recover);
	free_peers(l, INT64_MAX); /* their exchanges end without an answer */
	http_client_free(l->http);
	while (l->asked)
		asked_drop(l->asked);
	probes_free(l->probes);
	agent_core_free(l->core);
	channel_close(&l->channel);
	if (l->base)
		event_base_free(l->base);
	if (l->identity_fd >= 0)
		close(l->identity_fd);
}

int link_main(int fd, const struct profiles *profiles)
{
	struct link *l = calloc(1, sizeof *l);
	struct troth_err e = { 0 };
	CHECK(l);
	troth_rc rc = prepare(l, fd, profiles, &e);
	if (rc_failed(rc)) {
		log_err(LOG_LEVEL_ERROR, "link.failed", &e);
	} else {
		on_renew(-1, 0, l);
		step(l, &(struct agent_event){ .kind = EVENT_START });
		if (!l->ended) /* a break before the loop would be forgotten */
			event_base_dispatch(l->base);
	}
	release(l);
	free(l);
	return rc_ok(rc) ? 0 : 1;
}
