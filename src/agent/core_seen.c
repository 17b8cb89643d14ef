/* What came back: looks at the service, attests, replies of the hand. */
#include <stdio.h>
#include <string.h>

#include "agent/core_parts.h"

enum {
	SIGHT_MS = 20, /* between two sightings of the new leaf */
	MISS_MS = 30,  /* between two looks that did not show it */
	UNATTESTED_MS = 200, /* the same of attest files: each costs the hand a parse of the document */
};

static const char *leaf_of(const struct json_texts *fps) { return fps->count ? fps->items[0] : NULL; }

static bool has(const struct json_texts *fps, const char *fingerprint)
{
	for (size_t i = 0; i < fps->count; i++)
		if (text_equal(fps->items[i], fingerprint))
			return true;
	return false;
}

/* -- looks and attests: is it what it should be? ---------------------------------------------------------------- */

static const struct json_texts *expected(const struct target *t) { return t->state == T_VERIFY ? &t->doing_fps : &t->loaded_fps; }
static const struct json_texts *other(const struct target *t) { return t->state == T_VERIFY ? &t->loaded_fps : &t->doing_fps; }

/* NULL: it is what it should be.  Two documents may have one leaf and differ above it, so all of the chain must be
 * there, and nothing that only the other document has.  What neither has is no matter: some services add what they trust. */
static const char *compare_chain(struct arena *a, const struct target *t, const struct json_texts *shown)
{
	const struct json_texts *want = expected(t), *not = other(t);
	const char *leaf = leaf_of(want);
	if (!text_equal(leaf_of(shown), leaf))
		return arena_printf(a, "serves %s", leaf_of(shown));
	for (size_t i = 0; i < want->count; i++)
		if (!has(shown, want->items[i]))
			return arena_printf(a, "serves it without %s of its chain", want->items[i]);
	for (size_t i = 0; i < shown->count; i++)
		if (has(not, shown->items[i]) && !has(want, shown->items[i]))
			return arena_printf(a, "serves it with %s of another chain", shown->items[i]);
	return NULL;
}

static void miss(struct step *s, struct target *t, const char *why)
{
	t->streak = 0;
	if (s->now < t->verify_until) {
		t->wake_at = s->now + (t->place.proof == PROOF_ATTEST ? UNATTESTED_MS : MISS_MS);
		return;
	}
	core_set_reason(t, t->reload_why[0] ? t->reload_why : why);
	core_finish(s, t, false);
}

/* What a look showed, against the chain that should be there.  NULL: all as it should be. */
static const char *compare_sights(struct step *s, const struct target *t, const struct agent_probed *p, bool *ret_refused)
{
	const char *why = NULL, *leaf = leaf_of(expected(t));
	size_t refused = 0;
	for (size_t i = 0; i < t->place.address_count; i++) {
		const struct agent_sight *x = &p->at[i];
		const char *wrong = x->shown.count ? compare_chain(s->a, t, &x->shown) : NULL;
		refused += x->refused;
		if (x->shown.count && !wrong)
			continue;
		if (wrong)
			why = arena_printf(s->a, "asked for leaf %s, the service at %s port %d %s", leaf ? leaf : "(none)",
					   t->place.addresses[i], t->place.port, wrong);
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
		core_finish(s, t, true);
	} else if (why && t->reload_why[0]) {
		core_set_reason(t, t->reload_why);
		if (t->state == T_BACK_VERIFY) { /* the reload is broken, and what is served is not l: try again */
			miss(s, t, why);
			return;
		}
		core_finish(s, t, false);
	} else if (why) {
		miss(s, t, why);
	} else if (++t->streak < t->place.sightings) {
		t->wake_at = s->now + SIGHT_MS;
	} else {
		t->down = false;
		core_finish(s, t, true);
	}
}

static void verify_attested(struct step *s, struct target *t, const struct hand_reply *r)
{
	if (r->ok && r->matched)
		core_finish(s, t, true);
	else
		miss(s, t, r->text ? r->text : "the service did not attest the files in time");
}

static void found_probed(struct step *s, struct target *t, const struct agent_probed *p)
{
	if (p->at[0].shown.count) {
		core_keep_fps(&t->found_mem, &t->found_fps, p->at[0].shown);
		t->found_text = arena_printf(t->found_mem, "served at %s port %d before anything of ours", t->place.addresses[0],
					     t->place.port);
		t->has_found = true;
		core_report(t);
	}
	core_finish(s, t, true);
}

/* A leaver that nobody answers for any more may go: whoever met it meets nobody. */
static void note_silence(struct step *s, struct target *t, bool refused)
{
	bool before = t->stopped;
	t->unanswered = refused ? t->unanswered + 1 : 0;
	t->stopped = t->leaving && t->unanswered >= STOPPED_LOOKS;
	if (!t->stopped || before)
		return;
	core_note(s, t, "target.stopped", NULL, t->loaded);
	core_report(t);
}

static void watch_probed(struct step *s, struct target *t, const struct agent_probed *p)
{
	bool refused;
	const char *why = compare_sights(s, t, p, &refused);
	note_silence(s, t, refused);
	bool drift = false; /* silence is none: the service may be starting */
	for (size_t i = 0; i < t->place.address_count; i++)
		drift = drift || (p->at[i].shown.count && compare_chain(s->a, t, &p->at[i].shown));
	if (drift) {
		t->settled = false;
		core_add_drift(t, why);
		core_note(s, t, "target.drift", why, t->loaded);
	}
	core_finish(s, t, !drift);
}

static void watch_attested(struct step *s, struct target *t, const struct hand_reply *r)
{
	bool other = r->ok && r->present && !r->matched;
	if (other) {
		t->settled = false;
		core_add_drift(t, r->text);
		core_note(s, t, "target.drift", r->text, t->loaded);
	}
	core_finish(s, t, !other);
}

void core_on_probed(struct step *s, const struct agent_probed *p)
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
		else if (core_verifies(t->state))
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
	t->no_way_back = v->no_way_back && v->phase == PHASE_APPLYING;
	t->has_files = v->has_files;
	core_keep_fps(&t->seen_mem, &t->loaded_fps, v->loaded_fingerprints);
	core_keep_fps(&t->doing_mem, &t->doing_fps, v->doing_fingerprints);
	core_set_reason(t, v->reason);
	if (v->found_text && t->loaded == 0 && !t->has_found) {
		core_keep_fps(&t->found_mem, &t->found_fps, v->found_fingerprints);
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
		t->spec = core_copy_spec(t->mem, t->id, &spec);
	}
	core_find_place(core, t);
}

/* A2: what was not proven when we stopped is proven or put back before anything counts. */
static void after_look(struct step *s, struct target *t, enum hand_phase phase)
{
	t->settled = false;
	if (t->trouble[0]) {
		core_note(s, t, "target.no-place", t->trouble, t->loaded);
		core_go(t, T_IDLE);
		/* Nothing can be changed without a place; what is there is as it was when it last settled. */
		if (phase == PHASE_SETTLED)
			core_settle(s, t);
	} else if (phase != PHASE_SETTLED) {
		t->after_queue = phase == PHASE_APPLYING ? T_SWAP : T_PUT_BACK;
		core_go(t, T_QUEUE);
	} else if (t->loaded) {
		core_settle(s, t);
		core_go(t, T_CHECK);
	} else if (t->place.proof == PROOF_PROBE && !t->looked_at_service) {
		core_settle(s, t); /* nothing of ours: that, too, is a settled state */
		core_go(t, T_FOUND);
	} else {
		core_settle(s, t);
		core_go(t, T_IDLE);
	}
}

static void look_done(struct step *s, struct target *t, const struct hand_reply *r)
{
	if (!r->ok) {
		if (!t->look_failed)
			core_note(s, t, "target.look-failed", r->text, 0);
		t->look_failed = true;
		core_finish(s, t, false);
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
	t->no_way_back = r->ok ? r->no_way_back : t->no_way_back;
	if (r->ok)
		core_keep_fps(&t->doing_mem, &t->doing_fps, r->fingerprints);
	else
		core_set_reason(t, r->text);
	core_finish(s, t, r->ok);
}

/* Nobody to reload, and no look that would show it: either the service is stopped, or it runs and the pid file is
 * wrong, and then it still holds what it was seen to hold.  Only before a first generation is there nothing old. */
static bool process_missing(const struct target *t)
{
	return t->down && t->loaded != 0 && t->place.proof != PROOF_PROBE && t->state != T_BACK_RELOAD;
}

static void miss_process(struct step *s, struct target *t, const char *where)
{
	core_set_reason(t, arena_printf(s->a, "%s: start the service, or correct its pid_file; if it runs, it still holds generation %lld",
					where ? where : "no process was found to reload", (long long)t->loaded));
	core_wait_for_process(s, t);
}

/* A reload that failed may have found nobody to reload; then a look tells. */
static void reload_done(struct step *s, struct target *t, const struct hand_reply *r)
{
	t->down = r->ok && r->down;
	snprintf(t->reload_why, sizeof t->reload_why, "%s", r->ok ? "" : r->text ? r->text : "the reload failed");
	if (!r->ok)
		core_set_reason(t, r->text);
	if (process_missing(t)) {
		miss_process(s, t, r->text);
		return;
	}
	bool judge = t->place.proof == PROOF_PROBE; /* the service itself */
	bool nothing_before = t->state == T_BACK_RELOAD && t->loaded == 0;
	core_finish(s, t, r->ok || judge || nothing_before);
}

static void check_done(struct step *s, struct target *t, const struct hand_reply *r)
{
	t->check_at = s->now + AGENT_CHECK_MS;
	if (!r->ok) {
		core_add_drift(t, r->text ? r->text : "the files could not be compared");
		core_finish(s, t, false);
		return;
	}
	for (size_t i = 0; i < r->drift.count; i++) {
		core_add_drift(t, r->drift.items[i]);
		core_note(s, t, "target.drift", r->drift.items[i], t->loaded);
	}
	if (r->drift.count == 0) {
		core_finish(s, t, true);
		return;
	}
	t->settled = false; /* put right on disk; what the process has is to be proven again */
	t->after_queue = T_PROVE;
	core_go(t, T_QUEUE);
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
	case T_FORGET: core_target_remove(s->core, t); break;
	default:
		if (t->state == T_PUT_BACK && !r->ok && r->no_way_back)
			t->no_way_back = true; /* named by a newer document, which came to nothing: the new files are tried again */
		if (!r->ok && (!core_retries(t->state) || !t->reason[0]))
			core_set_reason(t, r->text);
		if (!r->ok)
			core_note(s, t, "hand.failed", r->text, t->doing);
		core_finish(s, t, r->ok);
	}
}

static void csr_made(struct step *s, struct target *t, const struct hand_reply *r)
{
	if (r->ok && r->csr) {
		t->csr_pem = arena_text(t->csr_mem, r->csr);
		t->csr = CSR_READY;
		return;
	}
	core_note(s, t, "csr.failed", r->text, 0);
	t->csr = CSR_NONE;
	t->csr_retry_ms = t->csr_retry_ms ? 2 * t->csr_retry_ms : RETRY_MS;
	t->csr_retry_ms = t->csr_retry_ms > RETRY_MAX_MS ? RETRY_MAX_MS : t->csr_retry_ms;
	t->csr_at = s->now + t->csr_retry_ms;
}

/* The first reply of all: who we are and which targets we know. */
static void on_hello(struct step *s, const struct hand_reply *r)
{
	struct agent_core *core = s->core;
	if (!r->ok) {
		core_note(s, NULL, "hand.failed", r->text, 0);
		core->start_at = s->now + RETRY_MS;
		return;
	}
	(void)text_copy(core->boot_id, sizeof core->boot_id, r->boot_id ? r->boot_id : ""); /* bounded by wire.h */
	(void)text_copy(core->epoch, sizeof core->epoch, r->epoch ? r->epoch : "");
	core_own_hello(core, r);
	core->started = true;
	for (size_t i = 0; i < r->ids.count; i++)
		if (!core_target_by_id(core, r->ids.items[i]))
			core_target_add(core, r->ids.items[i]);
}

/* The hand has marked what was only begun as to be taken back: look at everything again.  If it could not, nothing is
 * known less than before, or the next session would wait for looks that nobody takes. */
static void on_epoch(struct step *s, const struct hand_reply *r)
{
	struct agent_core *core = s->core;
	core->marking = false;
	if (!r->ok) {
		core_note(s, NULL, "hand.failed", r->text, 0);
		core->epoch[0] = 0; /* the next opening says it again */
		core->session = 0;
		core->lanes[ASK_OPEN].not_before = s->now + RETRY_MS;
		return;
	}
	for (size_t i = 0; i < core->target_count; i++) {
		struct target *t = core->targets[i];
		t->csr = CSR_NONE;
		t->wants = false;
		t->known = false; /* until the hand has looked again */
		core_go(t, T_LOOK);
	}
}

void core_on_hand(struct step *s, const struct hand_reply *r)
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
	if (r->op == HAND_TRUST_SAVE) {
		core_own_saved(s, r);
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
