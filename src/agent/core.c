/* One state machine a target, driven by one table; around it the session with the server.
 *
 *   LOOK ── IDLE ── STAGE ── QUEUE ── SWAP ── RELOAD ── VERIFY ── DRAIN ── SETTLE ── IDLE, reported
 *                     │                 └────────┴─────────┴── PUT_BACK ── BACK_RELOAD ── BACK_VERIFY
 *                     └ REFUSE ── IDLE                             ── BACK_DRAIN ── BACK_DONE ── IDLE, failed
 *   IDLE ── CHECK ── WATCH ── IDLE, or (something differs) ── QUEUE ── PROVE ── PROVE_VERIFY ── PROVE_DRAIN
 *
 * QUEUE waits until no other target is reloading the same service.  STUCK is where something failed
 * that cannot be put right at once; it is tried again, ever more slowly, and a newer document may
 * always come in (a cure is not blocked by the illness).
 * High-water h moves only when a generation is done with (settled, failed, refused); what is begun
 * and not done with is `doing`, durable in the hand, and rolled forward after a crash. */
#include "agent/core.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"

enum target_state {
	T_LOOK, T_FOUND, T_IDLE,
	T_STAGE, T_REFUSE, T_QUEUE, T_SWAP, T_RELOAD, T_VERIFY, T_DRAIN, T_SETTLE,
	T_PUT_BACK, T_BACK_RELOAD, T_BACK_VERIFY, T_BACK_DRAIN, T_BACK_DONE,
	T_CHECK, T_WATCH, T_PROVE, T_PROVE_VERIFY, T_PROVE_DRAIN,
	T_STUCK, T_FORGET,
	T_COUNT
};

/* What happens in a state, and where its two ends lead.  op HAND_OP_COUNT: none.  fail == the state
 * itself: the same again after a while. */
static const struct state_row {
	const char *name;
	enum hand_op op;
	bool locks; /* no other target may be in a locking state of the same service */
	enum target_state ok, fail;
} STATES[T_COUNT] = {
	[T_LOOK]         = { "look", HAND_LOOK, false, T_IDLE, T_LOOK },
	[T_FOUND]        = { "found", HAND_OP_COUNT, false, T_IDLE, T_IDLE },
	[T_IDLE]         = { "idle", HAND_OP_COUNT, false, T_IDLE, T_IDLE },
	[T_STAGE]        = { "stage", HAND_STAGE, false, T_QUEUE, T_REFUSE },
	[T_REFUSE]       = { "refuse", HAND_REFUSE, false, T_IDLE, T_REFUSE },
	[T_QUEUE]        = { "queue", HAND_OP_COUNT, false, T_SWAP, T_SWAP },
	[T_SWAP]         = { "swap", HAND_SWAP, true, T_RELOAD, T_PUT_BACK },
	[T_RELOAD]       = { "reload", HAND_RELOAD, true, T_VERIFY, T_PUT_BACK },
	[T_VERIFY]       = { "verify", HAND_OP_COUNT, true, T_DRAIN, T_PUT_BACK },
	[T_DRAIN]        = { "drain", HAND_OP_COUNT, false, T_SETTLE, T_SETTLE },
	[T_SETTLE]       = { "settle", HAND_SETTLE, false, T_IDLE, T_SETTLE },
	[T_PUT_BACK]     = { "put-back", HAND_PUT_BACK, true, T_BACK_RELOAD, T_STUCK },
	[T_BACK_RELOAD]  = { "back-reload", HAND_RELOAD, true, T_BACK_VERIFY, T_STUCK },
	[T_BACK_VERIFY]  = { "back-verify", HAND_OP_COUNT, true, T_BACK_DRAIN, T_STUCK },
	[T_BACK_DRAIN]   = { "back-drain", HAND_OP_COUNT, false, T_BACK_DONE, T_BACK_DONE },
	[T_BACK_DONE]    = { "back-done", HAND_BACK_DONE, false, T_IDLE, T_BACK_DONE },
	[T_CHECK]        = { "check", HAND_CHECK, false, T_WATCH, T_IDLE },
	[T_WATCH]        = { "watch", HAND_OP_COUNT, false, T_IDLE, T_QUEUE },
	[T_PROVE]        = { "prove", HAND_RELOAD, true, T_PROVE_VERIFY, T_STUCK },
	[T_PROVE_VERIFY] = { "prove-verify", HAND_OP_COUNT, true, T_PROVE_DRAIN, T_STUCK },
	[T_PROVE_DRAIN]  = { "prove-drain", HAND_OP_COUNT, false, T_IDLE, T_IDLE },
	[T_STUCK]        = { "stuck", HAND_OP_COUNT, false, T_QUEUE, T_QUEUE },
	[T_FORGET]       = { "forget", HAND_FORGET, false, T_FORGET, T_FORGET },
};

enum {
	RETRY_MS = 1000,         /* a step of the hand that failed for want of disk or a lock */
	RETRY_MAX_MS = 60000,    /* stuck: 1 s, 2 s, 4 s ... a minute */
	SIGHT_MS = 20,           /* between two sightings of the new leaf */
	MISS_MS = 30,            /* between two looks that did not show it */
	UNATTESTED_MS = 200,     /* the same of attest files: each costs the hand a parse of the document */
	BACK_OFF_MS = 100,       /* server away: 0.1 s, 0.2 s ... */
	BACK_OFF_MAX_MS = 15000, /* ... 15 s, each times 0.5 to 1.5 */
	QUIET_MS = 1000,         /* between two polls if the server does not hold them */
	REASON_BYTES = MSG_REASON_BYTES + 1,
};

enum csr_state { CSR_NONE, CSR_MAKING, CSR_READY, CSR_SENT };

struct target {
	char id[UUID_LEN];
	struct arena *mem;            /* spec and place */
	struct target_spec spec;
	struct place place;
	bool placed;                  /* place is filled in */
	char trouble[REASON_BYTES];   /* why there is no place; "" if there is */
	struct arena *next_mem;       /* a changed spec, until the target is idle */
	struct target_spec next_spec;
	bool known, look_failed, gone; /* the hand has looked; it cannot; the server took the target away */

	enum target_state state, after_queue, stuck_in, came_from;
	bool waiting, entered;        /* for a reply or a look; the state's action was begun */
	uint32_t ticket;
	msec_t wake_at, verify_until, check_at, retry_ms;

	int64_t loaded, high_water, doing; /* l, h, and the one under way */
	int64_t staging, stuck_doing;
	bool begun;                   /* doing is durable in the hand: it will be seen through */
	bool has_files, settled, down;
	struct arena *seen_mem, *doing_mem, *found_mem;
	struct json_texts loaded_fps, doing_fps;
	int streak;
	char reload_why[REASON_BYTES], reason[REASON_BYTES]; /* of the reload; of the failure */

	struct arena *want_mem;       /* the newest document of the present session */
	struct msg_target want;
	bool wants;

	bool report_due;
	uint32_t report_serial;       /* counts what is new to report */
	int64_t failed_generation;
	bool has_found, looked_at_service;
	struct json_texts found_fps;
	const char *found_text;
	char drift[WIRE_DRIFT_LINES][256];
	size_t drift_count;

	enum csr_state csr;
	char csr_request[UUID_LEN];
	uint32_t csr_ticket;
	msec_t csr_at;
	struct arena *csr_mem;
	const char *csr_type, *csr_name, *csr_pem;
};

struct lane { bool busy; uint32_t ticket; msec_t not_before; int failures; msec_t asked_at; };

struct agent_core {
	struct agent_config config;
	uint64_t random;
	uint32_t tickets, start_ticket;
	bool started;
	msec_t start_at;
	char boot_id[MSG_EPOCH_BYTES + 1], epoch[MSG_EPOCH_BYTES + 1];
	int64_t session, version, seq;
	struct lane lanes[ASK_COUNT];
	struct target *reporting, *answering; /* whose report, whose csr is under way */
	uint32_t reporting_serial;
	struct target *targets[LIMIT_TARGETS_PER_INSTANCE];
	size_t target_count;
};

struct step { /* of one call */
	struct agent_core *core;
	msec_t now;
	struct arena *a;
	struct agent_effects *out;
	struct agent_effect spill; /* a step never fills the array; if it did, timers would ask again */
};

/* -- small things ------------------------------------------------------------------------------------- */

static struct agent_effect *emit(struct step *s, enum agent_effect_kind kind)
{
	struct agent_effect *x = s->out->count < AGENT_EFFECTS ? &s->out->items[s->out->count++] : &s->spill;
	memset(x, 0, sizeof *x);
	x->kind = kind;
	return x;
}

static void note(struct step *s, const struct target *t, const char *event, const char *text, int64_t generation)
{
	struct agent_effect *x = emit(s, EFFECT_NOTE);
	x->note.event = event;
	x->note.target = t ? t->spec.name : NULL;
	x->note.text = text ? arena_text(s->a, text) : NULL;
	x->note.generation = generation;
}

/* xorshift64*: for jitter only */
static uint64_t jitter(struct agent_core *core)
{
	uint64_t x = core->random;
	x ^= x >> 12;
	x ^= x << 25;
	x ^= x >> 27;
	core->random = x;
	return x * 2685821657736338717u >> 33;
}

static msec_t back_off(struct agent_core *core, int failures)
{
	msec_t ms = BACK_OFF_MS;
	for (int i = 1; i < failures && ms < BACK_OFF_MAX_MS; i++)
		ms *= 2;
	ms = ms > BACK_OFF_MAX_MS ? BACK_OFF_MAX_MS : ms;
	return ms / 2 + (msec_t)(jitter(core) % (uint64_t)ms);
}

static struct json_texts copy_texts(struct arena *a, struct json_texts in)
{
	struct json_texts out = { ARENA_ARRAY(a, const char *, in.count), in.count };
	for (size_t i = 0; i < in.count; i++)
		out.items[i] = arena_text(a, in.items[i]);
	return out;
}

static struct arena *fresh(struct arena **a, size_t max)
{
	if (*a)
		arena_reset(*a);
	else
		*a = arena_new(max);
	return *a;
}

static void keep_fps(struct arena **mem, struct json_texts *out, struct json_texts in)
{
	struct arena *a = arena_new(256 << 10);
	*out = copy_texts(a, in);
	arena_free(*mem);
	*mem = a;
}

static const char *leaf_of(const struct json_texts *fps) { return fps->count ? fps->items[0] : NULL; }

static struct target *target_by_id(struct agent_core *core, const char *id)
{
	for (size_t i = 0; id && i < core->target_count; i++)
		if (text_equal(core->targets[i]->id, id))
			return core->targets[i];
	return NULL;
}

static void report(struct target *t)
{
	t->report_due = true;
	t->report_serial++;
}

static void add_drift(struct target *t, const char *line)
{
	for (size_t i = 0; i < t->drift_count; i++)
		if (strncmp(t->drift[i], line, sizeof t->drift[i] - 1) == 0)
			return;
	if (t->drift_count == WIRE_DRIFT_LINES)
		return;
	snprintf(t->drift[t->drift_count++], sizeof t->drift[0], "%s", line);
	report(t);
}

static void set_reason(struct target *t, const char *text)
{
	snprintf(t->reason, sizeof t->reason, "%s", text ? text : "no reason was given");
}

/* -- targets: made, described, removed -------------------------------------------------------------------- */

static struct target *target_add(struct agent_core *core, const char *id)
{
	if (core->target_count == LIMIT_TARGETS_PER_INSTANCE || strlen(id) >= UUID_LEN)
		return NULL;
	struct target *t = calloc(1, sizeof *t);
	CHECK(t);
	(void)text_copy(t->id, sizeof t->id, id); /* checked above */
	t->spec.id = t->id;
	core->targets[core->target_count++] = t;
	return t;
}

static void target_free(struct target *t)
{
	struct arena *all[] = { t->mem, t->next_mem, t->seen_mem, t->doing_mem, t->found_mem, t->want_mem, t->csr_mem };
	for (size_t i = 0; i < ARRAY_LEN(all); i++)
		arena_free(all[i]);
	free(t);
}

static void target_remove(struct agent_core *core, struct target *t)
{
	for (size_t i = 0; i < core->target_count; i++)
		if (core->targets[i] == t) {
			core->targets[i] = core->targets[--core->target_count];
			break;
		}
	core->reporting = core->reporting == t ? NULL : core->reporting;
	core->answering = core->answering == t ? NULL : core->answering;
	target_free(t);
}

static struct target_spec copy_spec(struct arena *a, const char *id, const struct target_spec *in)
{
	struct target_spec out = { .id = id, .name = arena_text(a, in->name), .profile = arena_text(a, in->profile),
				   .kind = in->kind, .role = in->role, .parameter_count = in->parameter_count };
	struct msg_parameter *p = ARENA_ARRAY(a, struct msg_parameter, in->parameter_count);
	for (size_t i = 0; i < in->parameter_count; i++)
		p[i] = (struct msg_parameter){ arena_text(a, in->parameters[i].name), arena_text(a, in->parameters[i].value) };
	out.parameters = p;
	return out;
}

static bool same_spec(const struct target_spec *a, const struct target_spec *b)
{
	if (!text_equal(a->name, b->name) || !text_equal(a->profile, b->profile) || a->kind != b->kind || a->role != b->role ||
	    a->parameter_count != b->parameter_count)
		return false;
	for (size_t i = 0; i < a->parameter_count; i++)
		if (!text_equal(a->parameters[i].name, b->parameters[i].name) ||
		    !text_equal(a->parameters[i].value, b->parameters[i].value))
			return false;
	return true;
}

/* Works the place out anew from the spec.  The hand does the same for itself. */
static void find_place(struct agent_core *core, struct target *t)
{
	struct troth_err e = { 0 };
	t->trouble[0] = 0;
	t->placed = rc_ok(place_resolve(t->mem, core->config.profiles, core->config.profile_count, core->config.settings,
					&t->spec, &t->place, &e));
	if (!t->placed)
		snprintf(t->trouble, sizeof t->trouble, "%s%s%s", e.primary, e.hint[0] ? "; " : "", e.hint);
}

/* -- entering a state -------------------------------------------------------------------------------------- */

static void go(struct target *t, enum target_state state)
{
	t->state = state;
	t->entered = false;
	t->waiting = false;
	t->wake_at = 0;
}

static struct hand_request *ask_hand(struct step *s, struct target *t, enum hand_op op)
{
	struct agent_effect *x = emit(s, EFFECT_HAND);
	x->ticket = t->ticket = ++s->core->tickets;
	x->hand = (struct hand_request){ .op = op, .ticket = t->ticket, .id = t->id };
	t->waiting = true;
	return &x->hand;
}

static void look_at_service(struct step *s, struct target *t)
{
	struct agent_effect *x = emit(s, EFFECT_PROBE);
	x->ticket = t->ticket = ++s->core->tickets;
	x->probe.target = t->id;
	x->probe.place = &t->place;
	t->waiting = true;
}

static void fill_request(struct target *t, struct hand_request *r)
{
	switch (r->op) {
	case HAND_LOOK:
		r->name = t->spec.name;
		r->profile = t->spec.profile;
		r->kind = t->spec.kind;
		r->role = t->spec.role;
		r->parameters = (struct msg_parameter *)t->spec.parameters;
		r->parameter_count = t->spec.parameter_count;
		break;
	case HAND_STAGE:
		t->staging = r->generation = t->want.generation;
		r->certificates = t->want.certificates;
		r->key_request = t->want.key_request;
		r->sealed_key = t->want.sealed_key;
		break;
	case HAND_REFUSE: case HAND_PUT_BACK:
		r->text = t->reason;
		r->generation = t->doing;
		break;
	case HAND_CHECK: r->generation = t->loaded; break;
	default: r->generation = t->doing; break;
	}
}

static void enter_verify(struct step *s, struct target *t)
{
	if (!t->verify_until) {
		t->verify_until = s->now + t->place.deadline;
		t->streak = 0;
	}
	if (t->place.proof == PROOF_PROBE)
		look_at_service(s, t);
	else
		fill_request(t, ask_hand(s, t, HAND_ATTEST));
}

static bool verifies(enum target_state state)
{
	return state == T_VERIFY || state == T_BACK_VERIFY || state == T_PROVE_VERIFY;
}

static bool drains(enum target_state state)
{
	return state == T_DRAIN || state == T_BACK_DRAIN || state == T_PROVE_DRAIN;
}

/* Is there anything to look at?  Otherwise the reload was the proof; and going back to a state that
 * we never saw there is nothing to compare with. */
static bool can_verify(const struct target *t)
{
	if (t->state == T_BACK_VERIFY && t->loaded_fps.count == 0)
		return false;
	if (t->place.proof == PROOF_ATTEST)
		return !t->down;
	return t->place.proof == PROOF_PROBE;
}

static void finish(struct step *s, struct target *t, bool ok);

static void enter(struct step *s, struct target *t)
{
	enum target_state state = t->state;
	t->entered = true;
	if (verifies(state)) {
		t->verify_until = 0;
		if (can_verify(t))
			enter_verify(s, t);
		else
			finish(s, t, true);
	} else if (drains(state)) {
		msec_t drain = t->down ? 0 : t->place.drain;
		t->wake_at = s->now + drain;
	} else if (STATES[state].op != HAND_OP_COUNT) {
		fill_request(t, ask_hand(s, t, STATES[state].op));
	} else if (state == T_FOUND) {
		t->looked_at_service = true;
		look_at_service(s, t);
	} else if (state == T_WATCH) {
		if (t->place.proof == PROOF_PROBE)
			look_at_service(s, t);
		else if (t->place.proof == PROOF_ATTEST)
			fill_request(t, ask_hand(s, t, HAND_ATTEST));
		else
			finish(s, t, true);
	} else if (state == T_STUCK) {
		t->retry_ms = t->retry_ms ? t->retry_ms * 2 : RETRY_MS;
		t->retry_ms = t->retry_ms > RETRY_MAX_MS ? RETRY_MAX_MS : t->retry_ms;
		t->wake_at = s->now + t->retry_ms;
	}
}

/* -- ends of states: what becomes true ------------------------------------------------------------------------ */

static void settle(struct step *s, struct target *t)
{
	t->settled = true;
	t->retry_ms = 0;
	t->check_at = s->now + AGENT_CHECK_MS;
	report(t);
}

static void done_settle(struct step *s, struct target *t)
{
	t->loaded = t->high_water = t->doing;
	t->has_files = true;
	t->doing = 0;
	t->begun = false;
	keep_fps(&t->seen_mem, &t->loaded_fps, t->doing_fps);
	note(s, t, "target.settled", NULL, t->loaded);
	settle(s, t);
}

/* A generation is done with and not in use: l stays. */
static void done_failed(struct step *s, struct target *t)
{
	t->failed_generation = t->doing;
	if (t->doing > t->high_water)
		t->high_water = t->doing;
	t->doing = 0;
	note(s, t, "target.failed", t->reason, t->failed_generation);
	report(t);
	if (t->state == T_REFUSE && t->came_from == T_STUCK)
		return; /* what was unproven is so still */
	t->begun = false;
	settle(s, t);
}

static void get_stuck(struct step *s, struct target *t)
{
	t->stuck_in = t->state == T_PROVE || t->state == T_PROVE_VERIFY ? T_PROVE : T_PUT_BACK;
	t->stuck_doing = t->doing;
	t->settled = false;
	add_drift(t, t->reason);
	note(s, t, "target.stuck", t->reason, t->doing ? t->doing : t->loaded);
}

/* The state's action ended: do what its end means, go where the table says. */
static void finish(struct step *s, struct target *t, bool ok)
{
	enum target_state from = t->state, to = ok ? STATES[from].ok : STATES[from].fail;
	if (to == T_STUCK)
		get_stuck(s, t);
	if (from == T_SETTLE && ok)
		done_settle(s, t);
	if ((from == T_REFUSE || from == T_BACK_DONE) && ok)
		done_failed(s, t);
	if (from == T_PROVE_DRAIN)
		settle(s, t);
	if (from == T_STAGE && ok)
		t->after_queue = T_SWAP;
	if (from == T_STUCK)
		t->after_queue = t->stuck_in;
	if (from == T_WATCH && !ok)
		t->after_queue = T_PROVE;
	if (from == T_REFUSE && ok && t->came_from == T_STUCK) {
		t->doing = t->stuck_doing;
		to = T_STUCK;
	}
	if (to == T_PUT_BACK)
		note(s, t, "target.putting-back", t->reason, t->doing);
	go(t, to);
	if (!ok && to == from) { /* the same again after a while */
		t->entered = true;
		t->wake_at = s->now + RETRY_MS;
	}
}

/* -- looks and attests: is it what it should be? ---------------------------------------------------------------- */

static const char *expected_leaf(const struct target *t)
{
	return leaf_of(t->state == T_VERIFY ? &t->doing_fps : &t->loaded_fps);
}

static void miss(struct step *s, struct target *t, const char *why)
{
	t->streak = 0;
	if (s->now < t->verify_until) {
		t->wake_at = s->now + (t->place.proof == PROOF_ATTEST ? UNATTESTED_MS : MISS_MS);
		return;
	}
	set_reason(t, t->reload_why[0] ? t->reload_why : why);
	finish(s, t, false);
}

/* What a look showed, against the leaf that should be there.  NULL: all as it should be. */
static const char *compare_sights(struct step *s, const struct target *t, const struct agent_probed *p, bool *ret_refused)
{
	const char *why = NULL, *leaf = expected_leaf(t);
	size_t refused = 0;
	for (size_t i = 0; i < t->place.address_count; i++) {
		const struct agent_sight *x = &p->at[i];
		refused += x->refused;
		if (x->fingerprint && text_equal(x->fingerprint, leaf))
			continue;
		if (x->fingerprint)
			why = arena_printf(s->a, "asked for leaf %s, the service at %s port %d serves %s", leaf ? leaf : "(none)",
					   t->place.addresses[i], t->place.port, x->fingerprint);
		else
			why = arena_printf(s->a, "asked for leaf %s, the service at %s port %d shows nothing: %s", leaf ? leaf : "(none)",
					   t->place.addresses[i], t->place.port, x->why ? x->why : "no answer");
	}
	*ret_refused = refused == t->place.address_count;
	return why;
}

static void verify_probed(struct step *s, struct target *t, const struct agent_probed *p)
{
	bool refused;
	const char *why = compare_sights(s, t, p, &refused);
	if (refused && (t->down || t->reload_why[0])) { /* nobody there to reload, nobody there with old contents */
		t->down = true;
		finish(s, t, true);
	} else if (why && t->reload_why[0]) {
		set_reason(t, t->reload_why);
		if (t->state == T_BACK_VERIFY) { /* the reload is broken, and what is served is not l: try again */
			miss(s, t, why);
			return;
		}
		finish(s, t, false);
	} else if (why) {
		miss(s, t, why);
	} else if (++t->streak < t->place.sightings) {
		t->wake_at = s->now + SIGHT_MS;
	} else {
		t->down = false;
		finish(s, t, true);
	}
}

static void verify_attested(struct step *s, struct target *t, const struct hand_reply *r)
{
	if (r->ok && r->matched)
		finish(s, t, true);
	else
		miss(s, t, r->text ? r->text : "the service did not attest the files in time");
}

static void found_probed(struct step *s, struct target *t, const struct agent_probed *p)
{
	if (p->chain.count) {
		keep_fps(&t->found_mem, &t->found_fps, p->chain);
		t->found_text = arena_printf(t->found_mem, "served at %s port %d before anything of ours", t->place.addresses[0],
					     t->place.port);
		t->has_found = true;
		report(t);
	}
	finish(s, t, true);
}

static void watch_probed(struct step *s, struct target *t, const struct agent_probed *p)
{
	bool refused;
	const char *why = compare_sights(s, t, p, &refused);
	bool other = false; /* silence is not drift: the service may be starting */
	for (size_t i = 0; i < t->place.address_count; i++)
		other = other || (p->at[i].fingerprint && !text_equal(p->at[i].fingerprint, expected_leaf(t)));
	if (other) {
		t->settled = false;
		add_drift(t, why);
		note(s, t, "target.drift", why, t->loaded);
	}
	finish(s, t, !other);
}

static void watch_attested(struct step *s, struct target *t, const struct hand_reply *r)
{
	bool other = r->ok && r->present && !r->matched;
	if (other) {
		t->settled = false;
		add_drift(t, r->text);
		note(s, t, "target.drift", r->text, t->loaded);
	}
	finish(s, t, !other);
}

static void on_probed(struct step *s, const struct agent_probed *p)
{
	for (size_t i = 0; i < s->core->target_count; i++) {
		struct target *t = s->core->targets[i];
		if (!t->waiting || t->ticket != p->ticket)
			continue;
		t->waiting = false;
		if (t->state == T_FOUND)
			found_probed(s, t, p);
		else if (t->state == T_WATCH)
			watch_probed(s, t, p);
		else if (verifies(t->state))
			verify_probed(s, t, p);
		return;
	}
}

/* -- replies of the hand ------------------------------------------------------------------------------------------ */

static void take_view(struct target *t, const struct hand_view *v)
{
	t->loaded = v->loaded;
	t->high_water = v->high_water;
	t->doing = v->doing;
	t->begun = v->phase != PHASE_SETTLED;
	t->has_files = v->has_files;
	keep_fps(&t->seen_mem, &t->loaded_fps, v->loaded_fingerprints);
	keep_fps(&t->doing_mem, &t->doing_fps, v->doing_fingerprints);
	set_reason(t, v->reason);
	if (v->found_text && t->loaded == 0 && !t->has_found) {
		keep_fps(&t->found_mem, &t->found_fps, v->found_fingerprints);
		t->found_text = arena_text(t->found_mem, v->found_text);
		t->has_found = true;
	}
}

static void take_spec(struct agent_core *core, struct target *t, const struct hand_view *v)
{
	if (!t->mem)
		t->mem = arena_new(1 << 20);
	if (!t->spec.name) {
		struct target_spec spec = { t->id, v->name, v->profile, v->kind, v->role, v->parameters, v->parameter_count };
		t->spec = copy_spec(t->mem, t->id, &spec);
	}
	find_place(core, t);
}

/* A2: what was not proven when we stopped is proven or put back before anything counts. */
static void after_look(struct step *s, struct target *t, enum hand_phase phase)
{
	t->settled = false;
	if (t->trouble[0]) {
		note(s, t, "target.no-place", t->trouble, t->loaded);
		go(t, T_IDLE);
		/* Nothing can be changed without a place; what is there is as it was when it last settled. */
		if (phase == PHASE_SETTLED)
			settle(s, t);
	} else if (phase != PHASE_SETTLED) {
		t->after_queue = phase == PHASE_APPLYING ? T_SWAP : T_PUT_BACK;
		go(t, T_QUEUE);
	} else if (t->loaded || t->loaded_fps.count) {
		settle(s, t);
		go(t, T_CHECK);
	} else if (t->place.proof == PROOF_PROBE && !t->looked_at_service) {
		settle(s, t); /* nothing of ours: that, too, is a settled state */
		go(t, T_FOUND);
	} else {
		settle(s, t);
		go(t, T_IDLE);
	}
}

static void look_done(struct step *s, struct target *t, const struct hand_reply *r)
{
	if (!r->ok) {
		if (!t->look_failed)
			note(s, t, "target.look-failed", r->text, 0);
		t->look_failed = true;
		finish(s, t, false);
		return;
	}
	take_view(t, &r->view);
	take_spec(s->core, t, &r->view);
	if (!t->trouble[0] && r->text)
		snprintf(t->trouble, sizeof t->trouble, "%s", r->text);
	t->known = true;
	after_look(s, t, r->view.phase);
}

static void stage_done(struct step *s, struct target *t, const struct hand_reply *r)
{
	t->doing = t->staging;
	t->wants = t->wants && t->want.generation > t->staging;
	if (r->ok)
		keep_fps(&t->doing_mem, &t->doing_fps, r->fingerprints);
	else
		set_reason(t, r->text);
	finish(s, t, r->ok);
}

/* A reload that failed may have found nobody to reload; then a look tells. */
static void reload_done(struct step *s, struct target *t, const struct hand_reply *r)
{
	t->down = r->ok && r->down;
	snprintf(t->reload_why, sizeof t->reload_why, "%s", r->ok ? "" : r->text ? r->text : "the reload failed");
	if (!r->ok)
		set_reason(t, r->text);
	bool judge = t->place.proof == PROOF_PROBE; /* the service itself */
	bool nothing_before = t->state == T_BACK_RELOAD && t->loaded_fps.count == 0;
	finish(s, t, r->ok || judge || nothing_before);
}

static void check_done(struct step *s, struct target *t, const struct hand_reply *r)
{
	t->check_at = s->now + AGENT_CHECK_MS;
	if (!r->ok) {
		add_drift(t, r->text ? r->text : "the files could not be compared");
		finish(s, t, false);
		return;
	}
	for (size_t i = 0; i < r->drift.count; i++) {
		add_drift(t, r->drift.items[i]);
		note(s, t, "target.drift", r->drift.items[i], t->loaded);
	}
	if (r->drift.count == 0) {
		finish(s, t, true);
		return;
	}
	t->settled = false; /* put right on disk; what the process has is to be proven again */
	t->after_queue = T_PROVE;
	go(t, T_QUEUE);
}

static void on_target_reply(struct step *s, struct target *t, const struct hand_reply *r)
{
	t->waiting = false;
	switch (t->state) {
	case T_LOOK: look_done(s, t, r); break;
	case T_STAGE: stage_done(s, t, r); break;
	case T_RELOAD: case T_BACK_RELOAD: case T_PROVE: reload_done(s, t, r); break;
	case T_VERIFY: case T_BACK_VERIFY: case T_PROVE_VERIFY: verify_attested(s, t, r); break;
	case T_WATCH: watch_attested(s, t, r); break;
	case T_CHECK: check_done(s, t, r); break;
	case T_FORGET: target_remove(s->core, t); break;
	default:
		if (!r->ok && (STATES[t->state].fail != t->state || !t->reason[0]))
			set_reason(t, r->text);
		if (!r->ok)
			note(s, t, "hand.failed", r->text, t->doing);
		finish(s, t, r->ok);
	}
}

static void csr_made(struct step *s, struct target *t, const struct hand_reply *r)
{
	if (r->ok && r->csr) {
		t->csr_pem = arena_text(t->csr_mem, r->csr);
		t->csr = CSR_READY;
		return;
	}
	note(s, t, "csr.failed", r->text, 0);
	t->csr = CSR_NONE;
	t->csr_at = s->now + RETRY_MS;
}

/* The first reply of all: who we are and which targets we know. */
static void on_hello(struct step *s, const struct hand_reply *r)
{
	struct agent_core *core = s->core;
	if (!r->ok) {
		note(s, NULL, "hand.failed", r->text, 0);
		core->start_at = s->now + RETRY_MS;
		return;
	}
	(void)text_copy(core->boot_id, sizeof core->boot_id, r->boot_id ? r->boot_id : ""); /* bounded by wire.h */
	(void)text_copy(core->epoch, sizeof core->epoch, r->epoch ? r->epoch : "");
	core->started = true;
	for (size_t i = 0; i < r->ids.count; i++)
		if (!target_by_id(core, r->ids.items[i]))
			target_add(core, r->ids.items[i]);
}

/* The hand has marked what was only begun as to be taken back: look at everything again. */
static void on_epoch(struct step *s, const struct hand_reply *r)
{
	struct agent_core *core = s->core;
	if (!r->ok) {
		note(s, NULL, "hand.failed", r->text, 0);
		core->epoch[0] = 0; /* the next opening says it again */
		core->session = 0;
		core->lanes[ASK_OPEN].not_before = s->now + RETRY_MS;
		return;
	}
	for (size_t i = 0; i < core->target_count; i++) {
		struct target *t = core->targets[i];
		t->csr = CSR_NONE;
		t->wants = false;
		go(t, T_LOOK);
	}
}

static void on_hand(struct step *s, const struct hand_reply *r)
{
	struct agent_core *core = s->core;
	if (r->op == HAND_HELLO) {
		on_hello(s, r);
		return;
	}
	if (r->op == HAND_EPOCH) {
		on_epoch(s, r);
		return;
	}
	for (size_t i = 0; i < core->target_count; i++) {
		struct target *t = core->targets[i];
		if (r->op == HAND_CSR && t->csr == CSR_MAKING && t->csr_ticket == r->ticket) {
			csr_made(s, t, r);
			return;
		}
		if (r->op != HAND_CSR && t->waiting && t->ticket == r->ticket) {
			on_target_reply(s, t, r);
			return;
		}
	}
}

/* -- answers of the server ------------------------------------------------------------------------------------------ */

static void lose_session(struct step *s)
{
	struct agent_core *core = s->core;
	struct lane *open = &core->lanes[ASK_OPEN];
	core->session = 0;
	open->failures++;
	open->not_before = open->failures > 1 ? s->now + back_off(core, open->failures) : s->now;
}

/* A new session: documents of the old one are void.  What is begun goes on; what is only staged does not. */
static void on_opened(struct step *s, const struct msg_opened *m)
{
	struct agent_core *core = s->core;
	core->session = m->session;
	core->version = 0;
	core->seq = 0;
	for (size_t i = 0; i < core->target_count; i++) {
		struct target *t = core->targets[i];
		t->wants = false;
		if (t->csr != CSR_MAKING && t->csr != CSR_READY)
			t->csr = CSR_NONE;
		if (t->state == T_STAGE || (t->state == T_QUEUE && t->after_queue == T_SWAP && !t->begun)) {
			t->doing = t->came_from == T_STUCK ? t->stuck_doing : 0;
			go(t, t->came_from);
		}
		if (t->known)
			report(t);
	}
	note(s, NULL, "session.opened", m->epoch, m->session);
	if (text_equal(core->epoch, m->epoch))
		return;
	struct agent_effect *x = emit(s, EFFECT_HAND);
	x->ticket = ++core->tickets;
	x->hand = (struct hand_request){ .op = HAND_EPOCH, .ticket = x->ticket, .text = arena_text(s->a, m->epoch) };
	(void)text_copy(core->epoch, sizeof core->epoch, m->epoch); /* bounded by message.h */
	for (size_t i = 0; i < core->target_count; i++)
		core->targets[i]->known = false; /* until the hand has looked again */
}

static void take_want(struct target *t, const struct msg_target *m)
{
	struct arena *a = arena_new(4 << 20);
	struct msg_target w = *m;
	w.certificates = copy_texts(a, m->certificates);
	w.key_request = arena_text(a, m->key_request);
	w.sealed_key = arena_bytes(a, m->sealed_key);
	w.id = w.name = w.profile = NULL; /* spec has them */
	w.parameters = NULL;
	w.csr = NULL;
	arena_free(t->want_mem);
	t->want_mem = a;
	t->want = w;
	t->wants = true;
}

static void take_csr(struct target *t, const struct msg_csr_wanted *c)
{
	if (!c || (t->csr != CSR_NONE && text_equal(t->csr_request, c->request)))
		return;
	struct arena *a = fresh(&t->csr_mem, 256 << 10);
	t->csr_type = arena_text(a, c->key_type);
	t->csr_name = arena_text(a, c->common_name);
	t->csr_pem = NULL;
	(void)text_copy(t->csr_request, sizeof t->csr_request, c->request); /* a UUID: message.h checked */
	t->csr = CSR_NONE;
	t->csr_ticket = 0;
	t->csr_at = 1; /* due */
}

static void take_target(struct step *s, const struct msg_target *m)
{
	struct target_spec spec = { m->id, m->name, m->profile, m->kind, m->role, m->parameters, m->parameter_count };
	struct target *t = target_by_id(s->core, m->id);
	if (!t && (t = target_add(s->core, m->id)) == NULL) {
		note(s, NULL, "target.too-many", m->name, m->generation);
		return;
	}
	if (!t->spec.name) {
		if (!t->mem)
			t->mem = arena_new(1 << 20);
		t->spec = copy_spec(t->mem, t->id, &spec);
	} else if (!same_spec(&t->spec, &spec)) {
		t->next_spec = copy_spec(fresh(&t->next_mem, 1 << 20), t->id, &spec);
	}
	t->gone = false;
	bool newer = m->generation > t->high_water && m->generation > t->doing; /* A1 */
	bool known = t->wants && m->generation <= t->want.generation;
	bool staging = t->state == T_STAGE && m->generation <= t->staging;
	if (newer && !known && !staging)
		take_want(t, m);
	take_csr(t, m->csr);
}

static void on_desired(struct step *s, const struct msg_desired *m)
{
	struct agent_core *core = s->core;
	if (m->session != core->session || !text_equal(m->epoch, core->epoch)) { /* A1: not of this session */
		lose_session(s);
		return;
	}
	for (size_t i = 0; i < m->target_count; i++)
		take_target(s, &m->targets[i]);
	for (size_t i = 0; i < m->gone.count; i++) {
		struct target *t = target_by_id(core, m->gone.items[i]);
		if (t)
			t->gone = true;
	}
	struct lane *poll = &core->lanes[ASK_POLL];
	if (m->version == core->version && s->now - poll->asked_at < QUIET_MS)
		poll->not_before = s->now + QUIET_MS;
	core->version = m->version;
	core->lanes[ASK_OPEN].failures = 0;
}

/* A refusal that will not change by asking again. */
static bool final_refusal(enum troth_kind kind)
{
	return kind == TROTH_INVALID || kind == TROTH_FORBIDDEN || kind == TROTH_NOT_FOUND || kind == TROTH_TOO_LARGE ||
	       kind == TROTH_CONFLICT;
}

static void on_reported(struct step *s, const struct agent_answer *m)
{
	struct target *t = s->core->reporting;
	s->core->reporting = NULL;
	if (!t || (!m->ok && !final_refusal(m->kind)))
		return;
	if (s->core->reporting_serial != t->report_serial)
		return; /* something new happened meanwhile: it goes out next */
	t->report_due = false;
	t->failed_generation = 0;
	t->has_found = false;
	if (t->settled)
		t->drift_count = 0;
}

static void on_csr_sent(struct step *s, const struct agent_answer *m)
{
	struct target *t = s->core->answering;
	s->core->answering = NULL;
	if (t && t->csr == CSR_READY && (m->ok || final_refusal(m->kind)))
		t->csr = CSR_SENT;
}

static void on_answer(struct step *s, const struct agent_answer *m)
{
	struct lane *lane = &s->core->lanes[m->ask];
	if (!lane->busy || lane->ticket != m->ticket)
		return;
	lane->busy = false;
	lane->failures = m->ok ? (m->ask == ASK_OPEN ? lane->failures : 0) : lane->failures + 1;
	lane->not_before = m->ok ? 0 : s->now + back_off(s->core, lane->failures);
	if (m->ask == ASK_REPORT)
		on_reported(s, m);
	if (m->ask == ASK_CSR)
		on_csr_sent(s, m);
	if (m->stale) {
		lane->not_before = 0;
		lane->failures = 0;
		lose_session(s);
	} else if (m->ok && m->ask == ASK_OPEN) {
		on_opened(s, m->opened);
	} else if (m->ok && m->ask == ASK_POLL) {
		on_desired(s, m->desired);
	}
}

/* -- moving on ---------------------------------------------------------------------------------------------------------- */

static bool service_is_free(const struct agent_core *core, const struct target *t)
{
	for (size_t i = 0; i < core->target_count; i++) {
		const struct target *x = core->targets[i];
		if (x != t && x->placed && STATES[x->state].locks && text_equal(x->place.service, t->place.service))
			return false;
	}
	return true;
}

/* IDLE and STUCK: what comes next, in this order. */
static void choose(struct step *s, struct target *t)
{
	t->came_from = t->state;
	if (t->gone) {
		go(t, T_FORGET);
	} else if (t->next_mem && t->next_spec.name) {
		struct arena *old = t->mem;
		t->mem = t->next_mem;
		t->spec = t->next_spec;
		t->next_mem = NULL;
		t->next_spec.name = NULL;
		t->placed = false;
		arena_free(old);
		go(t, T_LOOK);
	} else if (t->wants && t->want.generation <= t->high_water) {
		t->wants = false;
	} else if (t->wants && t->trouble[0]) {
		set_reason(t, t->trouble);
		t->doing = t->want.generation;
		t->wants = false;
		go(t, T_REFUSE);
	} else if (t->wants) {
		note(s, t, "target.applying", NULL, t->want.generation);
		go(t, T_STAGE);
	} else if (t->state == T_IDLE && t->has_files && t->loaded_fps.count && !t->trouble[0] && s->now >= t->check_at) {
		go(t, T_CHECK);
	}
}

static void wake(struct step *s, struct target *t)
{
	t->wake_at = 0;
	if (verifies(t->state))
		enter_verify(s, t);
	else if (drains(t->state) || t->state == T_STUCK)
		finish(s, t, true);
	else
		t->entered = false; /* the same again */
}

/* Runs a target until it waits for something. */
static void advance(struct step *s, struct target *t)
{
	for (int i = 0; i < T_COUNT; i++) {
		enum target_state before = t->state;
		bool entered = t->entered;
		if (!t->waiting && (t->state == T_IDLE || t->state == T_STUCK))
			choose(s, t);
		if (t->state == T_QUEUE && service_is_free(s->core, t)) {
			t->begun = t->begun || t->after_queue == T_SWAP;
			go(t, t->after_queue);
		}
		if (!t->waiting && t->wake_at && s->now >= t->wake_at)
			wake(s, t);
		if (!t->entered && !t->waiting && t->state != T_QUEUE && t->state != T_IDLE)
			enter(s, t);
		if (t->state == before && t->entered == entered)
			return;
	}
}

static struct agent_effect *ask_server(struct step *s, enum agent_ask ask)
{
	struct lane *lane = &s->core->lanes[ask];
	struct agent_effect *x = emit(s, EFFECT_ASK);
	lane->busy = true;
	lane->asked_at = s->now;
	lane->ticket = x->ticket = ++s->core->tickets;
	x->ask.ask = ask;
	return x;
}

static bool lane_is_free(const struct step *s, enum agent_ask ask)
{
	const struct lane *lane = &s->core->lanes[ask];
	return !lane->busy && s->now >= lane->not_before;
}

/* A session says what is loaded; so it is opened when every target has been looked at. */
static void ask_open(struct step *s)
{
	struct agent_core *core = s->core;
	struct msg_loaded *loaded = ARENA_ARRAY(s->a, struct msg_loaded, core->target_count);
	size_t n = 0;
	for (size_t i = 0; i < core->target_count; i++) {
		const struct target *t = core->targets[i];
		if (!t->known && !t->look_failed)
			return;
		if (t->known)
			loaded[n++] = (struct msg_loaded){ t->id, t->loaded, t->high_water, t->loaded_fps };
	}
	ask_server(s, ASK_OPEN)->ask.open =
		(struct msg_session){ core->boot_id, core->epoch[0] ? core->epoch : NULL, TROTH_VERSION, loaded, n };
}

static enum msg_level level_of(const struct target *t)
{
	if (t->place.proof == PROOF_PROBE)
		return MSG_LEVEL_PROBED;
	return t->place.proof == PROOF_READ ? MSG_LEVEL_WRITTEN : MSG_LEVEL_LOADED;
}

static struct msg_report make_report(struct step *s, struct target *t)
{
	struct msg_report m = { .session = s->core->session, .seq = ++s->core->seq, .target = t->id, .generation = t->loaded,
				.high_water = t->high_water, .level = t->placed ? level_of(t) : MSG_LEVEL_LOADED,
				.settled = t->settled, .fingerprints = t->loaded_fps,
				.failed_generation = t->failed_generation,
				.failed_reason = t->failed_generation ? t->reason : NULL,
				.has_found = t->has_found, .found_fingerprints = t->found_fps, .found_text = t->found_text };
	m.drift.items = ARENA_ARRAY(s->a, const char *, t->drift_count);
	m.drift.count = t->drift_count;
	for (size_t i = 0; i < t->drift_count; i++)
		m.drift.items[i] = t->drift[i];
	return m;
}

static void ask_report(struct step *s)
{
	for (size_t i = 0; i < s->core->target_count; i++) {
		struct target *t = s->core->targets[i];
		if (!t->report_due || !t->known)
			continue;
		s->core->reporting = t;
		s->core->reporting_serial = t->report_serial;
		struct msg_report m = make_report(s, t);
		ask_server(s, ASK_REPORT)->ask.report = m;
		return;
	}
}

static void ask_csr(struct step *s)
{
	for (size_t i = 0; i < s->core->target_count; i++) {
		struct target *t = s->core->targets[i];
		if (t->csr != CSR_READY)
			continue;
		s->core->answering = t;
		ask_server(s, ASK_CSR)->ask.csr = (struct msg_csr){ s->core->session, t->id, t->csr_request, t->csr_pem };
		return;
	}
}

static void make_csr(struct step *s, struct target *t)
{
	if (t->csr != CSR_NONE || !t->csr_at || s->now < t->csr_at || !t->known)
		return;
	struct agent_effect *x = emit(s, EFFECT_HAND);
	x->ticket = t->csr_ticket = ++s->core->tickets;
	x->hand = (struct hand_request){ .op = HAND_CSR, .ticket = x->ticket, .id = t->id, .request = t->csr_request,
					 .key_type = t->csr_type, .common_name = t->csr_name };
	t->csr = CSR_MAKING;
	t->csr_at = 0;
}

static void ask_all(struct step *s)
{
	struct agent_core *core = s->core;
	if (!core->started)
		return;
	if (!core->session) {
		if (lane_is_free(s, ASK_OPEN))
			ask_open(s);
		return;
	}
	if (lane_is_free(s, ASK_POLL)) {
		struct agent_effect *x = ask_server(s, ASK_POLL);
		x->ask.poll.session = core->session;
		x->ask.poll.after = core->version;
	}
	if (lane_is_free(s, ASK_REPORT))
		ask_report(s);
	if (lane_is_free(s, ASK_CSR))
		ask_csr(s);
}

static void sooner(msec_t *at, msec_t t, msec_t now)
{
	if (t > now && (*at == 0 || t < *at))
		*at = t;
}

static void set_timer(struct step *s)
{
	struct agent_core *core = s->core;
	msec_t at = 0;
	for (size_t i = 0; i < core->target_count; i++) {
		const struct target *t = core->targets[i];
		sooner(&at, t->wake_at, s->now);
		if (t->csr == CSR_NONE)
			sooner(&at, t->csr_at, s->now);
		if (t->state == T_IDLE)
			sooner(&at, t->check_at, s->now);
	}
	for (int i = 0; i < ASK_COUNT; i++)
		if (!core->lanes[i].busy)
			sooner(&at, core->lanes[i].not_before, s->now);
	if (!core->started)
		sooner(&at, core->start_at, s->now);
	if (at)
		emit(s, EFFECT_TIMER)->at = at;
}

static void start(struct step *s)
{
	struct agent_core *core = s->core;
	struct agent_effect *x = emit(s, EFFECT_HAND);
	x->ticket = ++core->tickets;
	x->hand = (struct hand_request){ .op = HAND_HELLO, .ticket = x->ticket };
	core->start_at = 0;
}

void agent_step(struct agent_core *core, const struct agent_event *event, msec_t now, struct arena *a,
		struct agent_effects *ret)
{
	struct step s = { .core = core, .now = now, .a = a, .out = ret };
	ret->count = 0;
	switch (event->kind) {
	case EVENT_START: start(&s); break;
	case EVENT_HAND: on_hand(&s, event->hand); break;
	case EVENT_PROBED: on_probed(&s, event->probed); break;
	case EVENT_ANSWER: on_answer(&s, event->answer); break;
	case EVENT_TIMER: break;
	}
	if (!core->started && core->start_at && now >= core->start_at)
		start(&s);
	for (int pass = 0; pass < 2; pass++) /* one may free the service that another waits for */
		for (size_t i = 0; i < core->target_count; i++)
			advance(&s, core->targets[i]);
	for (size_t i = 0; i < core->target_count; i++)
		make_csr(&s, core->targets[i]);
	ask_all(&s);
	set_timer(&s);
}

/* -- life ------------------------------------------------------------------------------------------------------------------ */

struct agent_core *agent_core_new(const struct agent_config *config)
{
	struct agent_core *core = calloc(1, sizeof *core);
	CHECK(core);
	core->config = *config;
	core->random = config->seed | 1;
	return core;
}

void agent_core_free(struct agent_core *core)
{
	if (!core)
		return;
	for (size_t i = 0; i < core->target_count; i++)
		target_free(core->targets[i]);
	free(core);
}

void agent_core_freep(struct agent_core **core) { agent_core_free(*core); }

const char *agent_core_state(const struct agent_core *core, const char *target_id)
{
	for (size_t i = 0; i < core->target_count; i++)
		if (text_equal(core->targets[i]->id, target_id))
			return STATES[core->targets[i]->state].name;
	return NULL;
}

int64_t agent_core_session(const struct agent_core *core) { return core->session; }
