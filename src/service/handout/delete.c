/* Deleting a credential.  See delete.h. */
#include "service/handout/delete.h"

#include "model/name.h"
#include "service/handout/lookup.h"
#include "service/record.h"

static troth_rc refuse_needed(const struct credential_row *c, const char *who, const char *what, struct troth_err *e)
{
	troth_rc rc = err_set(e, TROTH_CONFLICT, "%s is needed: %s %s", c->name, who, what);
	err_hint(e, "delete or change that first");
	err_object(e, "%s", c->name);
	return rc;
}

static troth_rc check_slots(struct verb_ctx *ctx, const struct credential_row *c, struct troth_err *e)
{
	struct target_row *targets;
	size_t n;
	TRY(target_row_list_credential(ctx->tx, ctx->a, c->id, &targets, &n, e));
	for (size_t i = 0; i < n; i++) {
		struct instance_row instance;
		if (targets[i].state == TARGET_LEFT)
			continue;
		TRY(instance_row_get(ctx->tx, ctx->a, targets[i].instance_id, &instance, e));
		return refuse_needed(c, instance.name, "serves it", e);
	}
	return RC_OK;
}

static troth_rc check_templates(struct verb_ctx *ctx, const struct credential_row *c, struct troth_err *e)
{
	struct template_row *templates;
	size_t n;
	TRY(template_row_list_authority(ctx->tx, ctx->a, c->id, &templates, &n, e));
	for (size_t i = 0; i < n; i++) {
		struct deployment_row deployment;
		if (templates[i].party == PARTY_HOLDER)
			continue; /* a group of those who took certificates: it stays, empty or not */
		TRY(deployment_row_get(ctx->tx, ctx->a, templates[i].deployment_id, &deployment, e));
		return refuse_needed(c, deployment.name, "has slots that it signs for", e);
	}
	return RC_OK;
}

static troth_rc check_authority(struct verb_ctx *ctx, const struct credential_row *c, struct troth_err *e)
{
	struct credential_row *below;
	struct bundle_member_row *members;
	struct bundle_row bundle;
	struct rotation_row *rotations;
	size_t n;
	TRY(credential_row_list_issuer(ctx->tx, ctx->a, c->id, PAGE_FIRST, &below, &n, e));
	if (n)
		return refuse_needed(c, below[0].name, "is signed by it", e);
	TRY(bundle_member_row_list_authority(ctx->tx, ctx->a, c->id, &members, &n, e));
	if (n) {
		TRY(bundle_row_get(ctx->tx, ctx->a, members[0].bundle_id, &bundle, e));
		return refuse_needed(c, bundle.name, "is a bundle that contains it", e);
	}
	TRY(rotation_row_list_open(ctx->tx, ctx->a, &rotations, &n, e));
	for (size_t i = 0; i < n; i++)
		if (rotations[i].credential_id == c->id)
			return refuse_needed(c, rotations[i].uuid, "is its rotation, and runs", e);
	return check_templates(ctx, c, e);
}

/* Nothing of it falls due any more. */
static troth_rc end_versions(struct verb_ctx *ctx, const struct credential_row *c, struct troth_err *e)
{
	struct version_row *versions;
	size_t n;
	TRY(version_row_list_recent(ctx->tx, ctx->a, c->id, LIMIT_VERSIONS_LIVE, &versions, &n, e)); /* no older one is wanted, so none is due */
	for (size_t i = 0; i < n; i++) {
		versions[i].renew_at = versions[i].renew_latest = 0;
		TRY(version_row_update(ctx->tx, &versions[i], e));
	}
	return RC_OK;
}

static troth_rc delete_run(struct verb_ctx *ctx, const void *arg, void *out, struct troth_err *e)
{
	const struct delete_cmd *cmd = arg;
	struct credential_row c;
	struct record r;
	TRY(lookup_find(ctx, cmd->name, NULL, &c, e));
	ENSURE(!name_is_reserved(c.name), e, TROTH_UNSAFE, "%s is troth's own and cannot be deleted", c.name);
	TRY(check_slots(ctx, &c, e));
	if (c.kind == CREDENTIAL_AUTHORITY)
		TRY(check_authority(ctx, &c, e));
	TRY(end_versions(ctx, &c, e));
	c.retired = ctx->now;
	c.rev++;
	TRY(credential_row_update(ctx->tx, &c, e));
	verb_changed(ctx, CHANGED_CREDENTIAL, c.id);
	record_begin(&r);
	jw_kv_text(&r.w, "id", c.uuid);
	return record_change(ctx, &(struct change){ .action = "credential.delete", .object = c.name, .before = record_end(&r, ctx->a) }, e);
}

const struct verb VERB_CREDENTIAL_DELETE = { "credential.delete", VERB_WRITE, ROLES_CHANGE, sizeof(struct delete_cmd),
					     sizeof(struct no_ret), NULL, delete_run, RIGHT_DELETE };
