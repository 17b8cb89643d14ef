/* A leaf that was made elsewhere, for somebody outside the fleet.  See set_leaf.h. */
#include "service/intake/set_leaf.h"

#include <string.h>

#include "service/ca/credential.h"
#include "service/ca/notice.h"
#include "service/inside.h"
#include "service/intake/root_source.h"
#include "service/outside/holder.h"
#include "service/record.h"

enum { ASK_WRAP = 0, ASK_OPEN = 1 }; /* the places of the keeper's replies */

/* -- the certificate by itself ---------------------------------------------------------------------------------- */

static troth_rc check_cert(const struct cert *cert, msec_t now, struct troth_err *e)
{
	char when[RFC3339_LEN];
	ENSURE(cert->not_after > now, e, TROTH_INVALID, "the certificate of %.120s expired %s", cert->subject, time_format(cert->not_after, when));
	ENSURE(cert->not_before <= now, e, TROTH_INVALID, "the certificate of %.120s is valid from %s on: bring it then", cert->subject,
	       time_format(cert->not_before, when));
	ENSURE(!cert_self_signed(cert), e, TROTH_INVALID, "the certificate of %.120s is self-signed and no CA's: have it issued by a CA", cert->subject);
	ENSURE(cert->san_count <= LIMIT_SAN_COUNT, e, TROTH_INVALID, "the certificate of %.120s has more than %d names", cert->subject, LIMIT_SAN_COUNT);
	return RC_OK;
}

/* -- what it will be ---------------------------------------------------------------------------------------------- */

static troth_rc refuse_slots(const struct credential_row *row, struct troth_err *e)
{
	troth_rc rc = err_set(e, TROTH_CONFLICT, "slots serve %s: its next certificate is brought for them, with its chain", row->name);
	err_hint(e, "troth credential upload %s", row->name);
	err_object(e, "%s", row->name);
	return rc;
}

/* Who meets its holder was decided by who signed the first. */
static troth_rc refuse_moved(struct verb_ctx *ctx, const struct credential_row *row, struct troth_err *e)
{
	struct credential_row issuer;
	TRY(credential_row_get(ctx->tx, ctx->a, row->issuer_id, &issuer, e));
	troth_rc rc = err_set(e, TROTH_CONFLICT, "%s is signed by %s, and the certificate is not, or does not say so", row->name, issuer.name);
	err_hint(e, "say who signed it; to move to another CA choose another name, or delete it first");
	err_object(e, "%s", row->name);
	return rc;
}

static troth_rc check_there(struct verb_ctx *ctx, const struct credential_row *there, int64_t issuer, struct troth_err *e)
{
	bool slots;
	if (!there->id)
		return RC_OK;
	TRY(credential_has_slots(ctx, there, &slots, e));
	if (slots)
		return refuse_slots(there, e);
	return there->issuer_id && there->issuer_id != issuer ? refuse_moved(ctx, there, e) : RC_OK;
}

/* By what it is found; names that nobody could be issued here are in the certificate only. */
static const char *spec_of(struct arena *a, const struct cert *cert)
{
	const unsigned both = EKU_SERVER | EKU_CLIENT;
	bool named = cert->common_name[0] && strlen(cert->common_name) <= CERT_COMMON_NAME_MAX;
	struct credential_spec spec = { .common_name = named ? cert->common_name : NULL, .path_len = -1,
					.eku = cert->has_eku && cert->eku & both ? cert->eku & both : both };
	spec.sans.items = ARENA_ARRAY(a, const char *, cert->san_count);
	for (size_t i = 0; i < cert->san_count; i++)
		if (rc_ok(san_check(&cert->sans[i], NULL)))
			spec.sans.items[spec.sans.count++] = arena_printf(a, "%s:%s", san_kind_name(cert->sans[i].kind), cert->sans[i].value);
	return credential_spec_write(a, &spec);
}

static void define(struct verb_ctx *ctx, const struct set_cmd *cmd, const struct credential_row *there, struct set_leaf *leaf)
{
	struct credential_row *row = &leaf->row;
	*row = *there;
	if (!there->id)
		*row = (struct credential_row){ .uuid = verb_uuid_text(ctx), .name = cmd->name, .kind = CREDENTIAL_LEAF, .created = ctx->now };
	row->issuer_id = leaf->by.here.authority.id;
	row->key_type = leaf->cert->key_type_known ? key_type_name(leaf->cert->key_type) : "other";
	row->spec = spec_of(ctx->a, leaf->cert);
	row->renew = "never";
	row->leaf_ttl = 0; /* nobody here makes the next one: its CA need not leave room for it */
	row->rev++;
}

troth_rc set_leaf_decide(struct verb_ctx *ctx, const struct set_cmd *cmd, const struct credential_row *there, const struct cert *cert,
			 struct set_leaf *ret, struct troth_err *e)
{
	*ret = (struct set_leaf){ .cert = cert };
	TRY(check_cert(cert, ctx->now, e));
	TRY(set_signer_find(ctx, cmd, cert, &ret->by, e));
	ENSURE(!ret->by.cert || !bytes_equal(ret->by.cert->spki, cert->spki), e, TROTH_INVALID,
	       "the certificate of %.120s has the key of the CA that signed it, which would be given out as a leaf's: have it issued for a key of its own",
	       cert->subject);
	TRY(check_there(ctx, there, ret->by.here.authority.id, e));
	define(ctx, cmd, there, ret);
	return RC_OK;
}

bool set_leaf_same(const struct set_leaf *x, const struct set_leaf *y)
{
	return x->row.id == y->row.id && x->row.issuer_id == y->row.issuer_id && x->by.here.version.id == y->by.here.version.id;
}

/* -- its key -------------------------------------------------------------------------------------------------------- */

static troth_rc need_open(struct verb_ctx *ctx, const struct set_leaf *leaf, struct troth_err *e)
{
	struct keeper_request *need = ARENA_NEW(ctx->a, struct keeper_request);
	TRY(root_source_check_key(ctx->replies[ASK_WRAP], leaf->cert, e));
	need->kind = KEEPER_KEY_OPEN;
	need->key_open.blob = ctx->replies[ASK_WRAP]->blob;
	ctx->more = false;
	return verb_need(ctx, need, e);
}

troth_rc set_leaf_need(struct verb_ctx *ctx, const struct set_cmd *cmd, struct set_leaf *leaf, struct troth_err *e)
{
	if (ctx->reply_count)
		return need_open(ctx, leaf, e);
	verb_uuid(ctx, leaf->version);
	if (!cmd->private_key)
		return RC_OK;
	struct keeper_request *need = ARENA_NEW(ctx->a, struct keeper_request);
	need->kind = KEEPER_KEY_WRAP;
	need->key_wrap.key = bytes_of_text(cmd->private_key);
	need->key_wrap.policy = (struct keeper_policy){ .kind = KEEPER_KEY_LEAF, .authority = leaf->row.name, .path_len = -1,
							.latest_not_after = leaf->cert->not_after, .exportable = true };
	(void)text_copy(need->key_wrap.policy.key_id, UUID_LEN, leaf->version); /* a uuid fits a uuid */
	ctx->more = true;
	return verb_need(ctx, need, e);
}

/* -- is it accepted ------------------------------------------------------------------------------------------------- */

/* No version of it signs, so the engine cannot be asked for one: the newest waits until every store has it, if there was another. */
static troth_rc in_all_stores(struct verb_ctx *ctx, const struct signer *by, bool *ret, struct troth_err *e)
{
	struct progress p;
	TRY(verb_apply_changes(ctx, e));
	engine_progress(ctx->svc->view, by->authority.id, ctx->a, &p);
	*ret = p.ca_count < 2 || p.cas[0].ca != by->version.id || p.cas[0].stores_having == p.stores;
	return RC_OK;
}

/* Whoever takes it from here shows it at once; nothing can be held back as for a slot (rule S). */
static troth_rc check_accepted(struct verb_ctx *ctx, const struct set_leaf *leaf, struct troth_err *e)
{
	const struct signer *by = &leaf->by.here;
	int64_t chosen;
	bool all = true;
	if (by->authority.origin == ORIGIN_IMPORTED) {
		TRY(in_all_stores(ctx, by, &all, e));
	} else {
		TRY(holder_choose(ctx, &leaf->row, &chosen, e));
		all = chosen >= by->version.id;
	}
	if (all)
		return RC_OK;
	troth_rc rc = err_set(e, TROTH_CONFLICT, "version %s of %s, which signed the certificate, is not trusted by everybody yet", by->version.uuid,
			      by->authority.name);
	err_hint(e, "troth explain %s says who is waited for; bring it then, or one that the version before signed", by->authority.name);
	err_object(e, "%s", by->authority.name);
	return rc;
}

/* -- rows ----------------------------------------------------------------------------------------------------------- */

static troth_rc store_version(struct verb_ctx *ctx, struct set_leaf *leaf, struct version_row *version, struct troth_err *e)
{
	const struct signer *here = leaf->by.here.authority.id ? &leaf->by.here : NULL;
	struct cert_row anchor;
	if (ctx->reply_count)
		version->key_blob = ctx->replies[ASK_WRAP]->blob;
	if (leaf->by.cert && !here) {
		TRY(issue_cert_put(ctx->tx, ctx->a, leaf->by.cert, &anchor, e));
		version->anchor_cert = anchor.id;
	}
	TRY(leaf->row.id ? credential_row_update(ctx->tx, &leaf->row, e) : credential_row_insert(ctx->tx, &leaf->row, e));
	TRY(issue_store(ctx, &leaf->row, here, leaf->cert->der, version, e));
	TRY(notice_promise(ctx, version->id, leaf->cert->not_after, e));
	return here ? holder_take(ctx, &leaf->row, version, e) : RC_OK;
}

static troth_rc record_set(struct verb_ctx *ctx, const struct set_leaf *leaf, struct troth_err *e)
{
	char hex[SHA256_HEX_LEN];
	struct record r;
	record_begin(&r);
	jw_kv_text(&r.w, "id", leaf->row.uuid);
	jw_kv_text(&r.w, "version", leaf->version);
	jw_kv_text(&r.w, "fingerprint", cert_fingerprint_hex(leaf->cert, hex));
	jw_kv_text(&r.w, "signed_by", leaf->by.here.authority.name);
	jw_kv_text(&r.w, "anchor", leaf->by.here.authority.name || !leaf->by.cert ? NULL : leaf->by.cert->subject);
	jw_kv_text(&r.w, "key_type", leaf->row.key_type);
	jw_kv_bool(&r.w, "private_key", ctx->reply_count != 0);
	return record_change(ctx, &(struct change){ .action = "credential.bring", .object = leaf->row.name, .after = record_end(&r, ctx->a) }, e);
}

troth_rc set_leaf_run(struct verb_ctx *ctx, struct set_leaf *leaf, struct lookup_ret *ret, struct troth_err *e)
{
	struct version_row version = { .uuid = leaf->version, .source = VERSION_UPLOADED, .wanted = true };
	struct credential_row row;
	if (leaf->by.here.authority.id)
		TRY(check_accepted(ctx, leaf, e));
	TRY(store_version(ctx, leaf, &version, e));
	TRY(record_set(ctx, leaf, e));
	TRY(credential_row_get(ctx->tx, ctx->a, leaf->row.id, &row, e));
	TRY(lookup_load(ctx, &row, ret, e));
	lookup_only(ret, leaf->version);
	if (ctx->reply_count)
		ret->items[0].private_key = arena_text_n(ctx->a, (const char *)ctx->replies[ASK_OPEN]->key.data, ctx->replies[ASK_OPEN]->key.len);
	return lookup_trust(ctx, ret, e);
}
