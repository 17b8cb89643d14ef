/* The whole picture, as rows say it.  See topology.h.
 *
 * Stores are counted by template (one query each), never one by one: a CA may be in ten thousand of them.
 * A deployment outside the principal's scope is not shown, as everywhere. */
#include "service/fleet/topology.h"

#include "service/ca/credential.h"
#include "service/outside/holder.h"
#include "service/record.h"

struct uses { struct topology_use *items; size_t count, cap; };

static void add_use(struct arena *a, struct uses *u, struct topology_use use)
{
	if (u->count == u->cap) {
		struct topology_use *more = ARENA_ARRAY(a, struct topology_use, u->cap ? 2 * u->cap : 4);
		if (u->count)
			memcpy(more, u->items, u->count * sizeof *more);
		u->items = more;
		u->cap = u->cap ? 2 * u->cap : 4;
	}
	u->items[u->count++] = use;
}

/* -- how long a chain lasts ------------------------------------------------------------------------------ */
static void shorten(struct topology_version *v, msec_t not_after, const char *whose)
{
	if (v->chain_not_after && v->chain_not_after <= not_after)
		return;
	v->chain_not_after = not_after;
	v->chain_ends = whose;
}

/* An uploaded chain is what its owner sent, with the CA that anchors it. */
static troth_rc shorten_by_upload(struct verb_ctx *ctx, struct topology_version *v, struct troth_err *e)
{
	struct content_row *chains;
	struct cert_row cert;
	size_t n;
	TRY(content_row_list_version(ctx->tx, ctx->a, v->view.row.id, &chains, &n, e));
	for (size_t i = 0; i < n; i++)
		for (size_t k = 1; k < chains[i].certs.count; k++) {
			TRY(cert_row_get(ctx->tx, ctx->a, chains[i].certs.items[k], &cert, e));
			shorten(v, cert.not_after, cert.subject);
		}
	if (!v->view.row.anchor_cert)
		return RC_OK;
	TRY(cert_row_get(ctx->tx, ctx->a, v->view.row.anchor_cert, &cert, e));
	shorten(v, cert.not_after, cert.subject);
	return RC_OK;
}

static troth_rc find_end(struct verb_ctx *ctx, const char *name, struct topology_version *v, struct troth_err *e)
{
	struct version_row at = v->view.row;
	shorten(v, v->view.cert.not_after, name);
	for (int depth = 0; at.signed_by && depth < LIMIT_CHAIN_CERTS; depth++) {
		struct cert_row cert;
		struct credential_row owner;
		TRY(version_row_get(ctx->tx, ctx->a, at.signed_by, &at, e));
		TRY(cert_row_get(ctx->tx, ctx->a, at.cert_id, &cert, e));
		TRY(credential_row_get(ctx->tx, ctx->a, at.credential_id, &owner, e));
		shorten(v, cert.not_after, owner.name);
	}
	return v->view.row.source == VERSION_UPLOADED ? shorten_by_upload(ctx, v, e) : RC_OK;
}

/* -- who has it ---------------------------------------------------------------------------------------------- */
static troth_rc set_has(struct verb_ctx *ctx, int64_t content_id, int64_t cert_id, bool *ret, struct troth_err *e)
{
	struct content_row content;
	*ret = false;
	if (!content_id)
		return RC_OK;
	TRY(content_row_get(ctx->tx, ctx->a, content_id, &content, e));
	for (size_t i = 0; i < content.certs.count && !*ret; i++)
		*ret = content.certs.items[i] == cert_id;
	return RC_OK;
}

/* The stores of one template: a line if any of them holds the version's certificate, or is meant to. */
static troth_rc add_stores(struct verb_ctx *ctx, const struct template_row *template, const struct version_row *v, struct uses *u,
			   struct troth_err *e)
{
	struct deployment_row deployment;
	struct holding_row *rows;
	size_t n;
	struct topology_use use = { .target = template->name, .kind = template->kind, .party = template->party };
	TRY(deployment_row_get(ctx->tx, ctx->a, template->deployment_id, &deployment, e));
	if (!record_in_scope(ctx->who, template->party == PARTY_BINDING ? template->name : deployment.name)) /* a binding's is its bundle's */
		return RC_OK;
	use.deployment = deployment.name;
	TRY(target_row_list_holdings(ctx->tx, ctx->a, template->id, &rows, &n, e));
	for (size_t i = 0; i < n; i++) {
		bool has;
		TRY(set_has(ctx, rows[i].content_id, v->cert_id, &has, e));
		use.members += has ? rows[i].members : 0;
		use.of += rows[i].members;
	}
	if (use.members || (use.of && v->wanted && !v->retired_at))
		add_use(ctx->a, u, use);
	return RC_OK;
}

static troth_rc find_stores(struct verb_ctx *ctx, const struct credential_row *authority, const struct version_row *v, struct uses *u,
			    struct troth_err *e)
{
	struct bundle_member_row *members;
	size_t n;
	TRY(bundle_member_row_list_authority(ctx->tx, ctx->a, authority->id, &members, &n, e));
	for (size_t i = 0; i < n; i++) {
		struct template_row *templates;
		size_t count;
		TRY(template_row_list_bundle(ctx->tx, ctx->a, members[i].bundle_id, &templates, &count, e));
		for (size_t k = 0; k < count; k++) {
			TRY(record_room(ctx->a, 0, authority->name, e));
			TRY(add_stores(ctx, &templates[k], v, u, e));
		}
	}
	return RC_OK;
}

/* Is a chain of this version what the slot was last seen to serve; is it on its way there? */
static troth_rc slot_has(struct verb_ctx *ctx, const struct target_row *t, const struct version_row *v, bool *ret_served, bool *ret_sent,
			 struct troth_err *e)
{
	struct content_row content = { 0 };
	struct document_row *pending;
	size_t n;
	*ret_sent = false;
	if (t->base_known && t->base_content)
		TRY(content_row_get(ctx->tx, ctx->a, t->base_content, &content, e));
	*ret_served = content.version_id == v->id;
	TRY(document_row_list_pending(ctx->tx, ctx->a, t->id, &pending, &n, e));
	for (size_t i = 0; i < n; i++)
		*ret_sent = *ret_sent || pending[i].version_id == v->id;
	return RC_OK;
}

static troth_rc add_slot(struct verb_ctx *ctx, const struct target_row *t, const struct version_row *v, struct uses *u, struct troth_err *e)
{
	struct instance_row instance;
	struct deployment_row deployment;
	struct template_row template;
	bool served, sent;
	TRY(slot_has(ctx, t, v, &served, &sent, e));
	if (t->state == TARGET_LEFT || (!served && !sent))
		return RC_OK;
	TRY(instance_row_get(ctx->tx, ctx->a, t->instance_id, &instance, e));
	TRY(deployment_row_get(ctx->tx, ctx->a, instance.deployment_id, &deployment, e));
	TRY(template_row_get(ctx->tx, ctx->a, t->template_id, &template, e));
	if (record_in_scope(ctx->who, deployment.name))
		add_use(ctx->a, u, (struct topology_use){ .deployment = deployment.name, .target = template.name, .instance = instance.name,
							  .kind = template.kind, .party = template.party, .members = served, .of = 1 });
	return RC_OK;
}

/* Who took it with a request of his own, and may show it still. */
static troth_rc add_holder(struct verb_ctx *ctx, const struct credential_row *row, const struct version_row *v, struct uses *u,
			   struct troth_err *e)
{
	bool holds;
	TRY(holder_holds(ctx, row, v->id, &holds, e));
	if (holds)
		add_use(ctx->a, u, (struct topology_use){ .instance = row->name, .kind = TARGET_SLOT, .party = PARTY_HOLDER, .members = 1, .of = 1 });
	return RC_OK;
}

static troth_rc find_slots(struct verb_ctx *ctx, const struct credential_row *row, const struct version_row *v, struct uses *u,
			   struct troth_err *e)
{
	struct target_row *targets;
	size_t n;
	TRY(target_row_list_credential(ctx->tx, ctx->a, row->id, &targets, &n, e));
	for (size_t i = 0; i < n; i++) {
		TRY(record_room(ctx->a, 0, row->name, e));
		TRY(add_slot(ctx, &targets[i], v, u, e));
	}
	return add_holder(ctx, row, v, u, e);
}

/* -- one item -------------------------------------------------------------------------------------------------- */
static troth_rc load_version(struct verb_ctx *ctx, const struct credential_row *row, const struct version_view *view,
			     struct topology_version *ret, struct troth_err *e)
{
	struct uses u = { 0 };
	*ret = (struct topology_version){ .view = *view };
	TRY(find_end(ctx, row->name, ret, e));
	TRY(row->kind == CREDENTIAL_AUTHORITY ? find_stores(ctx, row, &view->row, &u, e) : find_slots(ctx, row, &view->row, &u, e));
	ret->uses = u.items;
	ret->use_count = u.count;
	return RC_OK;
}

/* What was replaced and is held nowhere any more is history; a CA when the engine has put it away: before, somebody may have to
 * say yes to that. */
static bool is_history(const struct topology_version *v, enum credential_kind kind)
{
	const struct version_row *row = &v->view.row;
	return !v->use_count && !row->signing && (row->retired_at || (!row->wanted && kind == CREDENTIAL_LEAF));
}

/* Of an authority: does a rotation of it go on, and which of its steps did somebody approve? */
static troth_rc load_rotation(struct verb_ctx *ctx, const struct credential_row *row, struct topology_item *ret, struct troth_err *e)
{
	struct rotation_row *rotations;
	struct approval_row *approvals;
	size_t n, count;
	TRY(rotation_row_list_open(ctx->tx, ctx->a, &rotations, &n, e));
	for (size_t i = 0; i < n; i++) {
		if (rotations[i].credential_id != row->id)
			continue;
		ret->rotating = true;
		TRY(approval_row_list_rotation(ctx->tx, ctx->a, rotations[i].id, &approvals, &count, e));
		ret->approved = (struct json_texts){ ARENA_ARRAY(ctx->a, const char *, count), 0 };
		for (size_t k = 0; k < count; k++)
			ret->approved.items[ret->approved.count++] = APPROVAL_STEP_NAMES[approvals[k].step];
	}
	return RC_OK;
}

static troth_rc load_item(struct verb_ctx *ctx, const struct credential_row *row, bool all, struct topology_item *ret, struct troth_err *e)
{
	TRY(credential_view_load(ctx->tx, ctx->a, row, true, &ret->credential, e));
	if (row->kind == CREDENTIAL_AUTHORITY)
		TRY(load_rotation(ctx, row, ret, e));
	size_t n = ret->credential.version_count, history = 0;
	ret->versions = ARENA_ARRAY(ctx->a, struct topology_version, n);
	for (size_t i = 0; i < n; i++) {
		struct topology_version *v = &ret->versions[ret->version_count];
		TRY(load_version(ctx, row, &ret->credential.versions[i], v, e));
		ret->version_count += !is_history(v, row->kind) || (all && history++ < LIMIT_TOPOLOGY_HISTORY);
	}
	return RC_OK;
}

/* -- above and below a name --------------------------------------------------------------------------------------- */
struct line { int64_t ids[LIMIT_CHAIN_CERTS + 1]; size_t count; }; /* a credential and its issuers, upward */

static troth_rc line_of(struct verb_ctx *ctx, const struct credential_row *row, struct line *ret, struct troth_err *e)
{
	struct credential_row at = *row;
	*ret = (struct line){ { row->id }, 1 };
	while (at.issuer_id && ret->count < ARRAY_LEN(ret->ids)) {
		ret->ids[ret->count++] = at.issuer_id;
		TRY(credential_row_get(ctx->tx, ctx->a, at.issuer_id, &at, e));
	}
	return RC_OK;
}

static bool line_has(const struct line *line, int64_t id)
{
	for (size_t i = 0; i < line->count; i++)
		if (line->ids[i] == id)
			return true;
	return false;
}

static troth_rc find_line(struct verb_ctx *ctx, const char *name, struct line *ret, struct troth_err *e)
{
	struct credential_row row;
	if (rc_ok(credential_row_by_name(ctx->tx, ctx->a, name, &row, NULL)) && record_in_scope(ctx->who, name))
		return line_of(ctx, &row, ret, e);
	troth_rc rc = err_set(e, TROTH_NOT_FOUND, "there is no authority or credential %s", name);
	err_object(e, "%s", name);
	err_hint(e, "troth search finds names by a part of them");
	return rc;
}

static troth_rc is_asked_for(struct verb_ctx *ctx, const struct credential_row *row, const struct line *asked, bool *ret, struct troth_err *e)
{
	struct line own;
	*ret = !row->retired && record_in_scope(ctx->who, row->name);
	if (!*ret || !asked->count || line_has(asked, row->id))
		return RC_OK;
	TRY(line_of(ctx, row, &own, e));
	*ret = line_has(&own, asked->ids[0]);
	return RC_OK;
}

static troth_rc run(struct verb_ctx *ctx, const void *arg, void *out, struct troth_err *e)
{
	const struct topology_cmd *cmd = arg;
	struct topology_ret *ret = out;
	struct line asked = { .count = 0 };
	struct credential_row *rows;
	size_t n;
	if (cmd->name)
		TRY(find_line(ctx, cmd->name, &asked, e));
	TRY(credential_row_list(ctx->tx, ctx->a, cmd->page, &rows, &n, e));
	ret->items = ARENA_ARRAY(ctx->a, struct topology_item, n);
	ret->next = record_next(cmd->page, n, n ? rows[n - 1].id : 0);
	for (size_t i = 0; i < n; i++) {
		bool wanted;
		TRY(is_asked_for(ctx, &rows[i], &asked, &wanted, e));
		if (wanted)
			TRY(load_item(ctx, &rows[i], cmd->all, &ret->items[ret->count++], e));
	}
	return RC_OK;
}

const struct verb VERB_TOPOLOGY = { "topology", VERB_READ, ROLES_READ, sizeof(struct topology_cmd), sizeof(struct topology_ret), NULL, run };
