/* What was ordered happens, and is waited for.  See apply.h. */
#include "service/rotation/apply.h"

#include <stdlib.h>

#include "service/record.h"
#include "service/rotation/rotation_rows.h"
#include "service/rotation/steps.h"

static const char KIND[] = "apply";

/* -- its story ------------------------------------------------------------------------------------------- */
static const char *topic_of(struct verb_ctx *ctx, const struct operation_row *op) { return arena_printf(ctx->a, "operation/%s", op->uuid); }

static troth_rc tell(struct verb_ctx *ctx, const struct operation_row *op, const char *text, struct troth_err *e)
{
	struct record r;
	record_begin(&r);
	jw_kv_text(&r.w, "text", text);
	struct event_row event = { .at = ctx->now, .kind = "apply.progress", .object = op->object, .within = op->object,
				   .topic = topic_of(ctx, op), .body = record_end(&r, ctx->a) };
	verb_publish(ctx, "events");
	verb_publish(ctx, "%s", event.topic);
	return event_append(ctx->tx, &event, e);
}

static troth_rc record_apply(struct verb_ctx *ctx, const struct operation_row *op, const char *action, const char *after, struct troth_err *e)
{
	verb_publish(ctx, "%s", topic_of(ctx, op));
	return record_change(ctx, &(struct change){ .action = action, .object = op->object, .after = after }, e);
}

/* -- beginning --------------------------------------------------------------------------------------------- */
static bool in_scope(const char *scope, const char *name)
{
	struct principal who = { .roles = ROLE_OPERATOR };
	(void)text_copy(who.scope, sizeof who.scope, scope); /* it was one */
	return record_in_scope(&who, name);
}

static const char *scope_of(const struct principal *who) { return who->scope[0] ? who->scope : "*"; }

static troth_rc refuse_running(const struct operation_row *op, struct troth_err *e)
{
	troth_rc rc = err_set(e, TROTH_CONFLICT, "changes are being applied already (installation %lld)", (long long)op->id);
	err_hint(e, "wait until it is over; what it waits for is in its log, and in troth explain");
	return rc;
}

static troth_rc check_none_runs(struct verb_ctx *ctx, struct troth_err *e)
{
	struct operation_row *rows;
	size_t n;
	TRY(operation_row_list_running(ctx->tx, ctx->a, &rows, &n, e));
	for (size_t i = 0; i < n; i++)
		if (text_equal(rows[i].kind, KIND) && text_equal(rows[i].object, scope_of(ctx->who)))
			return refuse_running(&rows[i], e);
	return RC_OK;
}

static troth_rc approve_step(struct verb_ctx *ctx, const struct rotation_row *r, enum approval_step step, struct troth_err *e)
{
	struct approval_row *rows;
	size_t n;
	TRY(approval_row_list_rotation(ctx->tx, ctx->a, r->id, &rows, &n, e));
	for (size_t i = 0; i < n; i++)
		if (rows[i].step == step)
			return RC_OK; /* somebody did */
	struct approval_row row = { .rotation_id = r->id, .step = step, .approved_by = ctx->who->name, .approved_at = ctx->now };
	return approval_row_insert(ctx->tx, &row, e);
}

static troth_rc approve_ordered(struct verb_ctx *ctx, struct rotation_row *r, struct json_writer *w, struct troth_err *e)
{
	jw_object(w);
	jw_kv_text(w, "rotation", r->uuid);
	jw_key(w, "steps");
	jw_array(w);
	for (int step = APPROVAL_INTRODUCE; step <= APPROVAL_WITHDRAW; step++) {
		if (!(r->ordered & 1 << step))
			continue;
		TRY(approve_step(ctx, r, (enum approval_step)step, e));
		jw_text(w, APPROVAL_STEP_NAMES[step]);
	}
	jw_array_end(w);
	jw_object_end(w);
	r->ordered &= ~(int64_t)ORDER_STEPS;
	verb_changed(ctx, CHANGED_ROTATION, r->id);
	verb_publish(ctx, "rotation/%s", r->uuid);
	return rotation_row_update(ctx->tx, r, e);
}

static troth_rc approve_all(struct verb_ctx *ctx, struct json_writer *w, struct troth_err *e)
{
	struct rotation_row *rows;
	size_t n;
	TRY(rotation_row_list_open(ctx->tx, ctx->a, &rows, &n, e));
	for (size_t i = 0; i < n; i++) {
		struct credential_row c;
		TRY(credential_row_get(ctx->tx, ctx->a, rows[i].credential_id, &c, e));
		if (rows[i].by_steps && rows[i].ordered & ORDER_STEPS && record_in_scope(ctx->who, c.name))
			TRY(approve_ordered(ctx, &rows[i], w, e));
	}
	return RC_OK;
}

/* -- to whom ------------------------------------------------------------------------------------------------- */
static bool is_named(const struct json_texts *sorted, const char *name)
{
	return sorted->count && bsearch(&name, sorted->items, sorted->count, sizeof *sorted->items, text_order);
}

static troth_rc refuse_some(bool there, const char *name, struct troth_err *e)
{
	troth_rc rc = there ? err_set(e, TROTH_CONFLICT, "deployment %s is left out", name)
			    : err_set(e, TROTH_CONFLICT, "there is no deployment %.200s", name);
	err_hint(e, "a step of a rotation ends when every member was seen to have it, so changes are applied to all: name every "
		    "deployment that lasts, or say all");
	return rc;
}

/* Some of them would be a step that never ends; all of them is all. */
static troth_rc check_named(struct verb_ctx *ctx, const struct apply_start_cmd *cmd, struct troth_err *e)
{
	struct deployment_row *rows;
	struct json_texts there, named = { ARENA_ARRAY(ctx->a, const char *, cmd->only.count), cmd->only.count };
	size_t n;
	for (size_t i = 0; i < named.count; i++)
		named.items[i] = cmd->only.items[i];
	qsort(named.items, named.count, sizeof *named.items, text_order);
	TRY(deployment_row_list(ctx->tx, ctx->a, PAGE_ALL, &rows, &n, e));
	there = (struct json_texts){ ARENA_ARRAY(ctx->a, const char *, n + 1), 0 };
	for (size_t i = 0; i < n; i++) {
		if (!party_has_instances(rows[i].party) || !record_in_scope(ctx->who, rows[i].name))
			continue;
		if (!rows[i].ephemeral && !is_named(&named, rows[i].name))
			return refuse_some(true, rows[i].name, e);
		there.items[there.count++] = rows[i].name;
	}
	qsort(there.items, there.count, sizeof *there.items, text_order);
	for (size_t i = 0; i < cmd->only.count; i++)
		if (!is_named(&there, cmd->only.items[i]))
			return refuse_some(false, cmd->only.items[i], e);
	return RC_OK;
}

static troth_rc end(struct verb_ctx *ctx, struct operation_row *op, const char *words, struct troth_err *e)
{
	op->state = OPERATION_SUCCEEDED;
	op->finished = ctx->now;
	op->waits_for = NULL;
	op->result = arena_printf(ctx->a, "{\"seconds\":%lld}", (long long)((ctx->now - op->created) / MSEC_S));
	TRY(tell(ctx, op, words, e));
	return record_apply(ctx, op, "apply.done", op->result, e);
}

static troth_rc start(struct verb_ctx *ctx, const struct operation_row *op, bool to_all, struct troth_err *e)
{
	struct record r;
	record_begin(&r);
	jw_kv_text(&r.w, "operation", op->uuid);
	jw_kv_text(&r.w, "deployments", to_all ? "all" : "none");
	jw_key(&r.w, "approved");
	jw_array(&r.w);
	troth_rc rc = to_all ? approve_all(ctx, &r.w, e) : RC_OK;
	jw_array_end(&r.w);
	const char *after = record_end(&r, ctx->a);
	TRY(rc);
	TRY(tell(ctx, op, to_all ? "applying changes" : "applying changes to no deployment", e));
	return record_apply(ctx, op, "apply.start", after, e);
}

static troth_rc apply_run(struct verb_ctx *ctx, const void *arg, void *out, struct troth_err *e)
{
	const struct apply_start_cmd *cmd = arg;
	struct operation_ret *ret = out;
	bool to_all = !cmd->listed || cmd->only.count;
	TRY(check_none_runs(ctx, e));
	if (cmd->only.count)
		TRY(check_named(ctx, cmd, e));
	ret->operation = (struct operation_row){ .uuid = verb_uuid_text(ctx), .kind = KIND, .object = scope_of(ctx->who), .state = OPERATION_RUNNING,
						 .started_by = ctx->who->name, .created = ctx->now, .updated = ctx->now };
	TRY(operation_row_insert(ctx->tx, &ret->operation, e));
	TRY(start(ctx, &ret->operation, to_all, e));
	if (to_all)
		return RC_OK;
	TRY(end(ctx, &ret->operation, "nothing was approved: what was ordered waits for the next installation", e));
	return operation_row_update(ctx->tx, &ret->operation, e);
}

/* -- how far it is -------------------------------------------------------------------------------------------- */
struct tale {
	const char *line;       /* what is not there yet, of the first thing; NULL: nothing */
	const char *waits_for;  /* its rotation's sentence, or NULL */
	const char *authority;  /* of that rotation; or NULL */
};

static size_t percent(size_t part, size_t whole) { return whole ? part * 100 / whole : 100; }

struct counts { size_t with_new, on_old; };

static struct counts count(const struct progress *p, int64_t new_version)
{
	struct counts c = { 0 };
	for (size_t i = 0; i < p->ca_count; i++) {
		const struct progress_ca *ca = &p->cas[i];
		if (ca->ca == new_version)
			c.with_new = ca->stores_having;
		else if (!ca->wanted)
			c.on_old += ca->slots_using + ca->slots_maybe;
	}
	return c;
}

static const char *unreached(struct verb_ctx *ctx, const struct rotation_row *r, const struct credential_row *c, const bool *approved)
{
	struct progress p;
	engine_progress(ctx->svc->view, c->id, ctx->a, &p);
	struct counts n = count(&p, r->new_version);
	size_t on_old = n.on_old + (n.on_old ? 0 : p.unknown);
	if (approved[APPROVAL_INTRODUCE] && n.with_new < p.stores)
		return arena_printf(ctx->a, "%s: %zu %% of %zu stores trust the new certificate authority", c->name,
				    percent(n.with_new, p.stores), p.stores);
	if (approved[APPROVAL_SWITCH] && on_old)
		return arena_printf(ctx->a, "%s: %zu %% of %zu certificates are replaced", c->name,
				    percent(p.slots - (on_old < p.slots ? on_old : p.slots), p.slots), p.slots);
	if (approved[APPROVAL_WITHDRAW] && approved[APPROVAL_SWITCH])
		return arena_printf(ctx->a, "%s: the old certificate authority leaves the stores", c->name);
	return NULL;
}

static troth_rc look_at_rotation(struct verb_ctx *ctx, const char *scope, const struct rotation_row *r, struct tale *ret, struct troth_err *e)
{
	struct credential_row c;
	struct operation_row op;
	struct approval_row *rows;
	size_t n;
	bool approved[APPROVAL_WITHDRAW + 1] = { false };
	TRY(credential_row_get(ctx->tx, ctx->a, r->credential_id, &c, e));
	if (!r->by_steps || !in_scope(scope, c.name))
		return RC_OK;
	TRY(approval_row_list_rotation(ctx->tx, ctx->a, r->id, &rows, &n, e));
	for (size_t i = 0; i < n; i++)
		approved[rows[i].step] = true;
	ret->line = unreached(ctx, r, &c, approved);
	if (!ret->line)
		return RC_OK;
	TRY(operation_row_get(ctx->tx, ctx->a, r->operation_id, &op, e));
	ret->waits_for = op.waits_for;
	ret->authority = c.name;
	return RC_OK;
}

static troth_rc look(struct verb_ctx *ctx, const char *scope, struct tale *ret, struct troth_err *e)
{
	struct rotation_row *rows;
	size_t n;
	int64_t pending;
	*ret = (struct tale){ 0 };
	TRY(rotation_row_list_open(ctx->tx, ctx->a, &rows, &n, e));
	for (size_t i = 0; i < n && !ret->line; i++)
		TRY(look_at_rotation(ctx, scope, &rows[i], ret, e));
	if (ret->line)
		return RC_OK;
	TRY(document_row_count_lasting(ctx->tx, scope, &pending, e));
	if (pending)
		ret->line = "what is wanted is on its way to the last members";
	return RC_OK;
}

static const char *line_json(struct verb_ctx *ctx, const char *line)
{
	struct record r;
	record_begin(&r);
	jw_kv_text(&r.w, "text", line);
	return record_end(&r, ctx->a);
}

static troth_rc update_one(struct verb_ctx *ctx, struct operation_row *op, struct troth_err *e)
{
	struct tale t;
	TRY(look(ctx, op->object, &t, e));
	const char *progress = t.line ? line_json(ctx, t.line) : op->progress;
	bool news = !text_equal(progress, op->progress);
	if (t.line && !news && text_equal(t.waits_for, op->waits_for))
		return RC_OK;
	op->progress = progress;
	op->waits_for = t.waits_for;
	op->updated = ctx->now;
	if (!t.line)
		TRY(end(ctx, op, "every member was seen to have what is wanted", e));
	else if (news)
		TRY(tell(ctx, op, t.waits_for ? arena_printf(ctx->a, "%s; %s; more: troth explain %s", t.line, t.waits_for, t.authority) : t.line, e));
	return operation_row_update(ctx->tx, op, e);
}

troth_rc apply_update(struct verb_ctx *ctx, struct troth_err *e)
{
	struct operation_row *rows;
	size_t n;
	TRY(operation_row_list_running(ctx->tx, ctx->a, &rows, &n, e));
	for (size_t i = 0; i < n; i++)
		if (text_equal(rows[i].kind, KIND))
			TRY(update_one(ctx, &rows[i], e));
	return RC_OK;
}

/* -- looking ------------------------------------------------------------------------------------------------- */
static troth_rc list_run(struct verb_ctx *ctx, const void *arg, void *out, struct troth_err *e)
{
	struct apply_list_ret *ret = out;
	struct operation_row *rows;
	size_t n;
	TRY(operation_row_list_newest(ctx->tx, ctx->a, KIND, LIMIT_PAGE, &rows, &n, e));
	ret->items = ARENA_ARRAY(ctx->a, struct operation_row, n + 1);
	for (size_t i = 0; i < n; i++)
		if (record_in_scope(ctx->who, rows[i].object))
			ret->items[ret->count++] = rows[i];
	return RC_OK;
}

static troth_rc load(struct verb_ctx *ctx, int64_t id, struct operation_row *ret, struct troth_err *e)
{
	troth_rc rc = operation_row_get(ctx->tx, ctx->a, id, ret, e);
	bool there = rc_ok(rc) && text_equal(ret->kind, KIND) && record_in_scope(ctx->who, ret->object);
	ENSURE(there, e, TROTH_NOT_FOUND, "there is no installation %lld", (long long)id);
	return RC_OK;
}

static troth_rc show_run(struct verb_ctx *ctx, const void *arg, void *out, struct troth_err *e)
{
	const struct apply_cmd *cmd = arg;
	struct operation_ret *ret = out;
	TRY(load(ctx, cmd->id, &ret->operation, e));
	if (ret->operation.state == OPERATION_RUNNING && ctx->options.wait && !ctx->last_chance) {
		ctx->hold.wanted = true;
		(void)snprintf(ctx->hold.topic, sizeof ctx->hold.topic, "operation/%s", ret->operation.uuid);
	}
	return RC_OK;
}

static troth_rc log_run(struct verb_ctx *ctx, const void *arg, void *out, struct troth_err *e)
{
	const struct apply_cmd *cmd = arg;
	struct apply_log_ret *ret = out;
	TRY(load(ctx, cmd->id, &ret->operation, e));
	return event_list(ctx->tx, ctx->a, topic_of(ctx, &ret->operation), (struct page){ 0, LIMIT_APPLY_LINES }, &ret->lines,
			  &ret->line_count, e);
}

const struct verb VERB_APPLY = { "apply.start", VERB_WRITE, ROLES_CHANGE, sizeof(struct apply_start_cmd), sizeof(struct operation_ret), NULL, apply_run };
const struct verb VERB_APPLY_LIST = { "apply.list", VERB_READ, ROLES_READ, sizeof(struct no_cmd), sizeof(struct apply_list_ret), NULL, list_run };
const struct verb VERB_APPLY_SHOW = { "apply.show", VERB_READ, ROLES_READ, sizeof(struct apply_cmd), sizeof(struct operation_ret), NULL, show_run };
const struct verb VERB_APPLY_LOG = { "apply.log", VERB_READ, ROLES_READ, sizeof(struct apply_cmd), sizeof(struct apply_log_ret), NULL, log_run };
