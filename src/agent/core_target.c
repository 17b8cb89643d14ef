/* Targets as the core keeps them, and the small words of its language: emit, note, report, drift. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/core_parts.h"

enum { BACK_OFF_MS = 100, BACK_OFF_MAX_MS = 15000 }; /* 0.1 s, 0.2 s ... 15 s, each times 0.5 to 1.5 */

/* -- small things ------------------------------------------------------------------------------------- */

struct agent_effect *core_emit(struct step *s, enum agent_effect_kind kind)
{
	struct agent_effect *x = s->out->count < AGENT_EFFECTS ? &s->out->items[s->out->count++] : &s->spill;
	memset(x, 0, sizeof *x);
	x->kind = kind;
	return x;
}

void core_note(struct step *s, const struct target *t, const char *event, const char *text, int64_t generation)
{
	struct agent_effect *x = core_emit(s, EFFECT_NOTE);
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

msec_t core_back_off(struct agent_core *core, int failures)
{
	msec_t ms = BACK_OFF_MS;
	for (int i = 1; i < failures && ms < BACK_OFF_MAX_MS; i++)
		ms *= 2;
	ms = ms > BACK_OFF_MAX_MS ? BACK_OFF_MAX_MS : ms;
	return ms / 2 + (msec_t)(jitter(core) % (uint64_t)ms);
}

struct json_texts core_copy_texts(struct arena *a, struct json_texts in)
{
	struct json_texts out = { ARENA_ARRAY(a, const char *, in.count), in.count };
	for (size_t i = 0; i < in.count; i++)
		out.items[i] = arena_text(a, in.items[i]);
	return out;
}

struct arena *core_fresh(struct arena **a, size_t max)
{
	if (*a)
		arena_reset(*a);
	else
		*a = arena_new(max);
	return *a;
}

void core_keep_fps(struct arena **mem, struct json_texts *out, struct json_texts in)
{
	struct arena *a = arena_new(256 << 10);
	*out = core_copy_texts(a, in);
	arena_free(*mem);
	*mem = a;
}

struct target *core_target_by_id(struct agent_core *core, const char *id)
{
	for (size_t i = 0; id && i < core->target_count; i++)
		if (text_equal(core->targets[i]->id, id))
			return core->targets[i];
	return NULL;
}

void core_report(struct target *t)
{
	t->report_due = true;
	t->report_serial++;
}

void core_add_drift(struct target *t, const char *line)
{
	for (size_t i = 0; i < t->drift_count; i++)
		if (strncmp(t->drift[i], line, sizeof t->drift[i] - 1) == 0)
			return;
	if (t->drift_count == WIRE_DRIFT_LINES)
		return;
	snprintf(t->drift[t->drift_count++], sizeof t->drift[0], "%s", line);
	core_report(t);
}

void core_set_reason(struct target *t, const char *text)
{
	snprintf(t->reason, sizeof t->reason, "%s", text ? text : "no reason was given");
}

/* -- targets: made, described, removed -------------------------------------------------------------------- */

struct target *core_target_add(struct agent_core *core, const char *id)
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

void core_target_free(struct target *t)
{
	struct arena *all[] = { t->mem, t->next_mem, t->seen_mem, t->doing_mem, t->found_mem, t->want_mem, t->csr_mem };
	for (size_t i = 0; i < ARRAY_LEN(all); i++)
		arena_free(all[i]);
	free(t);
}

void core_target_remove(struct agent_core *core, struct target *t)
{
	for (size_t i = 0; i < core->target_count; i++)
		if (core->targets[i] == t) {
			core->targets[i] = core->targets[--core->target_count];
			break;
		}
	core->reporting = core->reporting == t ? NULL : core->reporting;
	core->answering = core->answering == t ? NULL : core->answering;
	core_target_free(t);
}

struct target_spec core_copy_spec(struct arena *a, const char *id, const struct target_spec *in)
{
	struct target_spec out = { .id = id, .name = arena_text(a, in->name), .profile = arena_text(a, in->profile),
				   .kind = in->kind, .role = in->role, .parameter_count = in->parameter_count };
	struct msg_parameter *p = ARENA_ARRAY(a, struct msg_parameter, in->parameter_count);
	for (size_t i = 0; i < in->parameter_count; i++)
		p[i] = (struct msg_parameter){ arena_text(a, in->parameters[i].name), arena_text(a, in->parameters[i].value) };
	out.parameters = p;
	return out;
}

bool core_same_spec(const struct target_spec *a, const struct target_spec *b)
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
void core_find_place(struct agent_core *core, struct target *t)
{
	struct troth_err e = { 0 };
	t->trouble[0] = 0;
	t->placed = rc_ok(place_resolve(t->mem, core->config.profiles, core->config.profile_count, core->config.settings,
					&t->spec, &t->place, &e));
	if (!t->placed)
		snprintf(t->trouble, sizeof t->trouble, "%s%s%s", e.primary, e.hint[0] ? "; " : "", e.hint);
}
