/* The built-in store: the CAs by which this agent believes the server.
 *
 *     desired: generation 7 ─▶ hand: one file, one rename ─▶ link: a client that believes by it ─▶ report: l = h = 7
 *
 * There is nothing to reload and nothing to go back to: what was handed over was found safe by the engine, and the
 * file says itself of which generation it is.  So a crash at any instruction leaves the one or the other, whole. */
#include <string.h>

#include "agent/core_parts.h"

enum { SET_BYTES = 4 << 20 };

static void due(struct own_trust *own)
{
	own->report_due = own->id[0] != 0;
	own->report_serial++;
}

static void know(struct own_trust *own, const struct hand_reply *r)
{
	own->generation = r->trust_generation;
	core_keep_fps(&own->mem, &own->fps, r->trust_fingerprints);
}

void core_own_hello(struct agent_core *core, const struct hand_reply *r)
{
	bool other = core->started && (core->own.generation != r->trust_generation || !text_equal(core->own.id, r->trust_id));
	if (core->started && !other)
		return;
	(void)text_copy(core->own.id, sizeof core->own.id, r->trust_id ? r->trust_id : ""); /* a UUID: wire.h */
	know(&core->own, r);
	if (other)
		due(&core->own);
}

void core_own_opened(struct agent_core *core)
{
	core->own.want = 0; /* documents of the old session are void */
	due(&core->own);
}

static void want(struct own_trust *own, const struct msg_target *m)
{
	struct arena *a = arena_new(SET_BYTES);
	own->certificates = core_copy_texts(a, m->certificates);
	arena_free(own->want_mem);
	own->want_mem = a;
	own->want = m->generation;
	own->retry_at = 0;
}

bool core_own_take(struct step *s, const struct msg_target *m)
{
	struct own_trust *own = &s->core->own;
	if (m->kind != MSG_STORE || !text_equal(m->profile, MSG_OWN_TRUST))
		return false;
	if (!text_equal(own->id, m->id)) { /* the first word of it, or another than the file's: an enrolment began anew */
		(void)text_copy(own->id, sizeof own->id, m->id); /* a UUID: message.h checked */
		own->generation = 0;
		due(own);
	}
	if (m->generation > own->generation && m->generation > own->want && m->generation > own->saving)
		want(own, m);
	return true;
}

void core_own_gone(struct agent_core *core, const char *id)
{
	if (!text_equal(core->own.id, id))
		return;
	core->own.id[0] = 0;
	core->own.want = 0;
	core->own.report_due = false;
}

void core_own_advance(struct step *s)
{
	struct own_trust *own = &s->core->own;
	if (!own->want || own->busy || s->now < own->retry_at)
		return;
	struct agent_effect *x = core_emit(s, EFFECT_HAND);
	x->ticket = own->ticket = ++s->core->tickets;
	x->hand = (struct hand_request){ .op = HAND_TRUST_SAVE, .ticket = x->ticket, .id = own->id, .generation = own->want,
					 .certificates = own->certificates };
	own->saving = own->want;
	own->want = 0;
	own->busy = true;
}

void core_own_saved(struct step *s, const struct hand_reply *r)
{
	struct own_trust *own = &s->core->own;
	if (!own->busy || own->ticket != r->ticket)
		return;
	own->busy = false;
	if (!r->ok) {
		core_note(s, NULL, "server-ca.failed", r->text, own->saving);
		own->want = own->want ? own->want : own->saving; /* its certificates are here still */
		own->retry_at = s->now + RETRY_MAX_MS;
	} else {
		know(own, r);
		due(own);
		core_note(s, NULL, "server-ca.loaded", NULL, own->generation);
	}
	own->saving = 0;
}

bool core_own_loaded(const struct agent_core *core, struct msg_loaded *ret)
{
	const struct own_trust *own = &core->own;
	*ret = (struct msg_loaded){ own->id, own->generation, own->generation, own->fps };
	return own->id[0] != 0;
}

bool core_own_report(struct step *s, struct msg_report *ret)
{
	struct own_trust *own = &s->core->own;
	if (!own->report_due || own->busy) /* saved, and perhaps not yet spoken by */
		return false;
	s->core->reporting_own = true;
	s->core->reporting_serial = own->report_serial;
	*ret = (struct msg_report){ .session = s->core->session, .seq = ++s->core->seq, .target = own->id, .generation = own->generation,
				    .high_water = own->generation, .level = MSG_LEVEL_LOADED, .settled = true,
				    .fingerprints = own->fps };
	return true;
}

void core_own_reported(struct agent_core *core, bool done)
{
	core->reporting_own = false;
	if (done && core->reporting_serial == core->own.report_serial)
		core->own.report_due = false;
}

void core_own_free(struct agent_core *core)
{
	arena_free(core->own.mem);
	arena_free(core->own.want_mem);
}
