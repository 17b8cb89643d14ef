/* The next version of a root, made elsewhere, with its key.  See root_source.h. */
#include "service/intake/root_source.h"

#include "model/name.h"
#include "service/check.h"
#include "service/intake/adopt.h"
#include "service/intake/certify.h"
#include "service/intake/certify_chain.h"
#include "service/intake/constrained.h"
#include "service/intake/imported.h"
#include "service/record.h"

/* -- may it ------------------------------------------------------------------------------------------------ */

static troth_rc refuse(const struct credential_row *c, const char *why, struct troth_err *e)
{
	troth_rc rc = err_set(e, TROTH_INVALID, "%s gets no version that was made elsewhere: %s", c->name, why);
	err_object(e, "%s", c->name);
	err_hint(e, "rotate it without one; to trust a root of somebody else: troth authority import");
	return rc;
}

static troth_rc check_authority(const struct credential_row *c, struct troth_err *e)
{
	if (name_is_reserved(c->name))
		return refuse(c, "it is troth's own", e);
	if (c->kind != CREDENTIAL_AUTHORITY || c->issuer_id || c->origin != ORIGIN_INTERNAL)
		return refuse(c, "it is not a root whose keys are here", e);
	return RC_OK;
}

const struct cert *root_source_pem(const struct checker *c, const char *path, const char *pem)
{
	struct cert_pool pool = { 0 };
	if (!check_present(c, path, pem))
		return NULL;
	cert_pool_read(c, path, pem, &pool);
	if (pool.count > 1)
		check_fail(c, path, "certificate", arena_printf(c->a, "has %zu certificates", pool.count), "bring the root alone");
	if (pool.count != 1)
		return NULL;
	if (!pool.items[0]->key_type_known)
		check_fail(c, path, "key-type", "has a key of a type or size that is not made here",
			   "RSA of 2048, 3072 or 4096 bits, EC P-256 or P-384, or Ed25519");
	return pool.items[0];
}

troth_rc root_source_read(struct verb_ctx *ctx, const struct credential_row *authority, const struct rotate_source *source,
			  const struct cert **ret, struct troth_err *e)
{
	struct checker c = { ctx->a, e };
	struct certify_need need = { .name = authority->name, .now = ctx->now };
	TRY(check_authority(authority, e));
	ENSURE(source->private_key && source->private_key[0], e, TROTH_INVALID, "the private key of the new root is missing");
	const struct cert *root = root_source_pem(&c, source->path, source->certificate);
	TRY(check_done(e));
	ENSURE(root, e, TROTH_INVALID, "there is no certificate in it");
	certify_root_judge(ctx->a, source->path, root, ctx->now, e);
	TRY(certify_need_below(ctx, authority, &need, e));
	certify_ca_judge(ctx->a, source->path, root, &need, e);
	TRY(constrained_judge(ctx, source->path, authority, &(struct cert_pool){ &root, 1 }, e));
	TRY(check_done(e));
	*ret = root;
	return imported_check_root(ctx, root, e);
}

/* -- its key ------------------------------------------------------------------------------------------------- */

troth_rc root_source_need(struct verb_ctx *ctx, const struct credential_row *authority, const char *private_key, const struct cert *root,
			  const char *version, struct troth_err *e)
{
	struct keeper_request *need = ARENA_NEW(ctx->a, struct keeper_request);
	need->kind = KEEPER_KEY_WRAP;
	need->key_wrap.key = bytes_of_text(private_key);
	need->key_wrap.policy = (struct keeper_policy){ .kind = KEEPER_KEY_AUTHORITY, .authority = authority->name,
							.may_sign_ca = root->path_len != 0, .path_len = root->path_len,
							.latest_not_after = root->not_after, .exportable = authority->exportable };
	(void)text_copy(need->key_wrap.policy.key_id, UUID_LEN, version); /* a uuid fits a uuid */
	return verb_need(ctx, need, e);
}

troth_rc root_source_check_key(const struct keeper_reply *wrapped, const struct cert *root, struct troth_err *e)
{
	if (bytes_equal(wrapped->spki, root->spki))
		return RC_OK;
	troth_rc rc = err_set(e, TROTH_INVALID, "the private key is not that of %.120s", root->subject);
	err_clause(e, CLAUSE_OTHER_KEY);
	return rc;
}

/* -- rows ---------------------------------------------------------------------------------------------------- */

troth_rc root_source_record(struct verb_ctx *ctx, const struct credential_row *authority, const struct cert *root, const char *version,
			    struct troth_err *e)
{
	char hex[SHA256_HEX_LEN];
	struct record r;
	record_begin(&r);
	jw_kv_text(&r.w, "id", authority->uuid);
	jw_kv_text(&r.w, "version", version);
	jw_kv_text(&r.w, "key_type", key_type_name(root->key_type));
	jw_kv_text(&r.w, "fingerprint", cert_fingerprint_hex(root, hex));
	jw_kv_bool(&r.w, "exportable", authority->exportable);
	return record_change(ctx, &(struct change){ .action = "authority.adopt", .object = authority->name, .after = record_end(&r, ctx->a) }, e);
}

troth_rc root_source_insert(struct verb_ctx *ctx, const struct credential_row *authority, const struct keeper_reply *wrapped,
			    const struct cert *root, const char *uuid, struct version_row *ret, struct troth_err *e)
{
	*ret = (struct version_row){ .uuid = uuid, .source = VERSION_UPLOADED, .key_blob = wrapped->blob, .wanted = true, .can_sign = true };
	TRY(issue_store(ctx, authority, NULL, root->der, ret, e));
	TRY(imported_meets(ctx, authority->id, ret->cert_id, e));
	return root_source_record(ctx, authority, root, uuid, e);
}
