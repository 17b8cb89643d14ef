/* Holders outside the fleet.  See holder.h. */
#include "service/outside/holder.h"

#include "service/check.h"
#include "service/inside.h"
#include "service/fleet/meet.h"
#include "service/record.h"

/* -- who could sign ------------------------------------------------------------------------------ */

static troth_rc present_issuer(struct verb_ctx *ctx, const struct credential_row *leaf, int64_t *ret, struct troth_err *e)
{
	struct version_row present;
	*ret = 0;
	if (!leaf->signing_version)
		return RC_OK;
	TRY(version_row_get(ctx->tx, ctx->a, leaf->signing_version, &present, e));
	*ret = present.signed_by;
	return RC_OK;
}

troth_rc holder_signers(struct verb_ctx *ctx, const struct credential_row *leaf, struct signer **ret, size_t *ret_count,
			struct troth_err *e)
{
	struct version_row *versions;
	size_t n, kept = 0;
	int64_t present;
	TRY(present_issuer(ctx, leaf, &present, e));
	TRY(version_row_list_signers(ctx->tx, ctx->a, leaf->issuer_id, present, &versions, &n, e));
	*ret = ARENA_ARRAY(ctx->a, struct signer, n + 1);
	for (size_t i = 0; i < n; i++)
		if (versions[i].key_blob.len && !versions[i].distrusted)
			TRY(signer_load_version(ctx->tx, ctx->a, versions[i].id, &(*ret)[kept++], e));
	*ret_count = kept;
	return kept ? RC_OK : signer_load(ctx->tx, ctx->a, leaf->issuer_id, *ret, e);
}

/* -- its rows ---------------------------------------------------------------------------------------- */

static troth_rc holders_need(struct verb_ctx *ctx, struct deployment_row *ret, struct troth_err *e)
{
	if (rc_ok(deployment_row_by_name(ctx->tx, ctx->a, HOLDERS_DEPLOYMENT, ret, NULL)))
		return RC_OK;
	*ret = (struct deployment_row){ .uuid = verb_uuid_text(ctx), .name = HOLDERS_DEPLOYMENT, .party = PARTY_HOLDER, .rev = 1,
					.created = ctx->now };
	return deployment_row_insert(ctx->tx, ret, e);
}

static enum target_role role_of(const struct credential_spec *spec)
{
	unsigned both = EKU_SERVER | EKU_CLIENT;
	return (spec->eku & both) == both ? TARGET_BOTH : spec->eku & EKU_CLIENT ? TARGET_CLIENT : TARGET_SERVER;
}

/* The group of all that have a certificate of this authority in this role. */
static troth_rc group_need(struct verb_ctx *ctx, const struct credential_row *leaf, struct template_row *ret, struct troth_err *e)
{
	struct deployment_row holders;
	struct credential_spec spec;
	struct credential_row authority;
	TRY(holders_need(ctx, &holders, e));
	TRY(credential_spec_read(ctx->a, leaf->spec, &spec, e));
	TRY(credential_row_get(ctx->tx, ctx->a, leaf->issuer_id, &authority, e));
	enum target_role role = role_of(&spec);
	const char *name = arena_printf(ctx->a, "%s %s", authority.name, TARGET_ROLE_NAMES[role]);
	if (rc_ok(template_row_by_name(ctx->tx, ctx->a, holders.id, name, ret, NULL)) && ret->authority_id != authority.id)
		name = arena_printf(ctx->a, "%s %s", name, authority.uuid); /* of one that was deleted: its holders may show what they have */
	if (rc_ok(template_row_by_name(ctx->tx, ctx->a, holders.id, name, ret, NULL)))
		return RC_OK;
	*ret = (struct template_row){ .uuid = verb_uuid_text(ctx), .deployment_id = holders.id, .kind = TARGET_SLOT,
				      .party = PARTY_HOLDER, .name = name, .profile = "holder", .role = role,
				      .authority_id = authority.id, .atomic = true, .created = ctx->now };
	TRY(template_row_insert(ctx->tx, ret, e));
	verb_changed(ctx, CHANGED_TEMPLATE, ret->id);
	return meet_template_added(ctx, ret, e);
}

/* Everything that was handed out under a name: one target for each authority that signed it.  There is one, unless a credential was
 * deleted and its name given to another. */
static troth_rc targets_by_name(struct verb_ctx *ctx, const char *name, int64_t *ret_instance, struct target_row **ret, size_t *ret_count,
				struct troth_err *e)
{
	struct deployment_row holders;
	struct instance_row instance;
	*ret_instance = 0;
	*ret_count = 0;
	if (rc_failed(deployment_row_by_name(ctx->tx, ctx->a, HOLDERS_DEPLOYMENT, &holders, NULL)) ||
	    rc_failed(instance_row_by_name(ctx->tx, ctx->a, holders.id, name, &instance, NULL)))
		return RC_OK;
	*ret_instance = instance.id;
	return target_row_list_instance(ctx->tx, ctx->a, instance.id, ret, ret_count, e);
}

/* The target of this leaf; id 0: there is none. */
static troth_rc target_find(struct verb_ctx *ctx, const struct credential_row *leaf, struct target_row *ret, struct troth_err *e)
{
	struct target_row *rows;
	size_t n;
	int64_t instance;
	*ret = (struct target_row){ 0 };
	TRY(targets_by_name(ctx, leaf->name, &instance, &rows, &n, e));
	for (size_t i = 0; i < n && !ret->id; i++) {
		struct template_row group;
		TRY(template_row_get(ctx->tx, ctx->a, rows[i].template_id, &group, e));
		if (group.authority_id == leaf->issuer_id)
			*ret = rows[i];
	}
	return RC_OK;
}

static troth_rc instance_make(struct verb_ctx *ctx, const char *name, int64_t deployment_id, int64_t *ret_id, struct troth_err *e)
{
	struct instance_row row = { .uuid = verb_uuid_text(ctx), .deployment_id = deployment_id, .name = name, .state = INSTANCE_ACTIVE,
				    .session = 1, .session_opened = ctx->now, .last_seen = ctx->now, .alive_until = ALIVE_ALWAYS,
				    .created = ctx->now };
	TRY(instance_row_insert(ctx->tx, &row, e));
	verb_changed(ctx, CHANGED_INSTANCE, row.id);
	*ret_id = row.id;
	return RC_OK;
}

/* Who comes for the first time holds nothing yet. */
static troth_rc target_need(struct verb_ctx *ctx, const struct credential_row *leaf, struct target_row *ret, struct troth_err *e)
{
	struct template_row group;
	struct target_row *others;
	int64_t instance;
	size_t n;
	TRY(target_find(ctx, leaf, ret, e));
	if (ret->id)
		return RC_OK;
	TRY(group_need(ctx, leaf, &group, e));
	TRY(targets_by_name(ctx, leaf->name, &instance, &others, &n, e));
	if (!instance)
		TRY(instance_make(ctx, leaf->name, group.deployment_id, &instance, e));
	*ret = (struct target_row){ .uuid = verb_uuid_text(ctx), .instance_id = instance, .template_id = group.id, .state = TARGET_LEFT,
				    .next_generation = 1, .base_known = true, .created = ctx->now };
	return target_row_insert(ctx->tx, ret, e);
}

/* -- rule 1b ------------------------------------------------------------------------------------------- */

static troth_rc no_signer(const struct credential_row *authority, struct troth_err *e)
{
	troth_rc rc = err_set(e, TROTH_CONFLICT, "%s has no version that can sign now", authority->name);
	err_hint(e, "troth explain %s says why; troth rotate %s makes a new version", authority->name, authority->name);
	err_object(e, "%s", authority->name);
	return rc;
}

troth_rc holder_choose(struct verb_ctx *ctx, const struct credential_row *leaf, int64_t *ret_version, struct troth_err *e)
{
	struct template_row group;
	struct target_row target;
	struct credential_row authority;
	TRY(group_need(ctx, leaf, &group, e));
	TRY(target_find(ctx, leaf, &target, e));
	TRY(credential_row_get(ctx->tx, ctx->a, leaf->issuer_id, &authority, e));
	TRY(verb_apply_changes(ctx, e));
	view_clock(ctx->svc->view, ctx->now);
	*ret_version = view_signer(ctx->svc->view, target.id, group.id, authority.id);
	return *ret_version ? RC_OK : no_signer(&authority, e);
}

/* -- taking ------------------------------------------------------------------------------------------------ */

/* What the same version signed and ends no later than the new one says nothing that the new one does not. */
static troth_rc is_dominated(struct verb_ctx *ctx, const struct document_row *d, const struct version_row *by, bool *ret,
			     struct troth_err *e)
{
	struct version_row old;
	struct cert_row mine, theirs;
	TRY(version_row_get(ctx->tx, ctx->a, d->version_id, &old, e));
	TRY(cert_row_get(ctx->tx, ctx->a, old.cert_id, &mine, e));
	TRY(cert_row_get(ctx->tx, ctx->a, by->cert_id, &theirs, e));
	*ret = old.signed_by == by->signed_by && mine.not_after <= theirs.not_after;
	return RC_OK;
}

static troth_rc drop_dominated(struct verb_ctx *ctx, int64_t target_id, const struct version_row *by, struct troth_err *e)
{
	struct document_row *pending;
	size_t n;
	TRY(document_row_list_pending(ctx->tx, ctx->a, target_id, &pending, &n, e));
	for (size_t i = 0; i < n; i++) {
		bool dominated;
		TRY(is_dominated(ctx, &pending[i], by, &dominated, e));
		if (!dominated)
			continue;
		pending[i].state = DOCUMENT_SETTLED;
		TRY(document_row_update(ctx->tx, &pending[i], e));
	}
	return RC_OK;
}

static troth_rc document_add(struct verb_ctx *ctx, struct target_row *t, const struct version_row *version, struct troth_err *e)
{
	struct content_row content = { .kind = CONTENT_CHAIN, .version_id = version->id };
	TRY(issue_chain(ctx->tx, ctx->a, version, &content.certs, e));
	TRY(content_row_put(ctx->tx, &content, e));
	verb_changed(ctx, CHANGED_CONTENT, content.id);
	struct document_row d = { .target_id = t->id, .generation = t->next_generation++, .content_id = content.id,
				  .version_id = version->id, .state = DOCUMENT_PENDING, .session = 1, .created = ctx->now,
				  .handed_at = ctx->now };
	return document_row_insert(ctx->tx, &d, e);
}

troth_rc holder_take(struct verb_ctx *ctx, const struct credential_row *leaf, const struct version_row *version,
		     struct troth_err *e)
{
	struct target_row t;
	TRY(target_need(ctx, leaf, &t, e));
	if (t.state != TARGET_COUNTED) { /* new, waived or gone: what it had before does not come back */
		TRY(document_row_void(ctx->tx, t.id, e));
		t.state = TARGET_COUNTED;
		t.left_at = 0;
	}
	TRY(drop_dominated(ctx, t.id, version, e));
	TRY(document_add(ctx, &t, version, e));
	t.level = LEVEL_SENT;
	t.level_generation = t.next_generation - 1;
	t.seen_at = ctx->now;
	TRY(target_row_update(ctx->tx, &t, e));
	verb_changed(ctx, CHANGED_TARGET, t.id);
	return RC_OK;
}

troth_rc holder_holds(struct verb_ctx *ctx, const struct credential_row *leaf, int64_t version_id, bool *ret, struct troth_err *e)
{
	struct target_row t;
	struct document_row *pending;
	size_t n;
	*ret = false;
	TRY(target_find(ctx, leaf, &t, e));
	if (!t.id || t.state != TARGET_COUNTED)
		return RC_OK;
	TRY(document_row_list_pending(ctx->tx, ctx->a, t.id, &pending, &n, e));
	for (size_t i = 0; i < n; i++)
		*ret = *ret || pending[i].version_id == version_id;
	return RC_OK;
}

troth_rc holder_left_behind(struct verb_ctx *ctx, int64_t authority, struct credential_row **ret, size_t *ret_count, struct troth_err *e)
{
	struct credential_row *rows;
	size_t n;
	*ret_count = 0;
	TRY(credential_row_list_deleted(ctx->tx, ctx->a, authority, PAGE_ALL, &rows, &n, e));
	for (size_t i = 0; i < n; i++) {
		bool holds = false;
		if (rows[i].kind == CREDENTIAL_LEAF && rows[i].signing_version)
			TRY(holder_holds(ctx, &rows[i], rows[i].signing_version, &holds, e));
		if (holds)
			rows[(*ret_count)++] = rows[i];
	}
	*ret = rows;
	return RC_OK;
}

troth_rc holder_vouch(struct verb_ctx *ctx, const struct credential_row *leaf, size_t *ret_count, struct troth_err *e)
{
	struct target_row t;
	struct document_row *pending;
	size_t n;
	*ret_count = 0;
	TRY(target_find(ctx, leaf, &t, e));
	if (!t.id || t.state != TARGET_COUNTED)
		return RC_OK;
	TRY(document_row_list_pending(ctx->tx, ctx->a, t.id, &pending, &n, e));
	for (; *ret_count + 1 < n; (*ret_count)++) {
		pending[*ret_count].state = DOCUMENT_SETTLED;
		TRY(document_row_update(ctx->tx, &pending[*ret_count], e));
	}
	t.seen_at = ctx->now;
	TRY(target_row_update(ctx->tx, &t, e));
	verb_changed(ctx, CHANGED_TARGET, t.id);
	return RC_OK;
}

troth_rc holder_waive(struct verb_ctx *ctx, const char *name, struct troth_err *e)
{
	struct target_row *rows;
	size_t n;
	int64_t instance;
	TRY(targets_by_name(ctx, name, &instance, &rows, &n, e));
	for (size_t i = 0; i < n; i++) {
		if (rows[i].state != TARGET_COUNTED)
			continue;
		rows[i].state = TARGET_WAIVED;
		TRY(target_row_update(ctx->tx, &rows[i], e));
		verb_changed(ctx, CHANGED_TARGET, rows[i].id);
	}
	return RC_OK;
}

/* -- vouching ------------------------------------------------------------------------------------------------ */

static bool is_gone(const struct attest_cmd *cmd)
{
	return text_equal(cmd->reason, "gone");
}

void attest_check(struct arena *a, const struct attest_cmd *cmd, struct troth_err *e)
{
	struct checker c = { a, e };
	if (check_present(&c, "$.replaced", cmd->reason) && !text_equal(cmd->reason, "renewed") && !is_gone(cmd))
		check_fail(&c, "$.replaced", "reason", "is not a reason",
			   "renewed: only the newest certificate is in use; gone: none of them is");
}

static troth_rc leaf_find(struct verb_ctx *ctx, const char *id, struct credential_row *ret, struct target_row *ret_target,
			  struct troth_err *e)
{
	TRY(record_uuid("credential", id, e));
	TRY(credential_row_by_uuid(ctx->tx, ctx->a, id, ret, e));
	TRY(record_visible(ctx->who, "credential", ret->name, e));
	TRY(target_find(ctx, ret, ret_target, e));
	if (ret_target->id && ret_target->state == TARGET_COUNTED)
		return RC_OK;
	troth_rc rc = err_set(e, TROTH_NOT_FOUND, "nobody outside the fleet holds a certificate of %s", ret->name);
	err_hint(e, "its slots report for themselves: troth explain %s", ret->name);
	err_object(e, "%s", ret->name);
	return rc;
}

static troth_rc nothing_newer(const struct credential_row *leaf, struct troth_err *e)
{
	troth_rc rc = err_set(e, TROTH_CONFLICT, "only one certificate of %s was taken: nothing replaced it", leaf->name);
	err_hint(e, "take a new one first, as the first was taken (renew it with a request, regenerate it, bring the next); or, if nobody uses it: "
		    "--replaced gone");
	err_object(e, "%s", leaf->name);
	return rc;
}

/* Only the newest counts; all before it are as if never handed out. */
static troth_rc settle_newest(struct verb_ctx *ctx, const struct credential_row *leaf, const struct target_row *t,
			      struct attest_ret *ret, struct troth_err *e)
{
	struct document_row *pending;
	struct version_row version;
	size_t n;
	TRY(document_row_list_pending(ctx->tx, ctx->a, t->id, &pending, &n, e));
	if (n < 2 && t->next_generation <= 2)
		return nothing_newer(leaf, e);
	for (size_t i = 0; i + 1 < n; i++) {
		pending[i].state = DOCUMENT_SETTLED;
		TRY(document_row_update(ctx->tx, &pending[i], e));
		ret->replaced++;
	}
	TRY(version_row_get(ctx->tx, ctx->a, pending[n - 1].version_id, &version, e));
	ret->version = version.uuid;
	return RC_OK;
}

static troth_rc leave(struct verb_ctx *ctx, struct target_row *t, struct attest_ret *ret, struct troth_err *e)
{
	struct document_row *pending;
	size_t n;
	TRY(document_row_list_pending(ctx->tx, ctx->a, t->id, &pending, &n, e));
	TRY(document_row_void(ctx->tx, t->id, e));
	ret->replaced = (int64_t)n;
	t->state = TARGET_LEFT;
	t->left_at = ctx->now;
	return RC_OK;
}

static troth_rc attest_run(struct verb_ctx *ctx, const void *arg, void *out, struct troth_err *e)
{
	const struct attest_cmd *cmd = arg;
	struct attest_ret *ret = out;
	struct credential_row leaf;
	struct target_row t;
	struct record r;
	attest_check(ctx->a, cmd, e);
	TRY(check_done(e));
	TRY(leaf_find(ctx, cmd->id, &leaf, &t, e));
	TRY(is_gone(cmd) ? leave(ctx, &t, ret, e) : settle_newest(ctx, &leaf, &t, ret, e));
	t.seen_at = ctx->now;
	TRY(target_row_update(ctx->tx, &t, e));
	verb_changed(ctx, CHANGED_TARGET, t.id);
	ret->name = leaf.name;
	ret->reason = cmd->reason;
	record_begin(&r);
	jw_kv_text(&r.w, "replaced", cmd->reason);
	jw_kv_text(&r.w, "version", ret->version);
	jw_kv_int(&r.w, "count", ret->replaced);
	return record_change(ctx, &(struct change){ .action = "credential.attest", .object = leaf.name,
						    .after = record_end(&r, ctx->a) }, e);
}

const struct verb VERB_CREDENTIAL_ATTEST = {
	.name = "credential.attest", .kind = VERB_WRITE, .roles = ROLES_CHANGE,
	.cmd_size = sizeof(struct attest_cmd), .ret_size = sizeof(struct attest_ret), .run = attest_run,
};
