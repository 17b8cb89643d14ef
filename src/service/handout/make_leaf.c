/* One more version of a leaf, with its key.  See make_leaf.h. */
#include "service/handout/make_leaf.h"

#include "service/ca/renewal.h"
#include "service/record.h"

troth_rc make_leaf_need(struct verb_ctx *ctx, struct make_leaf *m, struct troth_err *e)
{
	if (m->key_asked)
		return sign_need(ctx, &m->row, ctx->replies[m->key]->spki, &m->sign, e);
	struct keeper_request *need = ARENA_NEW(ctx->a, struct keeper_request);
	need->kind = KEEPER_KEY_MAKE;
	need->key_make.policy = (struct keeper_policy){ .kind = KEEPER_KEY_LEAF, .authority = m->row.name, .path_len = -1, .exportable = true };
	(void)text_copy(need->key_make.policy.key_id, UUID_LEN, m->version); /* a uuid fits a uuid */
	TRY(key_type_parse(m->row.key_type, &need->key_make.key_type, e));
	m->key_asked = ctx->more = true;
	m->key = ctx->need_count;
	return verb_need(ctx, need, e);
}

troth_rc make_leaf_record(struct verb_ctx *ctx, const char *action, const struct credential_row *row, const char *version,
			  struct troth_err *e)
{
	struct record r;
	record_begin(&r);
	jw_kv_text(&r.w, "id", row->uuid);
	jw_kv_text(&r.w, "key_type", row->key_type);
	jw_kv_text(&r.w, "version", version);
	return record_change(ctx, &(struct change){ .action = action, .object = row->name, .after = record_end(&r, ctx->a) }, e);
}

/* Its authority may have to live longer for what it is now. */
static troth_rc keep_definition(struct verb_ctx *ctx, struct make_leaf *m, struct troth_err *e)
{
	struct credential_row issuer;
	TRY(m->fresh ? credential_row_insert(ctx->tx, &m->row, e) : credential_row_update(ctx->tx, &m->row, e));
	TRY(credential_row_get(ctx->tx, ctx->a, m->row.issuer_id, &issuer, e));
	return m->row.leaf_ttl > issuer.leaf_ttl ? renewal_refresh(ctx, issuer.id, e) : RC_OK;
}

troth_rc make_leaf_run(struct verb_ctx *ctx, struct make_leaf *m, struct troth_err *e)
{
	const char *chain;
	struct version_row version = { .uuid = m->version, .source = VERSION_GENERATED, .wanted = true };
	if (!m->once)
		version.key_blob = ctx->replies[m->key]->blob;
	TRY(sign_choose(ctx, &m->row, &m->sign, e));
	if (ctx->retry)
		return RC_OK;
	TRY(keep_definition(ctx, m, e));
	TRY(sign_store(ctx, &m->row, &m->sign, &version, &chain, e));
	verb_changed(ctx, CHANGED_CREDENTIAL, m->row.id);
	return make_leaf_record(ctx, "credential.generate", &m->row, m->version, e);
}
