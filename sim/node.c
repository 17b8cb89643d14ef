/* A node: the link's work (effects of the core become events), the hand over a disk in memory.
 *
 * What goes between core and hand and between core and server goes as encoded bytes.  A crash ends
 * both halves: after any number of calls of the file system, or between two events. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "side_agent.h"
#include "pki/pki.h"

enum { LOST_MS = 15000 };
_Static_assert(SAY_OPEN == (int)ASK_OPEN && SAY_POLL == (int)ASK_POLL && SAY_REPORT == (int)ASK_REPORT && SAY_CSR == (int)ASK_CSR,
	       "the same words on both sides");

const char *const PROFILE_NAMES[PROFILE_KIND_COUNT] = { "web", "attest", "restart", "client" };

#define PROFILE_HEAD(name) "name: " name "\ndescription: d\nkinds: [slot, store]\nparameters:\n  root: {default: /srv, pattern: path}\n" \
	"roots: ['{root}']\ndirectory: '{root}/{target}'\n" \
	"files:\n  - {name: cert.pem, content: fullchain}\n  - {name: key.pem, content: key}\n  - {name: ca.pem, content: bundle}\n"
#define PROFILE_SIGNAL "reload: {signal: HUP, pid_file: '/run/{target}.pid'}\n"
#define PROFILE_PROBE "probe: {addresses: ['127.0.0.1'], port: 8443}\n"
#define PROFILE_ATTESTS "attest: {file: '/run/{target}.loaded', of: ca.pem}\n"

static const char *const PROFILES[PROFILE_KIND_COUNT] = {
	PROFILE_HEAD("web") PROFILE_SIGNAL PROFILE_PROBE "proof: {slot: probe, store: reload}\ndrain: ",
	PROFILE_HEAD("attest") PROFILE_SIGNAL PROFILE_PROBE PROFILE_ATTESTS "proof: {slot: probe, store: attest}\ndrain: ",
	PROFILE_HEAD("restart") "reload: {command: [/bin/restart, '{target}']}\nproof: {slot: restart, store: restart}\ndrain: ",
	PROFILE_HEAD("client") PROFILE_SIGNAL "proof: {slot: reload, store: reload}\ndrain: ",
};

void agents_make(struct sim *s)
{
	s->agents = calloc(1, sizeof *s->agents);
	CHECK(s->agents);
	for (int i = 0; i < PROFILE_KIND_COUNT; i++) {
		struct troth_err e = { 0 };
		const char *drain = text_equal(s->o.mutant, "early") ? "1s" : "10s";
		const char *yaml = arena_printf(s->life_a, "%s%s\n", PROFILES[i], drain);
		must(s, profile_parse(s->life_a, bytes_of_text(yaml), PROFILE_NAMES[i], &s->agents->profiles[i], &e), &e, PROFILE_NAMES[i]);
	}
}

void agents_free(struct sim *s) { free(s->agents); }

/* -- the hand's world --------------------------------------------------------------------------------- */
static msec_t p_now(void *self) { return node_now(((struct agent_half *)self)->s, ((struct agent_half *)self)->n); }
static int p_user(void *self, const char *name, uid_t *u, gid_t *g) { return (*u = 0, *g = 0, 0); }
static int p_group(void *self, const char *name, gid_t *g) { return (*g = 0, 0); }
static int p_owner(void *self, pid_t pid, uid_t *u) { return (*u = 0, 0); }

static int p_signal(void *self, pid_t pid, int number)
{
	struct agent_half *h = self;
	return process_signal(h->s, h->n, pid);
}

static troth_rc p_run(void *self, const char *const *argv, msec_t timeout, struct process_result *ret, struct troth_err *e)
{
	struct agent_half *h = self;
	ret->exit_code = process_run_restart(h->s, h->n, argv[1]);
	return RC_OK;
}

/* -- steps ------------------------------------------------------------------------------------------------ */
static void perform(struct sim *s, struct node *n);

static void step(struct sim *s, struct node *n, const struct agent_event *event)
{
	arena_reset(s->step_a);
	agent_step(n->agent->core, event, s->now, s->step_a, &s->agents->effects);
	perform(s, n);
}

static bool alive(const struct event *x) { return x->node->agent && x->life == x->node->life; }

static struct event *own_event(struct sim *s, struct node *n, msec_t at, void (*happen)(struct sim *, struct event *))
{
	struct event *x = event_add(s, at, happen, n);
	x->life = n->life;
	return x;
}

/* -- hand: a request, then a reply, one after the other -------------------------------------------------------- */
static void on_hand_reply(struct sim *s, struct event *x)
{
	struct hand_reply r;
	struct troth_err e = { 0 };
	if (!alive(x))
		return;
	CLEANUP(arena_freep) struct arena *a = arena_new(32 << 20);
	must(s, hand_reply_decode(a, bytes_of(x->data, x->len), &r, &e), &e, "a reply of the hand");
	step(s, x->node, &(struct agent_event){ .kind = EVENT_HAND, .hand = &r });
}

static void on_hand_request(struct sim *s, struct event *x)
{
	struct hand_request r;
	struct hand_reply reply;
	struct troth_err e = { 0 };
	struct node *n = x->node;
	if (!alive(x))
		return;
	CLEANUP(arena_freep) struct arena *a = arena_new(32 << 20);
	CLEANUP(buf_release) struct buf out = buf_make_secret(WIRE_MESSAGE_BYTES);
	must(s, hand_request_decode(a, bytes_of(x->data, x->len), &r, &e), &e, "a request to the hand");
	hand_handle(&n->agent->hand, &r, a, &reply);
	if (nodefs_crashed(n->fs)) {
		tell(s, "%s: the agent died in %s", n->name, hand_op_name(r.op));
		node_crash(s, n, dice_chance(&n->dice, 400));
		return;
	}
	if (r.op != HAND_CHECK && r.op != HAND_ATTEST)
		tell(s, "%s: %s %lld%s%s", n->name, hand_op_name(r.op), (long long)r.generation, reply.ok ? "" : " failed: ",
		     reply.ok ? "" : reply.text);
	hand_reply_encode(&out, &reply);
	CHECK(buf_ok(&out));
	msec_t took = r.op == HAND_RELOAD ? dice_in(&n->dice, 1, 50) : dice_in(&n->dice, 0, 3);
	event_data(own_event(s, n, s->now + took, on_hand_reply), buf_bytes(&out));
}

static void do_hand(struct sim *s, struct node *n, const struct hand_request *r)
{
	CLEANUP(buf_release) struct buf out = buf_make_secret(WIRE_MESSAGE_BYTES);
	hand_request_encode(&out, r);
	CHECK(buf_ok(&out));
	msec_t at = s->now + dice_in(&n->dice, 0, 3);
	n->agent->hand_at = at > n->agent->hand_at ? at : n->agent->hand_at;
	event_data(own_event(s, n, n->agent->hand_at, on_hand_request), buf_bytes(&out));
}

/* -- looks, timers ------------------------------------------------------------------------------------------------ */
static void on_look(struct sim *s, struct event *x)
{
	struct agent_probed p = { .ticket = x->ticket };
	if (!alive(x))
		return;
	CLEANUP(arena_freep) struct arena *a = arena_new(1 << 20);
	process_look(s, x->node, (const char *)x->data, &p, a);
	step(s, x->node, &(struct agent_event){ .kind = EVENT_PROBED, .probed = &p });
}

static void do_look(struct sim *s, struct node *n, const struct agent_effect *x)
{
	struct event *look = own_event(s, n, s->now + dice_in(&n->dice, 1, 20), on_look);
	look->ticket = x->ticket;
	event_data(look, bytes_of(x->probe.target, strlen(x->probe.target) + 1));
}

static void on_timer(struct sim *s, struct event *x)
{
	if (alive(x) && x->ticket == x->node->agent->timer)
		step(s, x->node, &(struct agent_event){ .kind = EVENT_TIMER });
}

static void do_timer(struct sim *s, struct node *n, msec_t at)
{
	own_event(s, n, at > s->now ? at : s->now + 1, on_timer)->ticket = ++n->agent->timer;
}

/* -- asking the server ------------------------------------------------------------------------------------------------ */
static troth_rc decode_answer(struct arena *a, const struct event *x, struct agent_answer *m, struct troth_err *e)
{
	struct msg_opened *opened = ARENA_NEW(a, struct msg_opened);
	struct msg_desired *desired = ARENA_NEW(a, struct msg_desired);
	if (m->ask == ASK_OPEN)
		TRY(msg_opened_decode(a, bytes_of(x->data, x->len), opened, e));
	if (m->ask == ASK_POLL)
		TRY(msg_desired_decode(a, bytes_of(x->data, x->len), desired, e));
	m->opened = opened;
	m->desired = desired;
	return RC_OK;
}

/* kind: which ask; number: 0 good, -1 stale, else the kind of the failure. */
void node_answer(struct sim *s, struct event *x)
{
	struct troth_err e = { 0 };
	struct agent_answer m = { .ask = (enum agent_ask)x->kind, .ticket = x->ticket, .ok = x->number == 0, .stale = x->number < 0,
				  .kind = x->number > 0 ? (enum troth_kind)x->number : TROTH_CONFLICT };
	if (!alive(x))
		return;
	CLEANUP(arena_freep) struct arena *a = arena_new(32 << 20);
	if (m.ok)
		must(s, decode_answer(a, x, &m, &e), &e, "an answer of the server");
	step(s, x->node, &(struct agent_event){ .kind = EVENT_ANSWER, .answer = &m });
}

static void encode_ask(const struct agent_effect *x, struct buf *out)
{
	switch (x->ask.ask) {
	case ASK_OPEN: msg_session_encode(out, &x->ask.open); break;
	case ASK_REPORT: msg_report_encode(out, &x->ask.report); break;
	case ASK_CSR: msg_csr_encode(out, &x->ask.csr); break;
	default: break;
	}
	CHECK(buf_ok(out));
}

static void send_ask(struct sim *s, struct node *n, const struct agent_effect *x, struct bytes body, msec_t late)
{
	bool lost = net_loses(s, n);
	struct event *m = own_event(s, n, s->now + (lost ? LOST_MS : net_delay(s, n) + late), lost ? node_answer : server_receive);
	m->ticket = x->ticket;
	m->kind = x->ask.ask;
	m->number = lost ? TROTH_UNAVAILABLE : x->ask.ask == ASK_POLL ? x->ask.poll.session : 0;
	m->number2 = x->ask.ask == ASK_POLL ? x->ask.poll.after : 0;
	event_data(m, body);
}

static void do_ask(struct sim *s, struct node *n, const struct agent_effect *x)
{
	CLEANUP(buf_release) struct buf body = buf_make(MSG_BYTES);
	encode_ask(x, &body);
	if (x->ask.ask == ASK_REPORT)
		check_report(s, n, &x->ask.report);
	send_ask(s, n, x, buf_bytes(&body), 0);
	if (fault_hits(s, FAULT_TWICE, n, 30))
		send_ask(s, n, x, buf_bytes(&body), 0);
	if (fault_hits(s, FAULT_STRAY, n, 10))
		send_ask(s, n, x, buf_bytes(&body), fault_in(s, 5, 240) * 1000);
}

static void do_note(struct sim *s, const struct node *n, const struct agent_effect *x)
{
	tell(s, "%s: %s %s %lld %s", n->name, x->note.event, x->note.target ? x->note.target : "", (long long)x->note.generation,
	     x->note.text ? x->note.text : "");
	if (x->note.text)
		world_log(s, x->note.text);
}

static void perform(struct sim *s, struct node *n)
{
	for (size_t i = 0; i < s->agents->effects.count; i++) {
		const struct agent_effect *x = &s->agents->effects.items[i];
		switch (x->kind) {
		case EFFECT_ASK: do_ask(s, n, x); break;
		case EFFECT_HAND: do_hand(s, n, &x->hand); break;
		case EFFECT_PROBE: do_look(s, n, x); break;
		case EFFECT_TIMER: do_timer(s, n, x->at); break;
		case EFFECT_NOTE: do_note(s, n, x); break;
		}
	}
}

/* -- life of an agent ------------------------------------------------------------------------------------------------------- */
static void write_boot_id(struct sim *s, struct node *n)
{
	char id[UUID_LEN + 1];
	port_uuid(&s->random, id);
	id[UUID_LEN - 1] = '\n';
	nodefs_write(n->fs, "/proc/sys/kernel/random/boot_id", bytes_of(id, UUID_LEN));
}

static void agent_end(struct node *n)
{
	agent_core_free(n->agent->core);
	hand_close(&n->agent->hand);
	free(n->agent);
	n->agent = NULL;
	n->life++;
}

void node_start(struct sim *s, struct node *n)
{
	struct troth_err e = { 0 };
	struct agents *all = s->agents;
	struct agent_half *self = calloc(1, sizeof *self);
	CHECK(self);
	*self = (struct agent_half){ .s = s, .n = n };
	struct hand_port port = { self, nodefs_port(n->fs), p_now, p_user, p_group, p_owner, p_signal, p_run, 0 };
	nodefs_restart(n->fs);
	must(s, hand_open(&self->hand, &port, "/agent", all->profiles, PROFILE_KIND_COUNT, &all->settings, &e), &e, "hand_open");
	struct agent_config config = { all->profiles, PROFILE_KIND_COUNT, &all->settings, dice_roll(&n->dice) };
	self->core = agent_core_new(&config);
	n->agent = self;
	step(s, n, &(struct agent_event){ .kind = EVENT_START });
}

static void on_start(struct sim *s, struct event *x)
{
	if (x->node->there && !x->node->agent && x->life == x->node->life)
		node_start(s, x->node);
}

static void write_pids(struct node *n)
{
	for (size_t i = 0; i < n->place_count; i++) {
		char path[64], pid[16];
		snprintf(path, sizeof path, "/run/%s.pid", n->places[i].t->name);
		snprintf(pid, sizeof pid, "%d\n", n->places[i].pid);
		nodefs_write(n->fs, path, bytes_of_text(pid));
	}
}

static void start_services(struct sim *s, struct node *n)
{
	for (size_t i = 0; i < n->place_count; i++) {
		n->places[i].handed = 0; /* a new session: what is on its way is void */
		process_restart(s, n, &n->places[i]);
	}
}

/* The agent dies; power: the whole machine, its services come again with what the disk kept. */
void node_crash(struct sim *s, struct node *n, bool power)
{
	tell(s, "%s: %s", n->name, power ? "power cut" : "the agent is killed");
	trouble(s, n, 20000);
	if (n->agent)
		agent_end(n);
	nodefs_restart(n->fs);
	if (power) {
		nodefs_power_cut(n->fs, &n->dice);
		write_boot_id(s, n);
		start_services(s, n);
	}
	event_add(s, s->now + dice_in(&n->dice, 50, 20000), on_start, n)->life = n->life;
}

void node_on(struct sim *s, struct node *n)
{
	tell(s, "%s is switched on", n->name);
	write_boot_id(s, n);
	start_services(s, n);
	n->off = false; /* only now: one service after the other */
	check_node(s, n);
	event_add(s, s->now + dice_in(&n->dice, 50, 20000), on_start, n)->life = n->life;
}

static void on_power(struct sim *s, struct event *x)
{
	if (x->node->there && x->node->off && x->life == x->node->life)
		node_on(s, x->node);
}

void node_off(struct sim *s, struct node *n, msec_t time)
{
	tell(s, "%s is switched off for %.0f s", n->name, (double)time / 1000);
	trouble(s, n, time + 20000);
	if (n->agent)
		agent_end(n);
	else
		n->life++; /* whoever was to start it does not */
	n->off = true;
	nodefs_restart(n->fs);
	for (size_t i = 0; i < n->place_count; i++)
		process_stop(s, n, &n->places[i]);
	event_add(s, s->now + time, on_power, n)->life = n->life;
}

void node_restore(struct sim *s, struct node *n)
{
	tell(s, "%s is restored from its backup", n->name);
	trouble(s, n, 20000);
	if (n->agent)
		agent_end(n);
	else
		n->life++;
	nodefs_free(n->fs);
	n->fs = n->backup;
	n->backup = NULL;
	n->off = false;
	write_boot_id(s, n);
	for (size_t i = 0; i < n->place_count; i++) {
		n->places[i].excuse = EXCUSE_RESTORED;
		n->places[i].excuse_seen = false;
		n->places[i].generation = 0;
		n->places[i].last_content = 0;
	}
	write_pids(n);
	start_services(s, n);
	event_add(s, s->now + dice_in(&n->dice, 50, 20000), on_start, n)->life = n->life;
}

void node_stop(struct sim *s, struct node *n)
{
	if (n->agent)
		agent_end(n);
	n->there = false;
	n->life++;
}

struct node *node_none(struct sim *s)
{
	struct node *n = calloc(1, sizeof *n);
	CHECK(n);
	snprintf(n->name, sizeof n->name, "nobody-%d", s->names++);
	n->index = s->node_count;
	return s->nodes[s->node_count++] = n;
}

void node_free(struct node *n)
{
	if (n->agent)
		agent_end(n);
	nodefs_free(n->fs);
	nodefs_free(n->backup);
	free(n);
}

/* -- enrolment --------------------------------------------------------------------------------------------------------------- */
static void install(struct sim *s, struct node *n, struct key *key, const struct msg_enrolled *m)
{
	struct troth_err e = { 0 };
	const struct cert *identity;
	CLEANUP(buf_release) struct buf pem = buf_make_secret(8192);
	must(s, key_write(key, KEY_PKCS8_PEM, &pem, &e), &e, "key_write");
	must(s, cert_parse_any(s->life_a, bytes_of_text(m->certificate), &identity, &e), &e, "identity");
	n->identity = identity->der;
	char mark[] = "\n";
	nodefs_write(n->fs, "/agent/.made", bytes_of(mark, 1));
	nodefs_write(n->fs, "/srv/.made", bytes_of(mark, 1));
	const struct port_fs *fs = nodefs_port(n->fs);
	struct store_dir d = { fs, fs->openat(fs->self, AT_FDCWD, "/agent", O_RDONLY | O_DIRECTORY, 0) };
	struct agent_identity id = { "https://troth:8443", m->instance_id, m->instance, m->deployment, m->epoch, m->instance_id };
	must(s, identity_install(&d, s->ask_a, buf_bytes(&pem), m->certificate, m->chain, m->server_ca, &e), &e, "identity_install");
	must(s, identity_write(&d, &id, &e), &e, "identity_write");
}

struct node *node_new(struct sim *s, const char *deployment)
{
	struct troth_err e = { 0 };
	struct msg_enrolled m;
	const char *csr;
	CLEANUP(key_releasep) struct key *key = NULL;
	if (s->node_count == SIM_NODES_MAX)
		return NULL;
	struct node *n = calloc(1, sizeof *n);
	CHECK(n);
	snprintf(n->name, sizeof n->name, "%s-%d", deployment, s->names++);
	n->index = s->node_count;
	n->dice.state = fault_seed(s, fault_name(FAULT_NODE, n->index, 0));
	n->life = 1;
	n->calm.trouble_until = s->now;
	arena_reset(s->ask_a);
	must(s, key_generate(KEY_EC_P256, &key, &e), &e, "key");
	must(s, csr_build(s->ask_a, key, n->name, &csr, &e), &e, "csr");
	if (!server_enroll(s, n, deployment, csr, &m)) {
		free(n);
		return NULL;
	}
	n->fs = nodefs_new();
	install(s, n, key, &m);
	write_boot_id(s, n);
	write_pids(n);
	n->there = true;
	s->nodes[s->node_count++] = n;
	tell(s, "%s is enrolled", n->name);
	node_start(s, n);
	return n;
}
