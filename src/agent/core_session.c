/* The session with the server: what it answers, and what it is asked next. */
#include <string.h>

#include "agent/core_parts.h"
#include "base/limits.h"

enum { QUIET_MS = 1000 }; /* between two polls if the server does not hold them */

/* -- answers of the server ------------------------------------------------------------------------------------------ */

static void lose_session(struct step *s)
{
	struct agent_core *core = s->core;
	struct lane *open = &core->lanes[ASK_OPEN];
	core->session = 0;
	open->failures++;
	open->not_before = open->failures > 1 ? s->now + core_back_off(core, open->failures) : s->now;
}

/* A new session: documents of the old one are void.  What is begun goes on; what is only staged does not. */
static void on_opened(struct step *s, const struct msg_opened *m)
{
	struct agent_core *core = s->core;
	core->session = m->session;
	core->version = 0;
	core->seq = 0;
	core_own_opened(core);
	for (size_t i = 0; i < core->target_count; i++) {
		struct target *t = core->targets[i];
		t->wants = false;
		if (t->csr != CSR_MAKING && t->csr != CSR_READY)
			t->csr = CSR_NONE;
		if (t->state == T_STAGE || (t->state == T_QUEUE && t->after_queue == T_SWAP && !t->begun)) {
			t->doing = t->came_from == T_STUCK ? t->stuck_doing : 0;
			core_go(t, t->came_from);
		}
		if (t->known)
			core_report(t);
	}
	core_note(s, NULL, "session.opened", NULL, m->session);
	if (text_equal(core->epoch, m->epoch))
		return;
	struct agent_effect *x = core_emit(s, EFFECT_HAND);
	x->ticket = ++core->tickets;
	x->hand = (struct hand_request){ .op = HAND_EPOCH, .ticket = x->ticket, .text = arena_text(s->a, m->epoch) };
	(void)text_copy(core->epoch, sizeof core->epoch, m->epoch); /* bounded by message.h */
	core->marking = true;
}

static void take_want(struct target *t, const struct msg_target *m)
{
	struct arena *a = arena_new(4 << 20);
	struct msg_target w = *m;
	w.certificates = core_copy_texts(a, m->certificates);
	w.distrusted = core_copy_texts(a, m->distrusted);
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
	bool same = c && text_equal(t->csr_request, c->request);
	if (!c || (same && (t->csr != CSR_NONE || t->csr_at))) /* under way, or failed and not due yet */
		return;
	t->csr_retry_ms = same ? t->csr_retry_ms : 0;
	struct arena *a = core_fresh(&t->csr_mem, 256 << 10);
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
	if (core_own_take(s, m))
		return;
	struct target_spec spec = { m->id, m->name, m->profile, m->kind, m->role, m->parameters, m->parameter_count };
	struct target *t = core_target_by_id(s->core, m->id);
	if (!t && (t = core_target_add(s->core, m->id)) == NULL) {
		core_note(s, NULL, "target.too-many", m->name, m->generation);
		return;
	}
	if (!t->spec.name) {
		if (!t->mem)
			t->mem = arena_new(1 << 20);
		t->spec = core_copy_spec(t->mem, t->id, &spec);
	} else if (core_same_spec(&t->spec, &spec)) {
		t->next_spec.name = NULL;
	} else {
		t->next_spec = core_copy_spec(core_fresh(&t->next_mem, 1 << 20), t->id, &spec);
	}
	t->gone = false;
	t->leaving = m->leaving;
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
		struct target *t = core_target_by_id(core, m->gone.items[i]);
		if (t)
			t->gone = true;
		core_own_gone(core, m->gone.items[i]);
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
	if (s->core->reporting_own) {
		core_own_reported(s->core, m->ok || final_refusal(m->kind));
		return;
	}
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
	bool same = t && text_equal(t->csr_request, s->core->answering_request);
	if (same && t->csr == CSR_READY && (m->ok || final_refusal(m->kind)))
		t->csr = CSR_SENT;
}

void core_on_answer(struct step *s, const struct agent_answer *m)
{
	struct lane *lane = &s->core->lanes[m->ask];
	if (!lane->busy || lane->ticket != m->ticket)
		return;
	lane->busy = false;
	lane->failures = m->ok ? (m->ask == ASK_OPEN ? lane->failures : 0) : lane->failures + 1;
	lane->not_before = m->ok ? 0 : s->now + core_back_off(s->core, lane->failures);
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

/* -- asking ------------------------------------------------------------------------------------------------------ */

static struct agent_effect *ask_server(struct step *s, enum agent_ask ask)
{
	struct lane *lane = &s->core->lanes[ask];
	struct agent_effect *x = core_emit(s, EFFECT_ASK);
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
	struct msg_loaded *loaded = ARENA_ARRAY(s->a, struct msg_loaded, core->target_count + 1);
	size_t n = 0;
	if (core->marking)
		return;
	for (size_t i = 0; i < core->target_count; i++) {
		const struct target *t = core->targets[i];
		if (!t->known && !t->look_failed)
			return;
		if (t->known)
			loaded[n++] = (struct msg_loaded){ t->id, t->loaded, t->high_water, t->loaded_fps };
	}
	n += core_own_loaded(core, &loaded[n]);
	ask_server(s, ASK_OPEN)->ask.open =
		(struct msg_session){ core->boot_id, core->epoch[0] ? core->epoch : NULL, TROTH_VERSION, loaded, n };
}

static enum msg_level level_of(const struct target *t)
{
	if (t->place.proof == PROOF_PROBE)
		return MSG_LEVEL_PROBED;
	return t->place.proof == PROOF_READ ? MSG_LEVEL_WRITTEN : MSG_LEVEL_LOADED;
}

/* A2: while a document is begun the process may run it already, also when a new session wants to know
 * what is settled: l is true and proves nothing. */
static struct msg_report make_report(struct step *s, struct target *t)
{
	struct msg_report m = { .session = s->core->session, .seq = ++s->core->seq, .target = t->id, .generation = t->loaded,
				.high_water = t->high_water, .level = t->placed ? level_of(t) : MSG_LEVEL_LOADED,
				.settled = t->settled && !t->begun, .fingerprints = t->loaded_fps,
				.failed_generation = t->failed_generation,
				.failed_reason = t->failed_generation ? t->reason : NULL,
				.stopped = t->stopped, .has_found = t->has_found, .found_fingerprints = t->found_fps, .found_text = t->found_text };
	m.drift.items = ARENA_ARRAY(s->a, const char *, t->drift_count);
	m.drift.count = t->drift_count;
	for (size_t i = 0; i < t->drift_count; i++)
		m.drift.items[i] = t->drift[i];
	return m;
}

static void ask_report(struct step *s)
{
	struct msg_report own;
	if (core_own_report(s, &own)) {
		ask_server(s, ASK_REPORT)->ask.report = own;
		return;
	}
	for (size_t i = 0; i < s->core->target_count; i++) {
		struct target *t = s->core->targets[i];
		if (!t->report_due || !t->known || s->core->marking)
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
		(void)text_copy(s->core->answering_request, UUID_LEN, t->csr_request); /* of the same size */
		ask_server(s, ASK_CSR)->ask.csr = (struct msg_csr){ s->core->session, t->id, t->csr_request, t->csr_pem };
		return;
	}
}

void core_ask_all(struct step *s)
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
