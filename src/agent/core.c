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
#include "agent/core_parts.h"

#include <stdlib.h>
#include <string.h>

#include "base/limits.h"

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

/* -- entering a state -------------------------------------------------------------------------------------- */

void core_go(struct target *t, enum target_state state)
{
	t->state = state;
	t->entered = false;
	t->waiting = false;
	t->wake_at = 0;
}

static struct hand_request *ask_hand(struct step *s, struct target *t, enum hand_op op)
{
	struct agent_effect *x = core_emit(s, EFFECT_HAND);
	x->ticket = t->ticket = ++s->core->tickets;
	x->hand = (struct hand_request){ .op = op, .ticket = t->ticket, .id = t->id };
	t->waiting = true;
	return &x->hand;
}

static void look_at_service(struct step *s, struct target *t)
{
	struct agent_effect *x = core_emit(s, EFFECT_PROBE);
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
		r->distrusted = t->want.distrusted;
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

bool core_verifies(enum target_state state)
{
	return state == T_VERIFY || state == T_BACK_VERIFY || state == T_PROVE_VERIFY;
}

bool core_retries(enum target_state state) { return STATES[state].fail == state; }

static bool drains(enum target_state state)
{
	return state == T_DRAIN || state == T_BACK_DRAIN || state == T_PROVE_DRAIN;
}

/* Is there anything to look at?  Otherwise the reload was the proof; and going back to a state that
 * we never saw there is nothing to compare with. */
static bool can_verify(const struct target *t)
{
	if (t->state == T_BACK_VERIFY && t->loaded == 0)
		return false;
	if (t->place.proof == PROOF_ATTEST)
		return !t->down;
	return t->place.proof == PROOF_PROBE;
}

static void enter(struct step *s, struct target *t)
{
	enum target_state state = t->state;
	t->entered = true;
	if (core_verifies(state)) {
		t->verify_until = 0;
		if (can_verify(t))
			enter_verify(s, t);
		else
			core_finish(s, t, true);
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
			core_finish(s, t, true);
	} else if (state == T_STUCK) {
		t->retry_ms = t->retry_ms ? t->retry_ms * 2 : RETRY_MS;
		t->retry_ms = t->retry_ms > RETRY_MAX_MS ? RETRY_MAX_MS : t->retry_ms;
		t->wake_at = s->now + t->retry_ms;
	}
}

/* -- ends of states: what becomes true ------------------------------------------------------------------------ */

void core_settle(struct step *s, struct target *t)
{
	t->settled = true;
	t->retry_ms = 0;
	t->check_at = s->now + AGENT_CHECK_MS;
	core_report(t);
}

static void done_settle(struct step *s, struct target *t)
{
	t->loaded = t->doing;
	if (t->doing > t->high_water) /* a newer one may have been refused meanwhile */
		t->high_water = t->doing;
	t->has_files = true;
	t->doing = 0;
	t->begun = t->no_way_back = false;
	core_keep_fps(&t->seen_mem, &t->loaded_fps, t->doing_fps);
	if (t->down) /* whoever looks should know that nobody was seen to use them */
		core_add_drift(t, "nothing ran that could be reloaded: the files are in place for its start");
	core_note(s, t, "target.settled", t->down ? "nothing ran that could be reloaded" : NULL, t->loaded);
	core_settle(s, t);
}

/* A generation is done with and not in use: l stays. */
static void done_failed(struct step *s, struct target *t)
{
	t->failed_generation = t->doing;
	if (t->doing > t->high_water)
		t->high_water = t->doing;
	t->doing = 0;
	core_note(s, t, "target.failed", t->reason, t->failed_generation);
	core_report(t);
	if (t->state == T_REFUSE && t->came_from == T_STUCK)
		return; /* what was unproven is so still */
	t->begun = false;
	core_settle(s, t);
}

/* Where to go on when it is tried again. */
static enum target_state stuck_at(enum target_state state)
{
	if (state == T_RELOAD)
		return T_RELOAD; /* the files are in place; a process to prove them by is not */
	return state == T_PROVE || state == T_PROVE_VERIFY ? T_PROVE : T_PUT_BACK;
}

static void get_stuck(struct step *s, struct target *t)
{
	t->stuck_in = stuck_at(t->state);
	if (t->no_way_back && t->stuck_in == T_PUT_BACK)
		t->stuck_in = T_SWAP;
	t->stuck_doing = t->doing;
	t->settled = false;
	core_add_drift(t, t->reason);
	core_note(s, t, "target.stuck", t->reason, t->doing ? t->doing : t->loaded);
}

void core_wait_for_process(struct step *s, struct target *t)
{
	get_stuck(s, t);
	core_go(t, T_STUCK);
}

/* The state's action ended: do what its end means, go where the table says. */
void core_finish(struct step *s, struct target *t, bool ok)
{
	enum target_state from = t->state, to = ok ? STATES[from].ok : STATES[from].fail;
	bool perhaps_not_begun = from == T_SWAP && t->doing <= t->high_water; /* h has passed it: only the hand knows */
	if (to == T_PUT_BACK && from != T_STUCK && t->no_way_back && !perhaps_not_begun) {
		core_set_reason(t, arena_printf(s->a, "the new files stay, what they replaced is distrusted: %s", t->reason));
		to = T_STUCK;
	}
	if (to == T_STUCK)
		get_stuck(s, t);
	if (from == T_SETTLE && ok)
		done_settle(s, t);
	if ((from == T_REFUSE || from == T_BACK_DONE) && ok)
		done_failed(s, t);
	if (from == T_PROVE_DRAIN)
		core_settle(s, t);
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
		core_note(s, t, "target.putting-back", t->reason, t->doing);
	core_go(t, to);
	if (!ok && to == from) { /* the same again after a while */
		t->entered = true;
		t->wake_at = s->now + RETRY_MS;
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
		core_go(t, T_FORGET);
	} else if (t->next_mem && t->next_spec.name) {
		struct arena *old = t->mem;
		t->mem = t->next_mem;
		t->spec = t->next_spec;
		t->next_mem = NULL;
		t->next_spec.name = NULL;
		t->placed = false;
		arena_free(old);
		core_go(t, T_LOOK);
	} else if (t->wants && t->want.generation <= t->high_water) {
		t->wants = false;
	} else if (t->wants && t->trouble[0]) {
		core_set_reason(t, t->trouble);
		t->doing = t->want.generation;
		t->wants = false;
		core_go(t, T_REFUSE);
	} else if (t->wants) {
		core_note(s, t, "target.applying", NULL, t->want.generation);
		core_go(t, T_STAGE);
	} else if (t->state == T_IDLE && t->loaded && !t->trouble[0] && s->now >= t->check_at) {
		core_go(t, T_CHECK);
	}
}

static void wake(struct step *s, struct target *t)
{
	t->wake_at = 0;
	if (core_verifies(t->state))
		enter_verify(s, t);
	else if (drains(t->state) || t->state == T_STUCK)
		core_finish(s, t, true);
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
			core_go(t, t->after_queue);
		}
		if (!t->waiting && t->wake_at && s->now >= t->wake_at)
			wake(s, t);
		if (!t->entered && !t->waiting && t->state != T_QUEUE && t->state != T_IDLE)
			enter(s, t);
		if (t->state == before && t->entered == entered)
			return;
	}
}

static void make_csr(struct step *s, struct target *t)
{
	if (t->csr != CSR_NONE || !t->csr_at || s->now < t->csr_at || !t->known || s->core->marking)
		return;
	struct agent_effect *x = core_emit(s, EFFECT_HAND);
	x->ticket = t->csr_ticket = ++s->core->tickets;
	x->hand = (struct hand_request){ .op = HAND_CSR, .ticket = x->ticket, .id = t->id, .request = t->csr_request,
					 .key_type = t->csr_type, .common_name = t->csr_name };
	t->csr = CSR_MAKING;
	t->csr_at = 0;
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
	if (core->own.want)
		sooner(&at, core->own.retry_at, s->now);
	if (at)
		core_emit(s, EFFECT_TIMER)->at = at;
}

static void start(struct step *s)
{
	struct agent_core *core = s->core;
	struct agent_effect *x = core_emit(s, EFFECT_HAND);
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
	case EVENT_HAND: core_on_hand(&s, event->hand); break;
	case EVENT_PROBED: core_on_probed(&s, event->probed); break;
	case EVENT_ANSWER: core_on_answer(&s, event->answer); break;
	case EVENT_TIMER: break;
	}
	if (!core->started && core->start_at && now >= core->start_at)
		start(&s);
	for (int pass = 0; pass < 2; pass++) /* one may free the service that another waits for */
		for (size_t i = 0; i < core->target_count; i++)
			advance(&s, core->targets[i]);
	for (size_t i = 0; i < core->target_count; i++)
		make_csr(&s, core->targets[i]);
	core_own_advance(&s);
	core_ask_all(&s);
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
		core_target_free(core->targets[i]);
	core_own_free(core);
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
