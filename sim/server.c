/* The server: real verbs, store, runner and keeper on this thread; the pipeline's part is played here.
 *
 * It dies in two ways: the machine (at any call of its disk; what was not synced may be gone) and the
 * process.  Whoever waited for an answer gets none.  After each start the audit chain and the view are
 * looked at, as is everything else that must be true of the rows. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "pki/pki.h"
#include "link.h"
#include "policy.h"
#include "side_server.h"

enum { DOWN_MS = 15000, TICK_MS = 2000, MINUTE_MS = 60000, HOLD_MS = LIMIT_HOLD_S * 1000, NOTE_MS = 10000,
       VIEW_PER_MILLE = 30, AGAIN_PER_MILLE = 60 };

const char *const AUTHORITIES[SIM_AUTHORITIES] = { "/sim/a", "/sim/b", "/sim/b-below" };
const int ROOT_OF[SIM_AUTHORITIES] = { 0, 1, 1 };
static const char *const BUNDLES[4] = { NULL, "/sim/trust-a", "/sim/trust-b", "/sim/trust-ab" };

const struct template TEMPLATES[SIM_TEMPLATES] = {
	{ "web", "tls", MSG_SLOT, PROFILE_WEB, 0, 0, false, false },
	{ "app", "trust", MSG_STORE, PROFILE_ATTEST, 0, 1, false, false },
	{ "batch", "trust", MSG_STORE, PROFILE_RESTART, 0, 3, false, false },
	{ "db", "tls", MSG_SLOT, PROFILE_WEB, 2, 0, false, true },
	{ "db", "clients", MSG_STORE, PROFILE_WEB, 0, 1, false, false },
	{ "peer", "id", MSG_SLOT, PROFILE_CLIENT, 0, 0, true, false },
	{ "peer", "trust", MSG_STORE, PROFILE_ATTEST, 0, 3, false, false },
	{ "lease", "tls", MSG_SLOT, PROFILE_WEB, 0, 0, false, false, true },
	{ "lease", "trust", MSG_STORE, PROFILE_ATTEST, 0, 1, false, false, true },
};
const size_t TEMPLATE_COUNT = ARRAY_LEN(TEMPLATES);

/* -- the keeper: always there; it has no state but its master key ------------------------------------- */
static troth_rc line_call(void *self, struct arena *a, const struct keeper_request *const *need, size_t n,
			  const struct keeper_reply **replies, struct troth_err *e)
{
	struct sim *s = self;
	ENSURE(!fault_hits(s, FAULT_KEEPER, NULL, 10), e, TROTH_UNAVAILABLE, "the keeper is being started again");
	for (size_t i = 0; i < n; i++) {
		struct keeper_request req = *need[i];
		struct keeper_reply *reply = ARENA_NEW(a, struct keeper_reply);
		req.id = i + 1;
		keeper_handle(s->server->keeper, &req, a, reply);
		TRY(keeper_reply_check(reply, e));
		replies[i] = reply;
	}
	return RC_OK;
}

/* -- up and down ---------------------------------------------------------------------------------------- */
static void close_all(struct server *v)
{
	store_reader_close(v->reader);
	service_free(v->svc);
	store_close(v->store);
	v->reader = NULL;
	v->svc = NULL;
	v->store = NULL;
	v->up = false;
}

/* -- the note beside the database -------------------------------------------------------------------------- */
static troth_rc note_begin(struct sim *s, struct troth_err *e)
{
	struct server *v = s->server;
	struct verb_ctx ctx;
	struct epoch_ret ret;
	struct service_committed nobody;
	arena_reset(s->look_a);
	verb_ctx_init(&ctx, s->look_a, &PRINCIPAL_SYSTEM, &v->port, server_now(s));
	TRY(verb_run(v->svc, &VERB_EPOCH, &ctx, NULL, &(struct epoch_cmd){ v->note_epoch, v->note_audit }, &ret, e));
	service_committed(v->svc, s->look_a, &nobody);
	if (ret.raised)
		tell(s, "a new epoch: %lld", (long long)ret.epoch);
	v->note_epoch = ret.epoch;
	v->note_audit = ret.audit_seq;
	v->noted = s->now;
	return RC_OK;
}

static void note_keep(struct sim *s)
{
	struct server *v = s->server;
	struct troth_err e = { 0 };
	struct tx *tx;
	uint8_t hash[SHA256_LEN];
	int64_t epoch, seq;
	if (s->now - v->noted < NOTE_MS || !(tx = server_read(s)))
		return;
	if (rc_ok(store_epoch(tx, &epoch, &e)) && rc_ok(audit_last(tx, &seq, hash, &e))) {
		v->note_epoch = epoch;
		v->note_audit = seq;
		v->noted = s->now;
	}
	server_read_end(tx);
}

static troth_rc try_open(struct sim *s, struct troth_err *e)
{
	struct server *v = s->server;
	struct store_options o = { .vfs = "sim", .checkpoint_pages = 100 };
	TRY(store_open("/troth.db", &o, &v->store, e));
	TRY(store_reader_open(v->store, &v->reader, e));
	TRY(service_new(v->store, &v->port, &v->svc, e));
	return v->note_epoch ? note_begin(s, e) : RC_OK;
}

/* False: its disk is full, it could not even start. */
static bool open_all(struct sim *s)
{
	struct server *v = s->server;
	struct troth_err e = { 0 };
	troth_rc rc = try_open(s, &e);
	if (rc_failed(rc) && !sim_vfs_limited(v->disk))
		must(s, rc, &e, "the server does not start");
	v->up = rc_ok(rc);
	if (!v->up)
		close_all(v);
	return v->up;
}

static void refuse(struct sim *s, struct node *n, uint32_t node_life, int ask, uint32_t ticket, enum troth_kind kind)
{
	struct event *x = event_add(s, s->now + net_delay(s, n), node_answer, n);
	x->life = node_life;
	x->kind = ask;
	x->ticket = ticket;
	x->number = kind;
}

static void on_up(struct sim *s, struct event *x)
{
	if (s->server->up || x->life != s->server->life)
		return;
	if (s->server->restoring) {
		sim_vfs_restore(s->server->disk);
		tell(s, "the server is restored from its backup");
	}
	if (!open_all(s)) {
		tell(s, "the server cannot start: its disk is full");
		event_add(s, s->now + DOWN_MS, on_up, NULL)->life = s->server->life;
		return;
	}
	tell(s, "the server is up");
	if (s->server->restoring)
		check_restored(s);
	emergency_up(s);
	s->server->restoring = false;
	check_rows(s);
	check_admissions(s);
}

void server_down(struct sim *s, bool power, msec_t time)
{
	struct server *v = s->server;
	if (!v->up)
		return;
	tell(s, "the server %s", power ? "loses its machine" : "is killed");
	if (power && !sim_vfs_crashed(v->disk))
		sim_vfs_crash(v->disk);
	close_all(v);
	sim_vfs_heal(v->disk);
	if (power || sim_vfs_crashed(v->disk)) /* the machine may die while the process ends */
		sim_vfs_reboot(v->disk);
	v->life++;
	for (size_t i = 0; i < v->held_count; i++)
		refuse(s, v->held[i].n, v->held[i].node_life, SAY_POLL, v->held[i].ticket, TROTH_UNAVAILABLE);
	v->held_count = 0;
	trouble(s, NULL, time);
	event_add(s, s->now + time, on_up, NULL)->life = v->life;
}

void server_on(struct sim *s)
{
	if (!s->server->up)
		event_add(s, s->now + 1, on_up, NULL)->life = s->server->life;
}

void server_crash(struct sim *s, bool power) { server_down(s, power, dice_in(&s->dice, 100, DOWN_MS)); }

/* -- verbs -------------------------------------------------------------------------------------------------- */
static void answer_poll(struct sim *s, struct node *n, uint32_t node_life, uint32_t ticket, int64_t session, int64_t after,
			msec_t until);

static void on_wake(struct sim *s, struct event *x)
{
	struct server *v = s->server;
	if (x->life != v->life || !v->up)
		return;
	for (size_t i = 0; i < v->held_count; i++) {
		struct held h = v->held[i];
		if (h.n != x->node || h.ticket != x->ticket)
			continue;
		v->held[i] = v->held[--v->held_count];
		answer_poll(s, h.n, h.node_life, h.ticket, h.session, h.after, h.until);
		return;
	}
}

static void wake_at(struct sim *s, struct node *n, uint32_t ticket, msec_t at)
{
	struct event *x = event_add(s, at, on_wake, n);
	x->life = s->server->life;
	x->ticket = ticket;
}

static void publish(struct sim *s, const struct service_committed *c)
{
	struct server *v = s->server;
	for (size_t i = 0; i < c->topic_count; i++)
		for (size_t k = 0; k < v->held_count; k++)
			if (text_equal(v->held[k].topic, c->topics[i]))
				wake_at(s, v->held[k].n, v->held[k].ticket, s->now + 1);
	v->effects = v->effects || c->effects;
}

/* What a commit set free; and whether there still is a server. */
static troth_rc after(struct sim *s, struct arena *a, bool wrote, troth_rc rc, struct troth_err *e)
{
	struct service_committed c;
	if (sim_vfs_crashed(s->server->disk)) {
		server_crash(s, true);
		return err_set(e, TROTH_UNAVAILABLE, "the server died");
	}
	service_committed(s->server->svc, a, &c);
	if (rc_ok(rc) && wrote) {
		publish(s, &c);
		s->count.commits++;
		note_keep(s);
		check_log(s);
		check_admissions(s);
		if (dice_chance(&s->dice, VIEW_PER_MILLE))
			check_view(s);
		if (dice_chance(&s->dice, AGAIN_PER_MILLE))
			check_again(s);
		if (fault_hits(s, FAULT_COMMIT, NULL, 3)) {
			server_crash(s, fault_in(s, 0, 1));
			return err_set(e, TROTH_UNAVAILABLE, "the server died after the commit");
		}
	}
	return rc;
}

troth_rc server_do(struct sim *s, struct arena *a, const struct principal *who, const struct verb *verb, const void *cmd,
		   void *ret, struct verb_ctx *ctx, struct troth_err *e)
{
	err_clear(e);
	ENSURE(s->server->up, e, TROTH_UNAVAILABLE, "the server is down");
	msec_t wait = ctx->options.wait;
	bool last_chance = ctx->last_chance, dry_run = ctx->options.dry_run;
	verb_ctx_init(ctx, a, who, &s->server->port, server_now(s));
	ctx->options.wait = wait;
	ctx->last_chance = last_chance;
	ctx->options.dry_run = dry_run;
	memset(ret, 0, verb->ret_size);
	troth_rc rc = verb_run(s->server->svc, verb, ctx, &s->server->line, cmd, ret, e);
	return after(s, a, verb->kind == VERB_WRITE || ctx->then, rc, e);
}

struct tx *server_read(struct sim *s)
{
	struct tx *tx;
	struct troth_err e = { 0 };
	return s->server->up && rc_ok(store_read_begin(s->server->reader, &tx, &e)) ? tx : NULL;
}

void server_read_end(struct tx *tx) { store_read_end(tx); }

/* -- requests of agents ----------------------------------------------------------------------------------------- */
static troth_rc resolve(struct sim *s, struct node *n, struct principal *ret, struct troth_err *e)
{
	struct principal_resolve_cmd cmd = { .peer_cert = n->identity };
	struct principal_ret who;
	struct verb_ctx ctx = { 0 };
	TRY(server_do(s, s->call_a, &PRINCIPAL_ANONYMOUS, &VERB_PRINCIPAL_RESOLVE, &cmd, &who, &ctx, e));
	*ret = who.principal;
	return RC_OK;
}

static void reply(struct sim *s, struct node *n, uint32_t node_life, int ask, uint32_t ticket, troth_rc rc, bool stale,
		  const struct troth_err *e, struct bytes body)
{
	bool lost = net_loses(s, n);
	struct event *x = event_add(s, s->now + (lost ? 15000 : net_delay(s, n)), node_answer, n);
	x->life = node_life;
	x->kind = ask;
	x->ticket = ticket;
	if (lost)
		x->number = TROTH_UNAVAILABLE;
	else if (stale || (rc_failed(rc) && text_ends(e->clause, "stale-session")))
		x->number = -1;
	else if (rc_failed(rc))
		x->number = e->kind;
	if (x->number == 0)
		event_data(x, body);
}

static void hold(struct sim *s, struct node *n, uint32_t node_life, uint32_t ticket, int64_t session, int64_t seen, msec_t until,
		 const char *topic)
{
	struct server *v = s->server;
	CHECK(v->held_count < SIM_HELD);
	struct held *h = &v->held[v->held_count++];
	*h = (struct held){ n, node_life, ticket, session, seen, until, "" };
	(void)text_copy(h->topic, sizeof h->topic, topic); /* of the same size */
	wake_at(s, n, ticket, until);
}

static void answer_poll(struct sim *s, struct node *n, uint32_t node_life, uint32_t ticket, int64_t session, int64_t seen,
			msec_t until)
{
	struct troth_err e = { 0 };
	struct principal who;
	struct desired_ret ret = { 0 };
	struct verb_ctx ctx = { 0 };
	CLEANUP(buf_release) struct buf body = buf_make(MSG_BYTES);
	arena_reset(s->call_a);
	troth_rc rc = resolve(s, n, &who, &e);
	ctx.last_chance = s->now >= until;
	ctx.options.wait = HOLD_MS;
	if (rc_ok(rc))
		rc = server_do(s, s->call_a, &who, &VERB_AGENT_DESIRED, &(struct desired_cmd){ session, seen }, &ret, &ctx, &e);
	if (rc_ok(rc))
		policy_heard(s, n);
	else
		policy_unheard(s, n);
	if (rc_ok(rc) && ctx.hold.wanted) {
		hold(s, n, node_life, ticket, session, seen, until, ctx.hold.topic);
		return;
	}
	if (rc_ok(rc) && !ret.stale) {
		check_desired(s, n, &ret.desired);
		msg_desired_encode(&body, &ret.desired);
		CHECK(buf_ok(&body));
	}
	reply(s, n, node_life, SAY_POLL, ticket, rc, ret.stale, &e, buf_bytes(&body));
}

static troth_rc post(struct sim *s, struct node *n, const struct event *x, struct buf *out, struct troth_err *e)
{
	struct bytes in = bytes_of(x->data, x->len);
	struct principal who;
	struct verb_ctx ctx = { 0 };
	union { struct msg_session session; struct msg_report report; struct msg_csr csr; } m;
	union { struct msg_opened opened; struct report_ret report; struct csr_ret csr; } ret;
	arena_reset(s->call_a);
	TRY(resolve(s, n, &who, e));
	if (x->kind == SAY_OPEN) {
		TRY(msg_session_decode(s->call_a, in, &m.session, e));
		TRY(server_do(s, s->call_a, &who, &VERB_AGENT_SESSION, &m.session, &ret.opened, &ctx, e));
		tell(s, "%s: session %lld", n->name, (long long)ret.opened.session);
		msg_opened_encode(out, &ret.opened);
	} else if (x->kind == SAY_REPORT) {
		TRY(msg_report_decode(s->call_a, in, &m.report, e));
		policy_unsure(n, m.report.target); /* it may be counted, and nobody hears it */
		TRY(server_do(s, s->call_a, &who, &VERB_AGENT_REPORT, &m.report, &ret.report, &ctx, e));
		tell(s, "%s: report %lld/%lld of %.4s in session %lld%s%s", n->name, (long long)m.report.generation, (long long)m.report.high_water,
		     m.report.target, (long long)m.report.session, m.report.settled ? ", settled" : "", ret.report.counted ? ", counted" : "");
		if (x->life == n->life)
			policy_reported(s, n, &m.report, ret.report.counted);
		if (ret.report.counted && x->life == n->life)
			check_counted(s, n, m.report.target);
	} else {
		TRY(msg_csr_decode(s->call_a, in, &m.csr, e));
		TRY(server_do(s, s->call_a, &who, &VERB_AGENT_CSR, &m.csr, &ret.csr, &ctx, e));
		tell(s, "%s: request %.4s of %.4s in session %lld", n->name, m.csr.request, m.csr.target, (long long)m.csr.session);
	}
	return RC_OK;
}

void server_receive(struct sim *s, struct event *x)
{
	struct troth_err e = { 0 };
	struct node *n = x->node;
	CLEANUP(buf_release) struct buf out = buf_make(MSG_BYTES);
	if (!s->server->up) {
		refuse(s, n, x->life, x->kind, x->ticket, TROTH_UNAVAILABLE);
		return;
	}
	if (x->kind == SAY_POLL) {
		answer_poll(s, n, x->life, x->ticket, x->number, x->number2, s->now + HOLD_MS);
		return;
	}
	troth_rc rc = post(s, n, x, &out, &e);
	if (rc_failed(rc) && e.kind == TROTH_INTERNAL)
		violation(s, "%s: %s", n->name, e.primary);
	if (rc_ok(rc))
		policy_heard(s, n);
	if (rc_failed(rc))
		tell(s, "%s: the server answers %s: %s", n->name, err_kind_name(e.kind), e.primary);
	reply(s, n, x->life, x->kind, x->ticket, rc, false, &e, buf_bytes(&out));
}

/* -- the server's own work ------------------------------------------------------------------------------------------- */
static void run_effects(struct sim *s)
{
	for (int i = 0; i < 1000 && s->server->up; i++) {
		struct troth_err e = { 0 }, lost = { 0 };
		struct effect_ret ret;
		struct verb_ctx ctx = { 0 };
		arena_reset(s->call_a);
		troth_rc rc = server_do(s, s->call_a, &PRINCIPAL_SYSTEM, &VERB_EFFECT, &(struct effect_cmd){ 0 }, &ret, &ctx, &e);
		if (rc_ok(rc) && ret.done_id == 0)
			return;
		if (rc_ok(rc))
			continue;
		struct effect_failed_cmd failed = { arena_text(s->call_a, e.primary) };
		if (rc_failed(server_do(s, s->call_a, &PRINCIPAL_SYSTEM, &VERB_EFFECT_FAILED, &failed, &ret, &ctx, &lost)))
			return;
	}
}

static void run_runner(struct sim *s)
{
	struct tx *tx;
	struct troth_err e = { 0 };
	msec_t wake;
	if (!s->server->up)
		return;
	arena_reset(s->call_a);
	troth_rc rc = store_write_begin(s->server->store, &tx, &e);
	if (rc_ok(rc)) {
		rc = runner_run(s->server->svc, tx, server_now(s), &wake, &e);
		if (rc_ok(rc))
			rc = store_write_commit(tx, &e);
		else
			store_write_rollback(tx);
	}
	if (rc_failed(rc))
		service_drop(s->server->svc);
	(void)after(s, s->call_a, true, rc, &e); /* if it failed the next tick tries again */
}

static void on_tick(struct sim *s, struct event *x)
{
	bool minute = (s->now - s->began) / MINUTE_MS != (s->now - s->began - TICK_MS) / MINUTE_MS;
	if (!s->over)
		event_add(s, s->now + TICK_MS, on_tick, NULL);
	run_runner(s);
	if (s->server->effects || minute) {
		s->server->effects = false;
		run_effects(s);
	}
	if (minute && s->server->up) {
		struct troth_err e = { 0 };
		struct no_ret ret;
		struct verb_ctx ctx = { 0 };
		arena_reset(s->call_a);
		(void)server_do(s, s->call_a, &PRINCIPAL_SYSTEM, &VERB_AUDIT_SIGN, &(struct no_cmd){ 0 }, &ret, &ctx, &e);
		ctx = (struct verb_ctx){ 0 };
		struct sweep_ret swept;
		(void)server_do(s, s->call_a, &PRINCIPAL_SYSTEM, &VERB_SWEEP, &(struct no_cmd){ 0 }, &swept, &ctx, &e);
		check_rows(s);
	}
	link_look(s);
	if (minute)
		check_everybody(s);
}

/* -- enrolment ------------------------------------------------------------------------------------------------------------ */
static troth_rc enroll(struct sim *s, const struct node *n, const char *deployment, const char *csr, struct msg_enrolled *ret,
		       struct troth_err *e)
{
	struct verb_ctx ctx = { 0 };
	struct token_ret token;
	TRY(server_do(s, s->ask_a, &s->server->admin, &VERB_TOKEN_CREATE, &(struct token_create_cmd){ .deployment = deployment }, &token,
		      &ctx, e));
	secret_text(s, token.secret);
	struct msg_enroll cmd = { .token = token.secret, .csr = csr, .boot_id = "enrolment", .agent_version = "1", .instance = n->name };
	return server_do(s, s->ask_a, &PRINCIPAL_ANONYMOUS, &VERB_ENROLL, &cmd, ret, &ctx, e);
}

static void add_place(struct sim *s, struct node *n, const char *deployment, const char *template, const char *uuid)
{
	for (size_t k = 0; k < TEMPLATE_COUNT; k++) {
		if (!text_equal(TEMPLATES[k].deployment, deployment) || !text_equal(TEMPLATES[k].name, template))
			continue;
		struct place_state *p = &n->places[n->place_count++];
		*p = (struct place_state){ .t = &TEMPLATES[k], .pid = ++s->pids };
		(void)text_copy(p->id, sizeof p->id, uuid); /* a UUID */
	}
}

static troth_rc add_places(struct sim *s, struct tx *tx, struct node *n, const char *deployment, struct troth_err *e)
{
	struct instance_row row;
	struct target_row *targets;
	size_t count;
	TRY(instance_row_by_uuid(tx, s->ask_a, n->uuid, &row, e));
	TRY(target_row_list_instance(tx, s->ask_a, row.id, &targets, &count, e));
	for (size_t i = 0; i < count; i++) {
		struct template_row t;
		TRY(template_row_get(tx, s->ask_a, targets[i].template_id, &t, e));
		add_place(s, n, deployment, t.name, targets[i].uuid);
	}
	return RC_OK;
}

bool server_enroll(struct sim *s, struct node *n, const char *deployment, const char *csr, struct msg_enrolled *ret)
{
	struct troth_err e = { 0 };
	struct tx *tx;
	if (rc_failed(enroll(s, n, deployment, csr, ret, &e)) || !(tx = server_read(s))) {
		tell(s, "%s could not enrol: %s", n->name, e.primary);
		return false;
	}
	(void)text_copy(n->uuid, sizeof n->uuid, ret->instance_id); /* a UUID */
	troth_rc rc = add_places(s, tx, n, deployment, &e);
	server_read_end(tx);
	if (rc_failed(rc))
		tell(s, "%s is enrolled, and lost: %s", n->name, e.primary); /* the machine died meanwhile */
	return rc_ok(rc);
}

/* -- beginning --------------------------------------------------------------------------------------------------------- */
static void do_must(struct sim *s, const struct verb *verb, const void *cmd, void *ret)
{
	struct troth_err e = { 0 };
	struct verb_ctx ctx = { 0 };
	must(s, server_do(s, s->life_a, &s->server->admin, verb, cmd, ret, &ctx, &e), &e, verb->name);
}

static void make_authorities(struct sim *s)
{
	struct credential_ret ca;
	struct bundle_ret bundle;
	for (int i = 0; i < SIM_AUTHORITIES; i++) {
		bool root = ROOT_OF[i] == i;
		struct authority_create_cmd cmd = { .name = AUTHORITIES[i], .path_len = AUTHORITY_PATH_LEN_DEFAULT,
						    .issuer = root ? NULL : AUTHORITIES[ROOT_OF[i]] };
		if (s->short_lives) {
			cmd.ttl = root ? 2 * MSEC_HOUR : MSEC_HOUR;
			cmd.leaf_ttl = 30 * MSEC_MIN;
		}
		do_must(s, &VERB_AUTHORITY_CREATE, &cmd, &ca);
	}
	for (unsigned b = 1; b < 4; b++) {
		const char *names[2];
		struct bundle_create_cmd cmd = { .name = BUNDLES[b], .authorities = { names, 0 } };
		for (int i = 0; i < 2; i++)
			if (b & 1u << i)
				names[cmd.authorities.count++] = AUTHORITIES[i];
		do_must(s, &VERB_BUNDLE_CREATE, &cmd, &bundle);
	}
}

troth_rc server_deployment(struct sim *s, struct arena *a, const char *name, msec_t lease, struct troth_err *e)
{
	struct slot_template slots[2];
	struct store_template stores[2];
	struct verb_ctx ctx = { 0 };
	struct deployment_create_cmd cmd = { .name = name, .slots = slots, .stores = stores, .ephemeral = lease > 0, .ttl = lease };
	struct deployment_ret ret;
	const char *san = "dns:{instance}.sim";
	for (size_t i = 0; i < TEMPLATE_COUNT; i++) {
		const struct template *t = &TEMPLATES[i];
		if (!text_equal(t->deployment, name))
			continue;
		if (t->kind == MSG_STORE) {
			stores[cmd.store_count++] = (struct store_template){ .path = "$", .name = t->name, .profile = PROFILE_NAMES[t->profile],
									     .bundle = BUNDLES[t->bundle] };
			continue;
		}
		slots[cmd.slot_count++] = (struct slot_template){
			.path = "$", .name = t->name, .profile = PROFILE_NAMES[t->profile], .role = t->client ? "client" : "server",
			.authority = AUTHORITIES[t->authority], .credential = arena_printf(a, "/sim/{instance}/%s", t->name),
			.key_source = t->keeper ? "keeper" : NULL, .sans = { &san, 1 } };
	}
	return server_do(s, a, &s->server->admin, &VERB_DEPLOYMENT_CREATE, &cmd, &ret, &ctx, e);
}

static void init(struct sim *s)
{
	struct troth_err e = { 0 };
	CLEANUP(key_releasep) struct key *key = NULL;
	const char *csr, *san = "dns:troth";
	struct init_ret ret;
	must(s, key_generate(KEY_EC_P256, &key, &e), &e, "key");
	must(s, csr_build(s->life_a, key, "troth", &csr, &e), &e, "csr");
	struct init_cmd cmd = { .csr = csr, .sans = { &san, 1 } };
	must(s, init_run(s->server->svc, s->life_a, &s->server->port, s->now, &s->server->line, &cmd, &ret, &e), &e, "init");
	secret_text(s, ret.admin_token);
}

static bool keeper_line(void *self, struct bytes line)
{
	struct sim *s = self;
	return write(s->log_fd, line.data, line.len) == (ssize_t)line.len;
}

void server_start(struct sim *s)
{
	static const uint8_t master[KEEPER_MASTER_KEY_BYTES] = { 1, 2, 3 };
	struct keeper_ports ports = { .clock = &s->clock, .log_line = keeper_line, .log_self = s };
	struct troth_err e = { 0 };
	s->server = calloc(1, sizeof *s->server);
	CHECK(s->server);
	s->server->port = (struct server_port){ .clock = s->clock, .random = s->random };
	s->server->line = (struct verb_keeper){ s, line_call };
	s->server->admin = (struct principal){ .name = "admin", .roles = ROLE_ADMIN };
	s->server->life = 1;
	s->server->disk = sim_vfs_new("sim", s->o.seed);
	must(s, keeper_state_new(master, &ports, &s->server->keeper, &e), &e, "keeper");
	(void)open_all(s);
	struct troth_err none = { 0 };
	init(s);
	must(s, note_begin(s, &none), &none, "note");
	make_authorities(s);
	for (size_t i = 0; i < SIM_DEPLOYMENTS; i++)
		must(s, server_deployment(s, s->life_a, DEPLOYMENTS[i], 0, &none), &none, DEPLOYMENTS[i]);
	s->links_sure = true;
	event_add(s, s->now + TICK_MS, on_tick, NULL);
}

void server_free(struct sim *s)
{
	close_all(s->server);
	keeper_state_free(s->server->keeper);
	sim_vfs_free(s->server->disk);
	free(s->server);
}
