/* The report of an external instance: what it says it has loaded.  See external.h; what it means is in external_match.c. */
#include "service/outside/external_parts.h"

#include <ctype.h>

#include "service/outside/binding.h"
#include "service/check.h"
#include "service/fleet/leave.h"
#include "service/fleet/member.h"
#include "service/policy/policy.h"
#include "service/record.h"

enum { DOCUMENTS_KEPT = 16 }; /* older generations remembered: what it may go back to */

const char *const REPORT_OUTCOME_NAMES[] = { "unchanged", "counted", "behind", "unknown", "stale", "stopped" };

/* -- input ------------------------------------------------------------------------------------------- */

static bool is_fingerprint(const char *text)
{
	size_t digits = 0;
	for (; *text; text++) {
		if (isxdigit((unsigned char)*text))
			digits++;
		else if (*text != ':')
			return false;
	}
	return digits == (size_t)SHA256_LEN * 2;
}

static void check_target(const struct checker *c, const struct target_report *r)
{
	check_label(c, arena_printf(c->a, "%s.target", r->path), r->target);
	if (!r->has_fingerprints && !r->has_versions)
		check_fail(c, r->path, "required", "says neither fingerprints nor versions",
			   "\"fingerprints\": [] says that it holds nothing");
	if (r->fingerprints.count + r->versions.count > LIMIT_REPORT_FINGERPRINTS)
		check_fail(c, r->path, "length", "names more than 1000 certificates", NULL);
	if (r->generation < 0)
		check_fail(c, arena_printf(c->a, "%s.generation", r->path), "range", "is not a generation",
			   "as it was fetched; leave it out if you do not know");
	for (size_t i = 0; i < r->fingerprints.count; i++)
		if (!is_fingerprint(r->fingerprints.items[i]))
			check_fail(c, arena_printf(c->a, "%s.fingerprints[%zu]", r->path, i), "fingerprint", "is no SHA-256 fingerprint",
				   "64 hex digits: openssl x509 -noout -fingerprint -sha256");
}

static void check_twice(const struct checker *c, const struct instance_report_cmd *cmd, size_t i)
{
	for (size_t k = 0; k < i; k++)
		if (cmd->targets[i].target && text_equal(cmd->targets[i].target, cmd->targets[k].target)) {
			check_fail(c, arena_printf(c->a, "%s.target", cmd->targets[i].path), "taken", "is reported above already", NULL);
			return;
		}
}

/* A day for clocks that differ. */
static int64_t seq_limit(msec_t now) { return (now + MSEC_DAY) * 1000000; }

void instance_report_check(struct arena *a, const struct instance_report_cmd *cmd, msec_t now, struct troth_err *e)
{
	struct checker c = { a, e };
	if (cmd->seq < 1)
		check_fail(&c, "$.seq", "range", "is not a number from 1", "it grows from report to report: date +%s will do");
	if (cmd->seq > seq_limit(now)) /* nothing could come after it for years, or for ever */
		check_fail(&c, "$.seq", "range", "is more than the nanoseconds since 1970", "count reports, or take the time: date +%s will do");
	if (!cmd->target_count)
		check_fail(&c, "$.targets", "required", "is missing or empty", "name each target that you report of");
	for (size_t i = 0; i < cmd->target_count; i++) {
		check_target(&c, &cmd->targets[i]);
		check_twice(&c, cmd, i);
	}
}

/* -- one target ---------------------------------------------------------------------------------------- */

struct report {
	struct instance_row instance;
	struct deployment_row deployment;
	const struct instance_report_cmd *cmd;
	struct instance_report_ret *ret;
	bool news;                       /* something is to be written down */
};

/* What it was handed after generation `above` and passed over, or forgot in a restore, may come again: it counts. */
static troth_rc count_again(struct verb_ctx *ctx, int64_t target_id, int64_t above, struct troth_err *e)
{
	struct document_row *all;
	size_t n;
	TRY(document_row_list_target(ctx->tx, ctx->a, target_id, PAGE_ALL, &all, &n, e));
	for (size_t i = 0; i < n; i++) {
		bool over = all[i].state == DOCUMENT_SETTLED || all[i].state == DOCUMENT_VOID;
		if (all[i].generation <= above || !over || !all[i].handed_at)
			continue;
		all[i].state = DOCUMENT_PENDING;
		TRY(document_row_update(ctx->tx, &all[i], e));
	}
	return RC_OK;
}

/* Everything up to `generation` is behind it.  0: it runs nothing that we sent, and may go back to what it ran. */
static troth_rc move_to(struct verb_ctx *ctx, struct target_row *t, int64_t generation, struct troth_err *e)
{
	int64_t above = generation ? generation : t->base_generation ? t->base_generation - 1 : t->high_water;
	TRY(count_again(ctx, t->id, above, e));
	TRY(document_row_settle(ctx->tx, t->id, above, e));
	TRY(document_row_forget(ctx->tx, t->id, above - DOCUMENTS_KEPT, e));
	t->base_generation = generation;
	t->high_water = above;
	return RC_OK;
}

static troth_rc note_extra(struct verb_ctx *ctx, const struct report *r, const struct template_row *template, struct target_row *t,
			   const struct said *said, struct troth_err *e)
{
	struct record rec;
	if (!said->extra.count) {
		t->drift = NULL;
		return RC_OK;
	}
	record_begin(&rec);
	jw_key(&rec.w, "lines");
	jw_array(&rec.w);
	for (size_t i = 0; i < said->extra.count && i < MSG_DRIFT_LINES; i++)
		jw_text(&rec.w, arena_printf(ctx->a, "also %s", said->extra.items[i]));
	jw_array_end(&rec.w);
	const char *drift = record_end(&rec, ctx->a);
	bool same = text_equal(t->drift, drift);
	t->drift = drift;
	return same ? RC_OK : member_event(ctx, &r->instance, "target.drift", template->name, said->extra.items[0], e);
}

static const struct { const char *event, *text; } STORIES[] = {
	[REPORT_UNCHANGED] = { NULL, NULL },
	[REPORT_COUNTED] = { "target.settled", "reported" },
	[REPORT_BEHIND] = { "target.behind", "it reported something older than it had reported before" },
	[REPORT_UNKNOWN] = { "target.unknown", "it reported certificates that nobody here knows" },
};

static troth_rc tell(struct verb_ctx *ctx, struct report *r, const char *template, enum report_outcome outcome, struct troth_err *e)
{
	if (!STORIES[outcome].event)
		return RC_OK;
	r->news = true;
	return member_event(ctx, &r->instance, STORIES[outcome].event, template, STORIES[outcome].text, e);
}

/* What `explain` names: the first of them stand for the rest. */
static const char *nobody_knows(struct arena *a, const struct said *said)
{
	enum { NAMED = 3 };
	const char *text = "what nobody here knows";
	for (size_t i = 0; i < said->extra.count && i < NAMED; i++)
		text = arena_printf(a, "%s%s %s", text, i ? "," : ":", said->extra.items[i]);
	return said->extra.count > NAMED ? arena_printf(a, "%s and %zu more", text, said->extra.count - NAMED) : text;
}

static troth_rc count(struct verb_ctx *ctx, struct report *r, const struct template_row *template, struct target_row *t,
		      const struct said *said, const struct place *p, struct troth_err *e)
{
	bool first = !t->seen_at;
	if (p->outcome == REPORT_UNCHANGED && !first)
		return RC_OK;
	if (template->kind == TARGET_SLOT && t->base_known && p->content && t->base_content != p->content)
		TRY(binding_rested_on(ctx, t, t->base_content, p->content, e));
	TRY(move_to(ctx, t, p->generation, e));
	t->base_known = p->outcome != REPORT_UNKNOWN;
	t->base_content = p->content;
	t->last_error = p->outcome == REPORT_UNKNOWN ? nobody_knows(ctx->a, said) : NULL;
	if (t->state == TARGET_COUNTED && p->outcome == REPORT_COUNTED)
		TRY(rolling_settled(ctx, &r->instance, e));
	if (p->outcome == REPORT_COUNTED && p->generation) {
		t->level = LEVEL_LOADED;
		t->level_generation = p->generation;
	}
	return tell(ctx, r, template->name, p->outcome, e);
}

/* A slot that leaves presents nothing any more: nobody relies on it. */
static troth_rc stopped(struct verb_ctx *ctx, struct report *r, const struct template_row *template, struct target_row *t, struct troth_err *e)
{
	r->news = true;
	TRY(member_event(ctx, &r->instance, "target.stopped", template->name, "it was reported to present nothing", e));
	TRY(leave_target(ctx, t, e));
	return leave_if_empty(ctx, r->instance.id, e);
}

static troth_rc report_new(struct verb_ctx *ctx, struct report *r, const struct target_report *said_of, const struct template_row *template,
			   struct target_row *t, struct report_result *ret, struct troth_err *e)
{
	struct said said;
	struct place place;
	TRY(external_read(ctx, t, template, said_of, &said, e));
	if (t->state == TARGET_LEAVING && said.known && !said.fingerprints.count) {
		ret->outcome = REPORT_STOPPED;
		return stopped(ctx, r, template, t, e);
	}
	TRY(external_place(ctx, t, &said, said_of->generation, &place, e));
	TRY(note_extra(ctx, r, template, t, &said, e));
	TRY(count(ctx, r, template, t, &said, &place, e));
	t->report_seq = r->cmd->seq;
	t->seen_at = ctx->now;
	TRY(target_row_update(ctx->tx, t, e));
	verb_changed(ctx, CHANGED_TARGET, t->id);
	ret->outcome = place.outcome;
	ret->generation = t->base_generation;
	ret->extra = said.extra;
	ret->text = place.text;
	return RC_OK;
}

static troth_rc report_one(struct verb_ctx *ctx, struct report *r, const struct target_report *said_of, struct troth_err *e)
{
	struct checker c = { ctx->a, e };
	struct target_row t;
	struct template_row template;
	TRY(external_target(ctx, &r->instance, said_of->target, &t, &template, e));
	if (!t.id) {
		check_fail(&c, arena_printf(ctx->a, "%s.target", said_of->path), "not-found", "is no target of this instance",
			   arena_printf(ctx->a, "troth instance show %s lists them", r->instance.name));
		return RC_OK;
	}
	struct report_result *result = &r->ret->results[r->ret->result_count++];
	*result = (struct report_result){ .target = said_of->target, .outcome = REPORT_STALE, .generation = t.base_generation };
	bool late = r->cmd->seq <= t.report_seq;
	r->ret->seq = r->ret->seq < t.report_seq ? t.report_seq : r->ret->seq;
	if (!late)
		return report_new(ctx, r, said_of, &template, &t, result, e);
	result->text = arena_printf(ctx->a, "seq %lld is not above %lld, which was reported before: it changes nothing; go on from there",
				    (long long)r->cmd->seq, (long long)t.report_seq);
	return RC_OK;
}

/* -- the instance ---------------------------------------------------------------------------------------- */

static bool any(const struct instance_report_ret *ret, enum report_outcome outcome)
{
	for (size_t i = 0; i < ret->result_count; i++)
		if (ret->results[i].outcome == outcome)
			return true;
	return false;
}

static bool all_stale(const struct instance_report_ret *ret)
{
	for (size_t i = 0; i < ret->result_count; i++)
		if (ret->results[i].outcome != REPORT_STALE)
			return false;
	return true;
}

/* A word that was taken back stays in sight until a later one is reported. */
static const char *alarm_of(const struct report *r)
{
	if (any(r->ret, REPORT_BEHIND))
		return "it reported something older than it had reported before";
	return any(r->ret, REPORT_COUNTED) ? NULL : r->instance.alarm;
}

/* Who reports is there.  An ephemeral lives so much longer, and never longer than one may. */
static msec_t lease_of(const struct verb_ctx *ctx, const struct report *r)
{
	msec_t renewed = ctx->now + r->deployment.lease, most = r->instance.created + LIMIT_LEASE_S * MSEC_S;
	if (!r->instance.lease_until)
		return 0;
	renewed = renewed > most ? most : renewed;
	return renewed > r->instance.lease_until ? renewed : r->instance.lease_until;
}

static troth_rc tell_lease(struct verb_ctx *ctx, const struct report *r, struct troth_err *e)
{
	struct target_row *targets;
	size_t n;
	TRY(target_row_list_instance(ctx->tx, ctx->a, r->instance.id, &targets, &n, e));
	for (size_t i = 0; i < n; i++)
		if (targets[i].state != TARGET_LEFT)
			verb_changed(ctx, CHANGED_TARGET, targets[i].id);
	return RC_OK;
}

static troth_rc heard_of(struct verb_ctx *ctx, struct report *r, struct troth_err *e)
{
	msec_t lease = lease_of(ctx, r);
	TRY(instance_row_get(ctx->tx, ctx->a, r->instance.id, &r->instance, e)); /* its last target may have left */
	const char *alarm = alarm_of(r);
	if (alarm && !r->instance.alarm)
		TRY(member_event(ctx, &r->instance, "instance.alarm", NULL, alarm, e));
	r->instance.alarm = alarm;
	r->instance.last_seen = ctx->now;
	if (lease != r->instance.lease_until) {
		r->instance.lease_until = lease;
		TRY(tell_lease(ctx, r, e));
	}
	TRY(instance_row_update(ctx->tx, &r->instance, e));
	verb_changed(ctx, CHANGED_INSTANCE, r->instance.id);
	return RC_OK;
}

/* Only news: who repeats himself each minute does not fill the audit. */
static troth_rc record_report(struct verb_ctx *ctx, const struct report *r, struct troth_err *e)
{
	struct record rec;
	record_begin(&rec);
	jw_kv_text(&rec.w, "id", r->instance.uuid);
	jw_kv_int(&rec.w, "seq", r->cmd->seq);
	jw_key(&rec.w, "targets");
	jw_object(&rec.w);
	for (size_t i = 0; i < r->ret->result_count; i++)
		jw_kv_text(&rec.w, r->ret->results[i].target,
			   arena_printf(ctx->a, "%s, generation %lld", REPORT_OUTCOME_NAMES[r->ret->results[i].outcome],
					(long long)r->ret->results[i].generation));
	jw_object_end(&rec.w);
	verb_publish(ctx, "instance/%s", r->instance.uuid);
	return record_change(ctx, &(struct change){ .action = "instance.report", .object = r->instance.name, .deployment = r->instance.deployment_id,
						    .topic = arena_printf(ctx->a, "instance/%s", r->instance.uuid),
						    .after = record_end(&rec, ctx->a) }, e);
}

static troth_rc report_run(struct verb_ctx *ctx, const void *arg, void *out, struct troth_err *e)
{
	struct report r = { .cmd = arg, .ret = out };
	instance_report_check(ctx->a, r.cmd, ctx->now, e);
	TRY(check_done(e));
	TRY(external_find(ctx, r.cmd->id, &r.instance, &r.deployment, e));
	r.ret->results = ARENA_ARRAY(ctx->a, struct report_result, r.cmd->target_count);
	for (size_t i = 0; i < r.cmd->target_count; i++)
		TRY(report_one(ctx, &r, &r.cmd->targets[i], e));
	TRY(check_done(e));
	if (!all_stale(r.ret)) {
		r.ret->seq = r.cmd->seq;
		TRY(heard_of(ctx, &r, e));
	}
	r.ret->instance = r.instance;
	return r.news ? record_report(ctx, &r, e) : RC_OK;
}

const struct verb VERB_INSTANCE_REPORT = { "instance.report", VERB_WRITE, ROLES_REPORT, sizeof(struct instance_report_cmd),
					   sizeof(struct instance_report_ret), NULL, report_run };
