/* How far the open rotations are.
 *
 * After each run of the runner every open rotation is looked at: counts from the engine into its
 * operation's progress (for the live display), the most blocking wait as a sentence, and, when the old
 * versions are retired, its end.  A row is written only if something changed. */
#include "service/rotation/progress.h"

#include "service/ca/hierarchy.h"
#include "service/intake/external_ca.h"
#include "service/record.h"
#include "service/rotation/explain.h"

enum { PROGRESS_WAITS = 5 }; /* sentences in the progress; troth explain has all */

struct waits { struct wait_row *rows; size_t count; }; /* a page of them, most blocking first */

struct tale {                    /* of one rotation */
	const struct waits *waits;
	struct rotation_row rotation;
	struct credential_row credential;
	struct operation_row op;
	const char *waits_for;   /* the first sentence, or NULL */
	bool done;
	bool certificate;        /* it waits for one that is signed elsewhere */
};

/* -- waits ----------------------------------------------------------------------------------------- */

static troth_rc concerns(struct verb_ctx *ctx, const struct tale *t, const struct wait_row *row, bool *ret,
			 struct troth_err *e)
{
	struct target_row target;
	TRY(hierarchy_has(ctx->tx, ctx->a, t->credential.id, row->authority_id, ret, e));
	*ret = *ret || (!row->authority_id && !row->target_id); /* frozen: everybody */
	if (*ret || t->credential.kind == CREDENTIAL_AUTHORITY || !row->target_id)
		return RC_OK;
	TRY(target_row_get(ctx->tx, ctx->a, row->target_id, &target, e));
	*ret = target.credential_id == t->credential.id;
	return RC_OK;
}

static void write_wait(struct verb_ctx *ctx, struct record *r, const struct explained *x)
{
	jw_object(&r->w);
	jw_kv_text(&r->w, "text", explain_sentence(ctx->a, x));
	jw_kv_text(&r->w, "speaker", x->speaker);
	jw_kv_text(&r->w, "rule", x->rule);
	jw_kv_text(&r->w, "reason", x->reason);
	if (x->instance) {
		jw_kv_text(&r->w, "instance", x->instance);
		jw_kv_text(&r->w, "target", x->target);
	}
	jw_kv_time(&r->w, "since", x->since);
	jw_object_end(&r->w);
}

static troth_rc write_waits(struct verb_ctx *ctx, struct tale *t, struct record *r, struct troth_err *e)
{
	size_t written = 0;
	for (size_t i = 0; i < t->waits->count && written < PROGRESS_WAITS; i++) {
		struct explained x;
		bool ours;
		TRY(concerns(ctx, t, &t->waits->rows[i], &ours, e));
		if (!ours)
			continue;
		TRY(explain_row(ctx->tx, ctx->a, &t->waits->rows[i], &x, e));
		if (written++ == 0)
			t->waits_for = explain_sentence(ctx->a, &x);
		write_wait(ctx, r, &x);
	}
	return RC_OK;
}

/* -- an authority ------------------------------------------------------------------------------------- */

struct counts { /* of the rotation's new version, and of all that shall go */
	int64_t with_new, with_old, on_new;
};

static struct counts count_cas(const struct progress *p, int64_t new_version)
{
	struct counts c = { 0 };
	for (size_t i = 0; i < p->ca_count; i++) {
		const struct progress_ca *ca = &p->cas[i];
		int64_t holding = (int64_t)(ca->stores_having + ca->stores_maybe);
		if (ca->ca == new_version) {
			c.with_new = (int64_t)ca->stores_having;
			c.on_new = (int64_t)ca->slots_using;
		} else if (!ca->wanted && holding > c.with_old) {
			c.with_old = holding;
		}
	}
	return c;
}

static const char *stage_of(const struct progress *p, struct counts c)
{
	if (c.with_new < (int64_t)p->stores)
		return "introducing";
	if (c.on_new < (int64_t)p->slots)
		return "switching";
	return "withdrawing";
}

static troth_rc write_cas(struct verb_ctx *ctx, struct record *r, const struct progress *p, struct troth_err *e)
{
	jw_key(&r->w, "versions");
	jw_array(&r->w);
	for (size_t i = 0; i < p->ca_count; i++) {
		const struct progress_ca *ca = &p->cas[i];
		struct version_row v;
		TRY(version_row_get(ctx->tx, ctx->a, ca->ca, &v, e));
		jw_object(&r->w);
		jw_kv_text(&r->w, "version", v.uuid);
		jw_kv_bool(&r->w, "wanted", ca->wanted);
		jw_kv_bool(&r->w, "signing", ca->signing);
		jw_kv_int(&r->w, "stores_having", (int64_t)ca->stores_having);
		jw_kv_int(&r->w, "stores_maybe", (int64_t)ca->stores_maybe);
		jw_kv_int(&r->w, "slots_using", (int64_t)ca->slots_using);
		jw_kv_int(&r->w, "slots_maybe", (int64_t)ca->slots_maybe);
		jw_kv_text(&r->w, "in_stores", word_name(ca->in_stores));
		jw_kv_text(&r->w, "in_slots", word_name(ca->in_slots));
		jw_object_end(&r->w);
	}
	jw_array_end(&r->w);
	return RC_OK;
}

static troth_rc authority_done(struct verb_ctx *ctx, struct tale *t, struct troth_err *e)
{
	TRY(external_waits(ctx->tx, ctx->a, &t->rotation, &t->certificate, e));
	t->done = !t->certificate;
	for (size_t i = 0; i < t->rotation.old_versions.count; i++) {
		struct version_row v;
		TRY(version_row_get(ctx->tx, ctx->a, t->rotation.old_versions.items[i], &v, e));
		if (!v.retired_at)
			t->done = false;
	}
	return RC_OK;
}

static troth_rc write_authority(struct verb_ctx *ctx, struct tale *t, struct record *r, struct troth_err *e)
{
	struct progress p;
	engine_progress(ctx->svc->view, t->credential.id, ctx->a, &p);
	struct counts c = count_cas(&p, t->rotation.new_version);
	TRY(authority_done(ctx, t, e));
	jw_kv_text(&r->w, "stage", t->done ? "done" : t->certificate ? "certifying" : stage_of(&p, c));
	jw_kv_int(&r->w, "stores_total", (int64_t)p.stores);
	jw_kv_int(&r->w, "stores_with_new", c.with_new);
	jw_kv_int(&r->w, "stores_with_old", c.with_old);
	jw_kv_int(&r->w, "slots_total", (int64_t)p.slots);
	jw_kv_int(&r->w, "slots_on_new", c.on_new);
	jw_kv_int(&r->w, "outside", (int64_t)p.outside);
	jw_kv_int(&r->w, "joining", (int64_t)p.joining);
	jw_kv_int(&r->w, "unknown", (int64_t)p.unknown);
	jw_kv_int(&r->w, "offline", (int64_t)p.offline);
	return write_cas(ctx, r, &p, e);
}

/* -- a leaf --------------------------------------------------------------------------------------------- */

static bool is_old(const struct rotation_row *rotation, int64_t version)
{
	for (size_t i = 0; i < rotation->old_versions.count; i++)
		if (rotation->old_versions.items[i] == version)
			return true;
	return false;
}

/* Is it seen to serve a version made since, with nothing older on its way? */
static troth_rc slot_is_new(struct verb_ctx *ctx, const struct tale *t, const struct target_row *target, bool *ret,
			    struct troth_err *e)
{
	struct content_row content;
	*ret = false;
	if (!target->base_known || !target->base_content)
		return RC_OK;
	TRY(content_row_get(ctx->tx, ctx->a, target->base_content, &content, e));
	*ret = !is_old(&t->rotation, content.version_id);
	return RC_OK;
}

static troth_rc write_leaf(struct verb_ctx *ctx, struct tale *t, struct record *r, struct troth_err *e)
{
	struct target_row *targets;
	size_t n;
	int64_t total = 0, on_new = 0;
	TRY(target_row_list_credential(ctx->tx, ctx->a, t->credential.id, &targets, &n, e));
	for (size_t i = 0; i < n; i++) {
		bool is_new;
		if (targets[i].state != TARGET_JOINING && targets[i].state != TARGET_COUNTED)
			continue; /* nothing more is expected of it */
		TRY(slot_is_new(ctx, t, &targets[i], &is_new, e));
		total++;
		on_new += is_new;
	}
	t->done = on_new == total;
	jw_kv_text(&r->w, "stage", t->done ? "done" : "switching");
	jw_kv_int(&r->w, "slots_total", total);
	jw_kv_int(&r->w, "slots_on_new", on_new);
	return RC_OK;
}

/* -- rows -------------------------------------------------------------------------------------------------- */

static troth_rc write_progress(struct verb_ctx *ctx, struct tale *t, const char **ret, struct troth_err *e)
{
	struct record r;
	record_begin(&r);
	troth_rc rc = t->credential.kind == CREDENTIAL_AUTHORITY ? write_authority(ctx, t, &r, e)
								  : write_leaf(ctx, t, &r, e);
	jw_key(&r.w, "waits");
	jw_array(&r.w);
	if (rc_ok(rc) && !t->done)
		rc = write_waits(ctx, t, &r, e);
	jw_array_end(&r.w);
	*ret = record_end(&r, ctx->a);
	return rc;
}

static troth_rc finish(struct verb_ctx *ctx, struct tale *t, struct troth_err *e)
{
	t->rotation.state = ROTATION_DONE;
	t->rotation.finished = ctx->now;
	TRY(rotation_row_update(ctx->tx, &t->rotation, e));
	if (t->credential.paused) {
		t->credential.paused = false;
		TRY(credential_row_update(ctx->tx, &t->credential, e));
	}
	TRY(facts_rotation(ctx->tx, ctx->a, ctx->svc->view, &t->rotation, e)); /* no pause, nothing to approve */
	t->op.state = OPERATION_SUCCEEDED;
	t->op.finished = ctx->now;
	t->op.result = arena_printf(ctx->a, "{\"rotation\":\"%s\",\"seconds\":%lld}", t->rotation.uuid,
				    (long long)((ctx->now - t->rotation.started) / MSEC_S));
	struct change c = { .action = "rotation.done", .object = t->credential.name,
			    .topic = arena_printf(ctx->a, "rotation/%s", t->rotation.uuid), .after = t->op.result };
	return record_change(ctx, &c, e);
}

static troth_rc update_one(struct verb_ctx *ctx, const struct rotation_row *rotation, const struct waits *waits, struct troth_err *e)
{
	struct tale t = { .waits = waits, .rotation = *rotation };
	const char *progress;
	TRY(credential_row_get(ctx->tx, ctx->a, rotation->credential_id, &t.credential, e));
	TRY(operation_row_get(ctx->tx, ctx->a, rotation->operation_id, &t.op, e));
	TRY(write_progress(ctx, &t, &progress, e));
	if (!t.done && text_equal(progress, t.op.progress) && text_equal(t.waits_for, t.op.waits_for))
		return RC_OK;
	t.op.progress = progress;
	t.op.waits_for = t.waits_for;
	t.op.updated = ctx->now;
	if (t.done)
		TRY(finish(ctx, &t, e));
	verb_publish(ctx, "operation/%s", t.op.uuid);
	verb_publish(ctx, "rotation/%s", rotation->uuid);
	return operation_row_update(ctx->tx, &t.op, e);
}

troth_rc progress_update(struct verb_ctx *ctx, struct troth_err *e)
{
	struct rotation_row *rows;
	struct waits waits;
	size_t n;
	TRY(rotation_row_list_open(ctx->tx, ctx->a, &rows, &n, e));
	if (n)
		TRY(wait_row_list(ctx->tx, ctx->a, LIMIT_PAGE, &waits.rows, &waits.count, e));
	for (size_t i = 0; i < n; i++)
		TRY(update_one(ctx, &rows[i], &waits, e));
	return RC_OK;
}
