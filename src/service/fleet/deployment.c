/* Deployments: what every instance of a kind carries, as templates of slots and stores.
 *
 * A template names what must exist (an authority, a bundle) and patterns for what will be made when an
 * instance joins.  Patterns are tried out here with a shortest and a longest name, so that a node does not
 * find out hours later.  A new template pairs itself with the stores or slots it meets, and reaches the
 * instances that are there already. */
#include "service/check.h"
#include "service/ca/credential.h"
#include "service/fleet/join.h"
#include "service/fleet/meet.h"
#include "service/policy/policy.h"
#include "service/record.h"
#include "service/policy/window.h"

#include "model/name.h"

enum { TEMPLATE_JSON_BYTES = 128 << 10 }; /* LIMIT_SAN_COUNT patterns, or MSG_PARAMETERS values */

/* -- input ---------------------------------------------------------------------------------------- */
struct templates { /* both commands carry them */
	const struct slot_template *slots;
	size_t slot_count;
	const struct store_template *stores;
	size_t store_count;
};

static const char *slot_path(struct arena *a, const struct templates *in, size_t i)
{
	return in->slots[i].path ? in->slots[i].path : arena_printf(a, "$.slots[%zu]", i);
}

static const char *store_path(struct arena *a, const struct templates *in, size_t i)
{
	return in->stores[i].path ? in->stores[i].path : arena_printf(a, "$.stores[%zu]", i);
}

static void check_parameters(const struct checker *c, const char *path, const struct parameter *p, size_t n)
{
	if (n > MSG_PARAMETERS)
		check_fail(c, path, "length", "has more than 32 parameters", NULL);
	for (size_t i = 0; i < n && i < MSG_PARAMETERS; i++) {
		const char *at = arena_printf(c->a, "%s.%.80s", path, p[i].name);
		const char *fault = name_label_fault(p[i].name);
		if (fault)
			check_fail(c, at, "name", fault, NAME_LABEL_HINT);
		else if (strlen(p[i].value) > MSG_PARAMETER_BYTES)
			check_fail(c, at, "length", "is longer than 512 bytes", NULL);
	}
}

static void check_pattern(const struct checker *c, const char *path, const char *pattern)
{
	if (!check_present(c, path, pattern))
		return;
	const char *fault = name_pattern_fault(pattern);
	if (fault)
		check_fail(c, path, "pattern", fault, NAME_PATTERN_HINT);
	else if (name_is_reserved(pattern))
		check_fail(c, path, "reserved", "names below /troth/ belong to the program", "choose another first segment");
}

/* A subject with {instance} in it; what comes out is checked again when an instance joins. */
static void check_common_pattern(const struct checker *c, const char *path, const char *pattern)
{
	if (!pattern)
		return;
	const char *shortest = name_pattern_expand(c->a, pattern, "x");
	if (strpbrk(shortest, "{}"))
		check_fail(c, path, "pattern", "has a placeholder that is not {instance}", NULL);
	else
		check_common_name(c, path, shortest);
}

static void check_profile(const struct checker *c, const char *at, const char *profile)
{
	if (profile)
		check_label(c, arena_printf(c->a, "%s.profile", at), profile);
}

static void check_slot(const struct checker *c, const char *at, const struct slot_template *s)
{
	check_label(c, arena_printf(c->a, "%s.name", at), s->name);
	check_profile(c, at, s->profile);
	check_role(c, arena_printf(c->a, "%s.role", at), s->role);
	check_pattern(c, arena_printf(c->a, "%s.credential", at), s->credential);
	check_name(c, arena_printf(c->a, "%s.authority", at), s->authority);
	check_common_pattern(c, arena_printf(c->a, "%s.common_name", at), s->common_name);
	check_key_type(c, arena_printf(c->a, "%s.key_type", at), s->key_type);
	if (s->key_source && !text_equal(s->key_source, "agent") && !text_equal(s->key_source, "keeper"))
		check_fail(c, arena_printf(c->a, "%s.key_source", at), "key-source", "is not a key source", "agent or keeper");
	check_sans(c, arena_printf(c->a, "%s.sans", at), s->sans, true);
	check_ttl(c, arena_printf(c->a, "%s.ttl", at), s->ttl);
	check_parameters(c, arena_printf(c->a, "%s.parameters", at), s->parameters, s->parameter_count);
}

static void check_store(const struct checker *c, const char *at, const struct store_template *s)
{
	check_label(c, arena_printf(c->a, "%s.name", at), s->name);
	check_profile(c, at, s->profile);
	check_name(c, arena_printf(c->a, "%s.bundle", at), s->bundle);
	check_parameters(c, arena_printf(c->a, "%s.parameters", at), s->parameters, s->parameter_count);
}

/* The i-th name over slots and stores together. */
static const char *name_at(const struct templates *in, size_t i)
{
	return i < in->slot_count ? in->slots[i].name : in->stores[i - in->slot_count].name;
}

static void check_names_differ(const struct checker *c, const struct templates *in)
{
	size_t n = in->slot_count + in->store_count;
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < i; k++) {
			if (!name_at(in, i) || !text_equal(name_at(in, i), name_at(in, k)))
				continue;
			const char *at = i < in->slot_count ? slot_path(c->a, in, i) : store_path(c->a, in, i - in->slot_count);
			check_fail(c, arena_printf(c->a, "%s.name", at), "taken", "is the name of another template here", NULL);
			break;
		}
}

static void check_templates(const struct checker *c, const struct templates *in)
{
	if (in->slot_count + in->store_count > LIMIT_TARGETS_PER_INSTANCE) {
		check_fail(c, "$", "length", "has more than 64 templates", "an instance carries at most 64 targets");
		return;
	}
	for (size_t i = 0; i < in->slot_count; i++)
		check_slot(c, slot_path(c->a, in, i), &in->slots[i]);
	for (size_t i = 0; i < in->store_count; i++)
		check_store(c, store_path(c->a, in, i), &in->stores[i]);
	check_names_differ(c, in);
}

/* With an agent there is a profile to run; without one nobody could open a key that the keeper makes: it leaves sealed. */
static void check_party(const struct checker *c, const struct templates *in, bool external)
{
	for (size_t i = 0; i < in->slot_count; i++) {
		const char *at = slot_path(c->a, in, i);
		if (!external)
			check_present(c, arena_printf(c->a, "%s.profile", at), in->slots[i].profile);
		else if (text_equal(in->slots[i].key_source, "keeper"))
			check_fail(c, arena_printf(c->a, "%s.key_source", at), "external", "needs an agent, and external instances have none",
				   "their owner makes the key and sends a request: leave key_source out");
	}
	for (size_t i = 0; i < in->store_count && !external; i++)
		check_present(c, arena_printf(c->a, "%s.profile", store_path(c->a, in, i)), in->stores[i].profile);
}

static struct templates of_create(const struct deployment_create_cmd *cmd)
{
	return (struct templates){ cmd->slots, cmd->slot_count, cmd->stores, cmd->store_count };
}

static struct templates of_extend(const struct deployment_extend_cmd *cmd)
{
	return (struct templates){ cmd->slots, cmd->slot_count, cmd->stores, cmd->store_count };
}

/* --ephemeral and --ttl belong together. */
static void check_lease(const struct checker *c, const struct deployment_create_cmd *cmd)
{
	if (cmd->ephemeral && !cmd->ttl)
		check_fail(c, "$.ttl", "required", "is missing", "say how long an instance lives at most: 60s");
	else if (cmd->ephemeral && (cmd->ttl < MSEC_S || cmd->ttl > LIMIT_LEASE_S * MSEC_S))
		check_fail(c, "$.ttl", "range", "is not between 1s and 1h",
			   "an ephemeral can hold up a rotation for so long; what lives longer is no ephemeral");
	if (!cmd->ephemeral && (cmd->ttl || cmd->ignore))
		check_fail(c, cmd->ttl ? "$.ttl" : "$.ignore", "only-ephemeral", "is for ephemeral deployments only", NULL);
}

static void check_grace(const struct checker *c, const struct deployment_create_cmd *cmd)
{
	if (!cmd->external && (cmd->grace || cmd->no_grace))
		check_fail(c, "$.grace", "only-external", "is for external deployments only", NULL);
	else if (cmd->grace < 0 || cmd->grace > LIMIT_BINDING_LENGTH_S * MSEC_S)
		check_fail(c, "$.grace", "length", "is not between 0s and 366d", NULL);
}

void deployment_create_check(struct arena *a, const struct deployment_create_cmd *cmd, struct troth_err *e)
{
	struct checker c = { a, e };
	struct templates in = of_create(cmd);
	if (check_present(&c, "$.name", cmd->name)) {
		const char *fault = name_deployment_fault(cmd->name);
		if (fault)
			check_fail(&c, "$.name", "name", fault, "write it like pg or /prod/pg");
		else if (name_is_reserved(cmd->name))
			check_fail(&c, "$.name", "reserved", "names below /troth/ belong to the program", NULL);
	}
	check_lease(&c, cmd);
	check_grace(&c, cmd);
	check_templates(&c, &in);
	check_party(&c, &in, cmd->external);
}

void deployment_extend_check(struct arena *a, const struct deployment_extend_cmd *cmd, struct troth_err *e)
{
	struct checker c = { a, e };
	struct templates in = of_extend(cmd);
	if (!cmd->slot_count && !cmd->store_count)
		check_fail(&c, "$", "required", "has no slots and no stores", NULL);
	check_templates(&c, &in);
}

/* -- views ---------------------------------------------------------------------------------------- */
static troth_rc template_view_load(struct verb_ctx *ctx, const struct template_row *row, struct template_view *ret, struct troth_err *e)
{
	ret->row = *row;
	if (row->authority_id) {
		struct credential_row authority;
		TRY(credential_row_get(ctx->tx, ctx->a, row->authority_id, &authority, e));
		ret->authority = authority.name;
	}
	if (row->bundle_id) {
		struct bundle_row bundle;
		TRY(bundle_row_get(ctx->tx, ctx->a, row->bundle_id, &bundle, e));
		ret->bundle = bundle.name;
	}
	if (!row->sans)
		return RC_OK;
	const struct json *list;
	TRY(json_parse(ctx->a, bytes_of_text(row->sans), &list, e));
	ret->sans.items = ARENA_ARRAY(ctx->a, const char *, list->list.count);
	for (size_t i = 0; i < list->list.count; i++)
		ret->sans.items[ret->sans.count++] = list->list.items[i].str.s;
	return RC_OK;
}

static troth_rc live_instances(struct verb_ctx *ctx, int64_t deployment_id, struct instance_row **ret, size_t *ret_n, struct troth_err *e)
{
	struct instance_row *rows;
	size_t n, live = 0;
	TRY(instance_row_list_deployment(ctx->tx, ctx->a, deployment_id, PAGE_ALL, &rows, &n, e));
	for (size_t i = 0; i < n; i++)
		if (rows[i].state != INSTANCE_LEFT)
			rows[live++] = rows[i];
	*ret = rows;
	*ret_n = live;
	return RC_OK;
}

troth_rc deployment_view_load(struct verb_ctx *ctx, const struct deployment_row *row, struct deployment_view *ret, struct troth_err *e)
{
	struct template_row *rows;
	struct instance_row *instances;
	size_t n;
	bool found;
	ret->row = *row;
	TRY(rolling_row_of(ctx->tx, ctx->a, row->id, &ret->rolling, &found, e));
	TRY(windows_read(ctx->a, ret->rolling.windows, &ret->windows, e));
	TRY(template_row_list_deployment(ctx->tx, ctx->a, row->id, PAGE_ALL, &rows, &n, e));
	ret->templates = ARENA_ARRAY(ctx->a, struct template_view, n);
	ret->template_count = n;
	for (size_t i = 0; i < n; i++)
		TRY(template_view_load(ctx, &rows[i], &ret->templates[i], e));
	return live_instances(ctx, row->id, &instances, &ret->instance_count, e);
}

troth_rc deployment_find(struct verb_ctx *ctx, const char *id, struct deployment_row *ret, struct troth_err *e)
{
	TRY(record_uuid("deployment", id, e));
	TRY(deployment_row_by_uuid(ctx->tx, ctx->a, id, ret, e));
	return record_visible(ctx->who, "deployment", ret->name, e);
}

/* -- rows ------------------------------------------------------------------------------------------ */
static const char *parameters_json(struct arena *a, const struct parameter *p, size_t n)
{
	CLEANUP(buf_release) struct buf out = buf_make(TEMPLATE_JSON_BYTES);
	struct json_writer w = json_writer_make(&out);
	jw_object(&w);
	for (size_t i = 0; i < n; i++)
		jw_kv_text(&w, p[i].name, p[i].value);
	jw_object_end(&w);
	CHECK(buf_ok(&out)); /* bounded by check_parameters */
	return arena_text(a, buf_text(&out));
}

static const char *texts_json(struct arena *a, struct json_texts texts)
{
	CLEANUP(buf_release) struct buf out = buf_make(TEMPLATE_JSON_BYTES);
	struct json_writer w = json_writer_make(&out);
	jw_array(&w);
	for (size_t i = 0; i < texts.count; i++)
		jw_text(&w, texts.items[i]);
	jw_array_end(&w);
	CHECK(buf_ok(&out)); /* bounded by check_sans */
	return arena_text(a, buf_text(&out));
}

static enum target_role role_of(const char *role)
{
	unsigned eku = credential_role_eku(role);
	return eku == EKU_CLIENT ? TARGET_CLIENT : eku == EKU_SERVER ? TARGET_SERVER : TARGET_BOTH;
}

static struct template_row template_base(struct verb_ctx *ctx, const struct deployment_row *deployment, const char *name,
					 const char *profile)
{
	return (struct template_row){ .uuid = verb_uuid_text(ctx), .deployment_id = deployment->id, .party = deployment->party,
				      .name = name, .profile = profile ? profile : PARTY_NAMES[deployment->party], .role = TARGET_BOTH, .atomic = true, .created = ctx->now };
}

/* Inserted, paired, and given to the instances that are there. */
static troth_rc template_add(struct verb_ctx *ctx, struct template_row *row, const char *path, struct troth_err *e)
{
	struct checker c = { ctx->a, e };
	struct template_row taken;
	struct instance_row *instances;
	size_t n;
	if (rc_ok(template_row_by_name(ctx->tx, ctx->a, row->deployment_id, row->name, &taken, NULL))) {
		check_fail(&c, arena_printf(ctx->a, "%s.name", path), "taken", "is the name of a template of this deployment", NULL);
		return RC_OK;
	}
	TRY(template_row_insert(ctx->tx, row, e));
	verb_changed(ctx, CHANGED_TEMPLATE, row->id);
	if (row->leaf_ttl)
		TRY(renewal_refresh(ctx, row->authority_id, e)); /* its CA must leave room for this life */
	TRY(meet_template_added(ctx, row, e));
	TRY(live_instances(ctx, row->deployment_id, &instances, &n, e));
	for (size_t i = 0; i < n; i++) {
		if (instances[i].state == INSTANCE_LEAVING)
			continue; /* nothing more comes to it */
		TRY(join_target(ctx, &instances[i], row, e));
		verb_publish(ctx, "instance/%s", instances[i].uuid);
	}
	return RC_OK;
}

static troth_rc slot_add(struct verb_ctx *ctx, const struct deployment_row *deployment, const struct slot_template *s, const char *path,
			 struct troth_err *e)
{
	struct checker c = { ctx->a, e };
	struct credential_row authority;
	struct troth_err why = { 0 };
	TRY(principal_in_scope(ctx->who, s->credential, e));
	if (rc_failed(authority_to_sign(ctx, s->authority, &authority, &why))) {
		check_fail(&c, arena_printf(ctx->a, "%s.authority", path), why.kind == TROTH_FORBIDDEN ? "reserved" : "not-found", why.primary, why.hint);
		return RC_OK;
	}
	struct template_row row = template_base(ctx, deployment, s->name, s->profile);
	row.kind = TARGET_SLOT;
	row.role = role_of(s->role);
	row.parameters = parameters_json(ctx->a, s->parameters, s->parameter_count);
	row.credential_pattern = s->credential;
	row.common_name = s->common_name;
	row.sans = texts_json(ctx->a, s->sans);
	row.authority_id = authority.id;
	row.key_source = s->key_source && text_equal(s->key_source, "keeper") ? KEY_SOURCE_KEEPER : KEY_SOURCE_AGENT;
	row.key_type = s->key_type ? s->key_type : "ec-p256";
	row.leaf_ttl = s->ttl;
	return template_add(ctx, &row, path, e);
}

static troth_rc store_add(struct verb_ctx *ctx, const struct deployment_row *deployment, const struct store_template *s, const char *path,
			  struct troth_err *e)
{
	struct checker c = { ctx->a, e };
	struct bundle_row bundle;
	if (rc_failed(bundle_row_by_name(ctx->tx, ctx->a, s->bundle, &bundle, NULL)) || !record_in_scope(ctx->who, s->bundle)) {
		check_fail(&c, arena_printf(ctx->a, "%s.bundle", path), "not-found",
			   arena_printf(ctx->a, "there is no bundle %s", s->bundle), "create it first: troth bundle create");
		return RC_OK;
	}
	struct template_row row = template_base(ctx, deployment, s->name, s->profile);
	row.kind = TARGET_STORE;
	row.parameters = parameters_json(ctx->a, s->parameters, s->parameter_count);
	row.bundle_id = bundle.id;
	return template_add(ctx, &row, path, e);
}

static troth_rc templates_add(struct verb_ctx *ctx, const struct deployment_row *deployment, const struct templates *in,
			      struct troth_err *e)
{
	for (size_t i = 0; i < in->slot_count; i++)
		TRY(slot_add(ctx, deployment, &in->slots[i], slot_path(ctx->a, in, i), e));
	for (size_t i = 0; i < in->store_count; i++)
		TRY(store_add(ctx, deployment, &in->stores[i], store_path(ctx->a, in, i), e));
	return check_done(e);
}

/* -- verbs ------------------------------------------------------------------------------------------- */
static troth_rc record_deployment(struct verb_ctx *ctx, const char *action, const struct deployment_view *v, struct troth_err *e)
{
	struct record r;
	record_begin(&r);
	jw_kv_text(&r.w, "id", v->row.uuid);
	if (v->row.party == PARTY_EXTERNAL) {
		jw_kv_bool(&r.w, "external", true);
		jw_kv_int(&r.w, "grace_s", v->row.grace / MSEC_S);
	}
	if (v->row.ephemeral) {
		jw_kv_int(&r.w, "lease_s", v->row.lease / MSEC_S);
		jw_kv_bool(&r.w, "ignored", v->row.ignored);
	}
	jw_key(&r.w, "templates");
	jw_array(&r.w);
	for (size_t i = 0; i < v->template_count; i++)
		jw_text(&r.w, v->templates[i].row.name);
	jw_array_end(&r.w);
	return record_change(ctx, &(struct change){ .action = action, .object = v->row.name, .after = record_end(&r, ctx->a) }, e);
}

static troth_rc create_run(struct verb_ctx *ctx, const void *arg, void *out, struct troth_err *e)
{
	const struct deployment_create_cmd *cmd = arg;
	struct deployment_ret *ret = out;
	struct templates in = of_create(cmd);
	deployment_create_check(ctx->a, cmd, e);
	TRY(check_done(e));
	TRY(principal_in_scope(ctx->who, cmd->name, e));
	struct deployment_row row = { .uuid = verb_uuid_text(ctx), .name = cmd->name, .rev = 1, .created = ctx->now, .ephemeral = cmd->ephemeral,
				      .ignored = cmd->ignore, .lease = cmd->ttl,
				      .party = cmd->external ? PARTY_EXTERNAL : PARTY_AGENT };
	if (cmd->external && !cmd->no_grace)
		row.grace = cmd->grace ? cmd->grace : LIMIT_BINDING_GRACE_S * MSEC_S;
	TRY(deployment_row_insert(ctx->tx, &row, e));
	TRY(templates_add(ctx, &row, &in, e));
	TRY(deployment_row_get(ctx->tx, ctx->a, row.id, &row, e));
	TRY(deployment_view_load(ctx, &row, &ret->deployment, e));
	return record_deployment(ctx, "deployment.create", &ret->deployment, e);
}

static troth_rc extend_run(struct verb_ctx *ctx, const void *arg, void *out, struct troth_err *e)
{
	const struct deployment_extend_cmd *cmd = arg;
	struct deployment_ret *ret = out;
	struct templates in = of_extend(cmd);
	struct deployment_row row;
	deployment_extend_check(ctx->a, cmd, e);
	TRY(check_done(e));
	TRY(deployment_find(ctx, cmd->id, &row, e));
	check_party(&(struct checker){ ctx->a, e }, &in, row.party == PARTY_EXTERNAL);
	TRY(check_done(e));
	TRY(record_if_match(ctx, row.name, row.rev, e));
	TRY(templates_add(ctx, &row, &in, e));
	row.rev++;
	TRY(deployment_row_update(ctx->tx, &row, e));
	TRY(deployment_view_load(ctx, &row, &ret->deployment, e));
	ENSURE(ret->deployment.template_count <= LIMIT_TARGETS_PER_INSTANCE, e, TROTH_TOO_LARGE,
	       "%s would have %zu templates; an instance carries at most %d targets", row.name,
	       ret->deployment.template_count, LIMIT_TARGETS_PER_INSTANCE);
	return record_deployment(ctx, "deployment.extend", &ret->deployment, e);
}

static troth_rc delete_run(struct verb_ctx *ctx, const void *arg, void *out, struct troth_err *e)
{
	const struct id_cmd *cmd = arg;
	struct deployment_row row;
	struct deployment_view view;
	TRY(deployment_find(ctx, cmd->id, &row, e));
	TRY(record_if_match(ctx, row.name, row.rev, e));
	TRY(deployment_view_load(ctx, &row, &view, e));
	if (view.instance_count) {
		troth_rc rc = err_set(e, TROTH_CONFLICT, "%s has %zu instance%s", row.name, view.instance_count, view.instance_count == 1 ? "" : "s");
		err_hint(e, "delete them first: troth instance list --deployment %s", row.name);
		err_object(e, "%s", row.name);
		return rc;
	}
	TRY(deployment_row_delete(ctx->tx, row.id, e));
	verb_changed(ctx, CHANGED_DEPLOYMENT, row.id);
	return record_deployment(ctx, "deployment.delete", &view, e);
}

static troth_rc list_one(struct verb_ctx *ctx, const char *name, struct deployment_list_ret *ret, struct troth_err *e)
{
	struct deployment_row row;
	if (rc_failed(deployment_row_by_name(ctx->tx, ctx->a, name, &row, NULL)) || !record_in_scope(ctx->who, name))
		return RC_OK;
	ret->items = ARENA_NEW(ctx->a, struct deployment_view);
	ret->count = 1;
	return deployment_view_load(ctx, &row, ret->items, e);
}

static troth_rc list_run(struct verb_ctx *ctx, const void *arg, void *out, struct troth_err *e)
{
	const struct list_cmd *cmd = arg;
	struct deployment_list_ret *ret = out;
	struct deployment_row *rows;
	size_t n;
	if (cmd->name)
		return list_one(ctx, cmd->name, ret, e);
	TRY(deployment_row_list(ctx->tx, ctx->a, cmd->page, &rows, &n, e));
	ret->items = ARENA_ARRAY(ctx->a, struct deployment_view, n);
	ret->next = record_next(cmd->page, n, n ? rows[n - 1].id : 0);
	for (size_t i = 0; i < n; i++)
		if (record_in_scope(ctx->who, rows[i].name) && party_has_instances(rows[i].party))
			TRY(deployment_view_load(ctx, &rows[i], &ret->items[ret->count++], e));
	return RC_OK;
}

static troth_rc show_run(struct verb_ctx *ctx, const void *arg, void *out, struct troth_err *e)
{
	const struct id_cmd *cmd = arg;
	struct deployment_ret *ret = out;
	struct deployment_row row;
	TRY(deployment_find(ctx, cmd->id, &row, e));
	return deployment_view_load(ctx, &row, &ret->deployment, e);
}

const struct verb VERB_DEPLOYMENT_CREATE = { "deployment.create", VERB_WRITE, ROLES_CHANGE, sizeof(struct deployment_create_cmd),
					     sizeof(struct deployment_ret), NULL, create_run };
const struct verb VERB_DEPLOYMENT_EXTEND = { "deployment.extend", VERB_WRITE, ROLES_CHANGE, sizeof(struct deployment_extend_cmd),
					     sizeof(struct deployment_ret), NULL, extend_run };
const struct verb VERB_DEPLOYMENT_LIST = { "deployment.list", VERB_READ, ROLES_READ, sizeof(struct list_cmd),
					   sizeof(struct deployment_list_ret), NULL, list_run };
const struct verb VERB_DEPLOYMENT_SHOW = { "deployment.show", VERB_READ, ROLES_READ, sizeof(struct id_cmd),
					   sizeof(struct deployment_ret), NULL, show_run };
const struct verb VERB_DEPLOYMENT_DELETE = { "deployment.delete", VERB_WRITE, ROLES_CHANGE, sizeof(struct id_cmd),
					     sizeof(struct no_ret), NULL, delete_run };
