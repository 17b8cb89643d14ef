/* From a signature to a staged chain.  See issue_slot.h. */
#include "service/ca/issue_slot.h"

#include "service/record.h"

troth_rc slot_issue_load(struct verb_ctx *ctx, struct slot_issue *io, struct troth_err *e)
{
	TRY(credential_row_get(ctx->tx, ctx->a, io->target.credential_id, &io->credential, e));
	return signer_load_version(ctx->tx, ctx->a, io->target.csr_ca, &io->signer, e);
}

static troth_rc stage_chain(struct verb_ctx *ctx, const struct slot_issue *io, const char *request,
			    const struct version_row *version, struct troth_err *e)
{
	struct content_row content = { .kind = CONTENT_CHAIN, .version_id = version->id };
	TRY(issue_chain(ctx->tx, ctx->a, version, &content.certs, e));
	TRY(content_row_put(ctx->tx, &content, e));
	struct staged_row staged = { .target_id = io->target.id, .content_id = content.id, .version_id = version->id,
				     .csr_request = version->source == VERSION_CSR ? request : NULL,
				     .created = ctx->now };
	TRY(staged_row_put(ctx->tx, &staged, e));
	verb_changed(ctx, CHANGED_CONTENT, content.id);
	return RC_OK;
}

static troth_rc record_issue(struct verb_ctx *ctx, const struct slot_issue *io, const struct version_row *version,
			     struct troth_err *e)
{
	struct record r;
	record_begin(&r);
	jw_kv_text(&r.w, "version", version->uuid);
	jw_kv_text(&r.w, "instance", io->instance.name);
	jw_kv_text(&r.w, "authority", io->signer.authority.name);
	jw_kv_text(&r.w, "signed_by", io->signer.version.uuid);
	struct change c = { .action = "credential.issue", .object = io->credential.name,
			    .topic = arena_printf(ctx->a, "instance/%s", io->instance.uuid) };
	c.after = record_end(&r, ctx->a);
	return record_change(ctx, &c, e);
}

troth_rc slot_issue_stage(struct verb_ctx *ctx, struct slot_issue *io, const char *request, struct bytes der,
			  struct version_row *version, struct troth_err *e)
{
	version->uuid = request; /* the request names its answer: so the agent finds its key */
	version->wanted = true;
	TRY(issue_store(ctx, &io->credential, &io->signer, der, version, e));
	TRY(stage_chain(ctx, io, request, version, e));
	io->target.csr_request = NULL;
	io->target.csr_ca = 0;
	TRY(target_row_update(ctx->tx, &io->target, e));
	verb_changed(ctx, CHANGED_TARGET, io->target.id);
	return record_issue(ctx, io, version, e);
}
