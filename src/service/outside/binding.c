/* Bindings: made, listed, vouched for, waived.  See binding.h; what happens at a fetch is in binding_fetch.c. */
#include "service/outside/binding_parts.h"

#include "service/check.h"
#include "service/inside.h"
#include "service/fleet/meet.h"
#include "service/record.h"

/* -- views ------------------------------------------------------------------------------------------- */

/* The oldest that waits decides. */
static msec_t deadline_of(const struct binding_view *v)
{
	if (!v->row.renew_by || !v->target.document_count || v->target.row.state == TARGET_WAIVED || v->row.left_at)
		return 0;
	return v->target.documents[0].row.created + v->row.renew_by;
}

static troth_rc view_load(struct verb_ctx *ctx, const struct binding_row *row, struct binding_view *ret, struct troth_err *e)
{
	struct target_row t;
	struct instance_row instance;
	struct template_row group;
	struct bundle_row bundle;
	*ret = (struct binding_view){ .row = *row };
	TRY(target_row_get(ctx->tx, ctx->a, row->target_id, &t, e));
	TRY(instance_row_get(ctx->tx, ctx->a, t.instance_id, &instance, e));
	TRY(template_row_get(ctx->tx, ctx->a, t.template_id, &group, e));
	TRY(bundle_row_get(ctx->tx, ctx->a, group.bundle_id, &bundle, e));
	ret->bundle = bundle.name;
	TRY(target_view_load(ctx, &t, &instance, BINDINGS_DEPLOYMENT, &ret->target, e));
	ret->deadline = deadline_of(ret);
	return RC_OK;
}

troth_rc binding_find(struct verb_ctx *ctx, const char *id, struct binding_row *ret, struct target_row *ret_target,
		      struct troth_err *e)
{
	TRY(record_uuid("binding", id, e));
	TRY(binding_row_by_uuid(ctx->tx, ctx->a, id, ret, e));
	TRY(record_visible(ctx->who, "binding", ret->name, e));
	ENSURE(!ret->left_at, e, TROTH_NOT_FOUND, "binding %s was deleted", ret->name);
	return target_row_get(ctx->tx, ctx->a, ret->target_id, ret_target, e);
}

troth_rc binding_record(struct verb_ctx *ctx, const char *action, const struct binding_row *row, int64_t generation,
			const char *text, struct troth_err *e)
{
	struct record r;
	record_begin(&r);
	jw_kv_text(&r.w, "id", row->uuid);
	if (generation)
		jw_kv_int(&r.w, "generation", generation);
	jw_kv_text(&r.w, "text", text);
	return record_change(ctx, &(struct change){ .action = action, .object = row->name, .after = record_end(&r, ctx->a) }, e);
}

/* -- create ------------------------------------------------------------------------------------------- */

static void check_length(const struct checker *c, const char *path, msec_t length)
{
	if (length < 0 || length > LIMIT_BINDING_LENGTH_S * MSEC_S)
		check_fail(c, path, "length", "is not between 0s and 366d", NULL);
}

static bool ack_parse(const char *word, enum binding_ack *ret)
{
	for (int i = ACK_CONFIRM; i <= ACK_ATTEST; i++) {
		if (word && !text_equal(word, BINDING_ACK_NAMES[i]))
			continue;
		*ret = (enum binding_ack)i;
		return true;
	}
	return false;
}

static void create_check(const struct checker *c, const struct binding_create_cmd *cmd, enum binding_ack *ret_ack)
{
	check_new_name(c, "$.name", cmd->name, false);
	check_name(c, "$.bundle", cmd->bundle);
	check_length(c, "$.delay", cmd->delay);
	check_length(c, "$.renew_by", cmd->renew_by);
	check_length(c, "$.grace", cmd->grace);
	if (!ack_parse(cmd->ack, ret_ack))
		check_fail(c, "$.ack", "ack", "is not a way to acknowledge", "confirm, fetch or attest");
	else if (*ret_ack == ACK_FETCH && !cmd->delay)
		check_fail(c, "$.delay", "required", "is missing", "with ack fetch say how long after a fetch it is in use, such as 10m");
	else if (*ret_ack != ACK_FETCH && cmd->delay)
		check_fail(c, "$.delay", "unused", "counts with ack fetch only", NULL);
}

void binding_create_check(struct arena *a, const struct binding_create_cmd *cmd, struct troth_err *e)
{
	struct checker c = { a, e };
	enum binding_ack ack = ACK_CONFIRM;
	create_check(&c, cmd, &ack);
}

static troth_rc name_free(struct verb_ctx *ctx, const char *name, struct troth_err *e)
{
	struct binding_row taken;
	if (rc_failed(binding_row_by_name(ctx->tx, ctx->a, name, &taken, NULL)))
		return RC_OK;
	troth_rc rc = err_set(e, TROTH_CONFLICT, "there is a binding %s already", name);
	err_hint(e, "choose another name, or look at it: troth binding show %s", name);
	err_object(e, "%s", name);
	return rc;
}

static troth_rc bundle_find(struct verb_ctx *ctx, const char *name, struct bundle_row *ret, struct troth_err *e)
{
	if (rc_ok(bundle_row_by_name(ctx->tx, ctx->a, name, ret, NULL)) && record_in_scope(ctx->who, name))
		return RC_OK;
	troth_rc rc = err_set(e, TROTH_NOT_FOUND, "there is no bundle %s", name);
	err_hint(e, "create it first: troth bundle create %s", name);
	err_object(e, "%s", name);
	return rc;
}

static troth_rc bindings_need(struct verb_ctx *ctx, struct deployment_row *ret, struct troth_err *e)
{
	if (rc_ok(deployment_row_by_name(ctx->tx, ctx->a, BINDINGS_DEPLOYMENT, ret, NULL)))
		return RC_OK;
	*ret = (struct deployment_row){ .uuid = verb_uuid_text(ctx), .name = BINDINGS_DEPLOYMENT, .party = PARTY_BINDING, .rev = 1,
					.created = ctx->now };
	return deployment_row_insert(ctx->tx, ret, e);
}

/* All bindings of a bundle are one group. */
static troth_rc group_need(struct verb_ctx *ctx, const struct bundle_row *bundle, struct template_row *ret, struct troth_err *e)
{
	struct deployment_row bindings;
	TRY(bindings_need(ctx, &bindings, e));
	if (rc_ok(template_row_by_name(ctx->tx, ctx->a, bindings.id, bundle->name, ret, NULL)))
		return RC_OK;
	*ret = (struct template_row){ .uuid = verb_uuid_text(ctx), .deployment_id = bindings.id, .kind = TARGET_STORE,
				      .party = PARTY_BINDING, .name = bundle->name, .profile = "binding", .role = TARGET_BOTH,
				      .bundle_id = bundle->id, .atomic = true, .created = ctx->now };
	TRY(template_row_insert(ctx->tx, ret, e));
	verb_changed(ctx, CHANGED_TEMPLATE, ret->id);
	return meet_template_added(ctx, ret, e);
}

static troth_rc target_make(struct verb_ctx *ctx, const char *name, const struct template_row *group, int64_t *ret_id, struct troth_err *e)
{
	struct instance_row instance = { .uuid = verb_uuid_text(ctx), .deployment_id = group->deployment_id, .name = name,
					 .state = INSTANCE_ACTIVE, .session = 1, .session_opened = ctx->now,
					 .alive_until = ALIVE_ALWAYS, .created = ctx->now };
	TRY(instance_row_insert(ctx->tx, &instance, e));
	verb_changed(ctx, CHANGED_INSTANCE, instance.id);
	struct target_row t = { .uuid = verb_uuid_text(ctx), .instance_id = instance.id, .template_id = group->id, .state = TARGET_JOINING,
				.next_generation = 1, .base_known = true, .created = ctx->now };
	TRY(target_row_insert(ctx->tx, &t, e));
	verb_changed(ctx, CHANGED_TARGET, t.id);
	*ret_id = t.id;
	return RC_OK;
}

static troth_rc create_run(struct verb_ctx *ctx, const void *arg, void *out, struct troth_err *e)
{
	const struct binding_create_cmd *cmd = arg;
	struct binding_ret *ret = out;
	struct checker c = { ctx->a, e };
	struct bundle_row bundle;
	struct template_row group;
	struct binding_row row = { .uuid = verb_uuid_text(ctx), .name = cmd->name, .delay = cmd->delay, .renew_by = cmd->renew_by,
				   .grace = cmd->grace, .created = ctx->now };
	create_check(&c, cmd, &row.ack);
	TRY(check_done(e));
	TRY(principal_in_scope(ctx->who, cmd->name, e));
	TRY(name_free(ctx, cmd->name, e));
	TRY(bundle_find(ctx, cmd->bundle, &bundle, e));
	if (!row.grace && !cmd->no_grace)
		row.grace = LIMIT_BINDING_GRACE_S * MSEC_S;
	TRY(group_need(ctx, &bundle, &group, e));
	TRY(target_make(ctx, cmd->name, &group, &row.target_id, e));
	TRY(binding_row_insert(ctx->tx, &row, e));
	TRY(view_load(ctx, &row, &ret->binding, e));
	return binding_record(ctx, "binding.create", &row, 0, bundle.name, e);
}

/* -- reading ---------------------------------------------------------------------------------------------- */

static troth_rc list_run(struct verb_ctx *ctx, const void *arg, void *out, struct troth_err *e)
{
	const struct list_cmd *cmd = arg;
	struct binding_list_ret *ret = out;
	struct binding_row *rows;
	size_t n;
	TRY(binding_row_list(ctx->tx, ctx->a, cmd->page, &rows, &n, e));
	ret->items = ARENA_ARRAY(ctx->a, struct binding_view, n);
	ret->next = record_next(cmd->page, n, n ? rows[n - 1].id : 0);
	for (size_t i = 0; i < n; i++) {
		bool asked = !rows[i].left_at && (!cmd->name || text_equal(cmd->name, rows[i].name));
		if (asked && record_in_scope(ctx->who, rows[i].name))
			TRY(view_load(ctx, &rows[i], &ret->items[ret->count++], e));
	}
	return RC_OK;
}

static troth_rc show_run(struct verb_ctx *ctx, const void *arg, void *out, struct troth_err *e)
{
	const struct id_cmd *cmd = arg;
	struct binding_ret *ret = out;
	struct binding_row row;
	struct target_row t;
	TRY(binding_find(ctx, cmd->id, &row, &t, e));
	return view_load(ctx, &row, &ret->binding, e);
}

/* -- vouching ----------------------------------------------------------------------------------------------- */

static bool needs_no_fetch(const struct binding_attest_cmd *cmd)
{
	return text_equal(cmd->reason, "runtime-already-trusts");
}

void binding_attest_check(struct arena *a, const struct binding_attest_cmd *cmd, struct troth_err *e)
{
	struct checker c = { a, e };
	if (check_present(&c, "$.reason", cmd->reason) && !text_equal(cmd->reason, "renewed") && !needs_no_fetch(cmd))
		check_fail(&c, "$.reason", "reason", "is not a reason",
			   "renewed: it runs what it fetched last; runtime-already-trusts: it needs no fetch");
}

/* The newest that it can have; row.generation 0: nothing. */
static troth_rc newest_for(struct verb_ctx *ctx, const struct target_row *t, bool unfetched_too, struct document_row *ret,
			   struct troth_err *e)
{
	struct document_row *pending;
	size_t n;
	*ret = (struct document_row){ 0 };
	TRY(document_row_list_pending(ctx->tx, ctx->a, t->id, &pending, &n, e));
	for (size_t i = 0; i < n; i++)
		if (unfetched_too || pending[i].handed_at)
			*ret = pending[i];
	return RC_OK;
}

static troth_rc not_fetched(const struct binding_row *row, struct troth_err *e)
{
	troth_rc rc = err_set(e, TROTH_CONFLICT, "%s has fetched nothing that is not acknowledged yet", row->name);
	err_hint(e, "let it fetch what it is offered first; if it needs no fetch: --reason runtime-already-trusts");
	err_object(e, "%s", row->name);
	return rc;
}

static troth_rc attest_run(struct verb_ctx *ctx, const void *arg, void *out, struct troth_err *e)
{
	const struct binding_attest_cmd *cmd = arg;
	struct binding_ret *ret = out;
	struct binding_row row;
	struct target_row t;
	struct document_row newest;
	binding_attest_check(ctx->a, cmd, e);
	TRY(check_done(e));
	TRY(binding_find(ctx, cmd->id, &row, &t, e));
	TRY(binding_counts(&row, &t, e));
	TRY(newest_for(ctx, &t, needs_no_fetch(cmd), &newest, e));
	if (!newest.generation)
		return not_fetched(&row, e);
	struct binding_ack_said said = { ACK_ATTEST, cmd->reason };
	TRY(binding_acknowledge(ctx, &row, &t, newest.generation, &said, e));
	return view_load(ctx, &row, &ret->binding, e);
}

/* -- waived, deleted ------------------------------------------------------------------------------------------- */

static troth_rc too_early(const struct binding_view *v, struct troth_err *e)
{
	char when[RFC3339_LEN];
	troth_rc rc = err_set(e, TROTH_UNSAFE, "%s has time until %s", v->row.name,
			      v->deadline ? time_format(v->deadline, when) : "something new is offered");
	err_detail(e, "after a waiver nothing waits for it any more, and it may stop trusting what it meets");
	err_hint(e, "wait, or vouch for it: troth binding attest %s --reason renewed", v->row.name);
	err_object(e, "%s", v->row.name);
	return rc;
}

static troth_rc waive_run(struct verb_ctx *ctx, const void *arg, void *out, struct troth_err *e)
{
	const struct id_cmd *cmd = arg;
	struct binding_ret *ret = out;
	struct binding_row row;
	struct binding_view view;
	struct target_row t;
	TRY(binding_find(ctx, cmd->id, &row, &t, e));
	TRY(binding_counts(&row, &t, e));
	TRY(view_load(ctx, &row, &view, e));
	if (row.renew_by && (!view.deadline || view.deadline > ctx->now))
		return too_early(&view, e);
	t.state = TARGET_WAIVED;
	TRY(target_row_update(ctx->tx, &t, e));
	verb_changed(ctx, CHANGED_TARGET, t.id);
	row.overdue_since = 0;
	TRY(binding_row_update(ctx->tx, &row, e));
	TRY(view_load(ctx, &row, &ret->binding, e));
	return binding_record(ctx, "binding.waive", &row, 0, NULL, e);
}

static troth_rc delete_run(struct verb_ctx *ctx, const void *arg, void *out, struct troth_err *e)
{
	const struct id_cmd *cmd = arg;
	struct binding_row row;
	struct target_row t;
	struct instance_row instance;
	TRY(binding_find(ctx, cmd->id, &row, &t, e));
	TRY(instance_row_get(ctx->tx, ctx->a, t.instance_id, &instance, e));
	t.state = TARGET_LEFT;
	instance.state = INSTANCE_LEFT;
	row.left_at = t.left_at = instance.left_at = ctx->now;
	instance.session = 0;
	TRY(target_row_update(ctx->tx, &t, e));
	TRY(instance_row_update(ctx->tx, &instance, e));
	TRY(binding_row_update(ctx->tx, &row, e));
	verb_changed(ctx, CHANGED_TARGET, t.id);
	verb_changed(ctx, CHANGED_INSTANCE, instance.id);
	return binding_record(ctx, "binding.delete", &row, 0, NULL, e);
}

const struct verb VERB_BINDING_CREATE = { "binding.create", VERB_WRITE, ROLES_CHANGE, sizeof(struct binding_create_cmd),
					  sizeof(struct binding_ret), NULL, create_run };
const struct verb VERB_BINDING_LIST = { "binding.list", VERB_READ, ROLES_READ, sizeof(struct list_cmd),
					sizeof(struct binding_list_ret), NULL, list_run };
const struct verb VERB_BINDING_SHOW = { "binding.show", VERB_READ, ROLES_READ, sizeof(struct id_cmd),
					sizeof(struct binding_ret), NULL, show_run };
const struct verb VERB_BINDING_ATTEST = { "binding.attest", VERB_WRITE, ROLES_CHANGE | ROLE_DEVELOPER,
					  sizeof(struct binding_attest_cmd), sizeof(struct binding_ret), NULL, attest_run };
const struct verb VERB_BINDING_WAIVE = { "binding.waive", VERB_WRITE, ROLES_CHANGE, sizeof(struct id_cmd),
					 sizeof(struct binding_ret), NULL, waive_run };
const struct verb VERB_BINDING_DELETE = { "binding.delete", VERB_WRITE, ROLES_CHANGE, sizeof(struct id_cmd),
					  sizeof(struct no_ret), NULL, delete_run };
