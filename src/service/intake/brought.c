/* The listener's brought certificate as rows: one credential, whose newest version it is.  See brought.h. */
#include "service/intake/brought.h"

#include "service/ca/notice.h"
#include "service/check.h"
#include "service/fleet/identity.h"
#include "service/intake/upload.h"
#include "service/record.h"

enum { ASK_WRAP = 0, ASK_SEAL = 1 }; /* the places of the keeper's replies */

struct brought_plan {
	struct upload_chain chain;
	const struct cert *anchor;
	char version[UUID_LEN];
	bool wrapped;              /* the keeper was asked to take the key in */
};

/* -- judging ------------------------------------------------------------------------------------------------- */

static void check_begun(const struct checker *c, const struct upload_chain *chain, msec_t now)
{
	char when[RFC3339_LEN];
	for (size_t i = 0; i < chain->count; i++) {
		const struct cert *x = chain->served[i];
		if (x->not_before <= now)
			continue;
		check_fail(c, i ? "$.chain" : "$.certificate", "early",
			   arena_printf(c->a, "%.120s is not valid before %s", x->subject, time_format(x->not_before, when)),
			   "it would be shown at once: bring it when its time has come");
	}
}

/* Clients look for a DNS name or an address, and nowhere but in the SANs (RFC 9525 6.3). */
static void check_has_name(const struct checker *c, const struct cert *leaf)
{
	for (size_t i = 0; i < leaf->san_count; i++)
		if (leaf->sans[i].kind == SAN_DNS || leaf->sans[i].kind == SAN_IP)
			return;
	check_fail(c, "$.certificate", "name", "has neither a DNS name nor an address (subject alternative name)",
		   "have it issued for the names that clients call the server by");
}

static void judge_itself(struct arena *a, const struct brought_cmd *cmd, msec_t now, struct upload_chain *ret, struct troth_err *e)
{
	static const struct credential_spec SERVED = { .eku = EKU_SERVER, .path_len = -1 };
	struct checker c = { a, e };
	const struct upload_cmd upload = { .certificate = cmd->certificate, .chain = cmd->chain, .private_key = cmd->private_key };
	upload_chain_read(a, &upload, now, ret, e);
	upload_chain_fits(a, ret, &SERVED, e);
	if (!ret->leaf)
		return;
	check_has_name(&c, ret->leaf);
	check_begun(&c, ret, now);
}

void brought_check(struct arena *a, const struct brought_cmd *cmd, msec_t now, struct troth_err *e)
{
	struct upload_chain chain;
	judge_itself(a, cmd, now, &chain, e);
}

/* -- finding --------------------------------------------------------------------------------------------------- */

/* id 0: nothing was brought. */
static troth_rc find(struct verb_ctx *ctx, struct credential_row *ret, struct troth_err *e)
{
	if (rc_failed(credential_row_by_name(ctx->tx, ctx->a, BROUGHT_CREDENTIAL, ret, NULL)))
		*ret = (struct credential_row){ 0 };
	return RC_OK;
}

troth_rc brought_now(struct verb_ctx *ctx, int64_t *ret, struct troth_err *e)
{
	struct credential_row row;
	TRY(find(ctx, &row, e));
	*ret = row.id ? row.signing_version : 0;
	return RC_OK;
}

/* The newest certificate of the listener's own key.  The same credential has signed for others' keys too, if an
 * administrator asked for that; the first was made by init, and the listener never changes its key. */
static troth_rc own_version(struct verb_ctx *ctx, struct version_row *ret, struct cert_row *ret_cert, struct troth_err *e)
{
	struct credential_row own;
	struct version_row *versions;
	struct bytes key = { 0 };
	size_t n;
	TRY(credential_row_by_name(ctx->tx, ctx->a, SERVER_CREDENTIAL, &own, e));
	TRY(version_row_list_credential(ctx->tx, ctx->a, own.id, PAGE_ALL, &versions, &n, e));
	ENSURE(n, e, TROTH_INTERNAL, "the server has no certificate of its own");
	for (size_t i = 0; i < n; i++) {
		struct cert_row cert;
		TRY(cert_row_get(ctx->tx, ctx->a, versions[i].cert_id, &cert, e));
		key = i ? key : cert.spki_hash;
		if (!bytes_equal(cert.spki_hash, key))
			continue;
		*ret = versions[i];
		*ret_cert = cert;
	}
	return RC_OK;
}

/* -- set: the keeper's part --------------------------------------------------------------------------------------- */

static troth_rc need_wrap(struct verb_ctx *ctx, const struct brought_cmd *cmd, struct brought_plan *plan, struct troth_err *e)
{
	struct keeper_request *need = ARENA_NEW(ctx->a, struct keeper_request);
	need->kind = KEEPER_KEY_WRAP;
	need->key_wrap.key = bytes_of_text(cmd->private_key);
	need->key_wrap.policy = (struct keeper_policy){ .kind = KEEPER_KEY_LEAF, .authority = BROUGHT_CREDENTIAL, .path_len = -1,
							.latest_not_after = plan->chain.leaf->not_after };
	(void)text_copy(need->key_wrap.policy.key_id, UUID_LEN, plan->version); /* a uuid fits a uuid */
	plan->wrapped = true;
	ctx->more = true;
	return verb_need(ctx, need, e);
}

static troth_rc need_seal(struct verb_ctx *ctx, struct troth_err *e)
{
	struct keeper_request *need = ARENA_NEW(ctx->a, struct keeper_request);
	struct version_row own, issuer;
	struct cert_row cert, issuer_cert;
	TRY(own_version(ctx, &own, &cert, e));
	TRY(version_row_get(ctx->tx, ctx->a, own.signed_by, &issuer, e));
	TRY(cert_row_get(ctx->tx, ctx->a, issuer.cert_id, &issuer_cert, e));
	need->kind = KEEPER_KEY_SEAL;
	need->key_seal.blob = ctx->replies[ASK_WRAP]->blob;
	need->key_seal.recipient = cert.der;
	need->key_seal.agents = (struct keeper_issuer){ issuer.key_blob, issuer_cert.der };
	return verb_need(ctx, need, e);
}

static troth_rc judge(struct verb_ctx *ctx, const struct brought_cmd *cmd, struct brought_plan *plan, struct troth_err *e)
{
	judge_itself(ctx->a, cmd, ctx->now, &plan->chain, e);
	if (plan->chain.count)
		TRY(upload_anchor(ctx, &plan->chain, EKU_SERVER, &plan->anchor, e));
	return check_done(e);
}

static troth_rc set_prepare(struct verb_ctx *ctx, const void *arg, struct troth_err *e)
{
	const struct brought_cmd *cmd = arg;
	struct brought_plan *plan = ctx->plan;
	if (plan && plan->wrapped) {
		ctx->more = false;
		return need_seal(ctx, e);
	}
	plan = ARENA_NEW(ctx->a, struct brought_plan);
	TRY(judge(ctx, cmd, plan, e));
	verb_uuid(ctx, plan->version);
	ctx->plan = plan;
	return ctx->options.dry_run ? RC_OK : need_wrap(ctx, cmd, plan, e);
}

/* -- set: rows -------------------------------------------------------------------------------------------------------- */

static troth_rc credential_make(struct verb_ctx *ctx, const struct cert *leaf, struct credential_row *ret, struct troth_err *e)
{
	const struct credential_spec spec = { .eku = EKU_SERVER, .path_len = -1 };
	TRY(find(ctx, ret, e));
	if (ret->id)
		return RC_OK;
	*ret = (struct credential_row){ .uuid = verb_uuid_text(ctx), .name = BROUGHT_CREDENTIAL, .kind = CREDENTIAL_LEAF,
					.key_type = key_type_name(leaf->key_type), .spec = credential_spec_write(ctx->a, &spec),
					.rev = 1, .created = ctx->now };
	return credential_row_insert(ctx->tx, ret, e);
}

/* Its keys have nothing to do here any more. */
static troth_rc forget_keys(struct verb_ctx *ctx, int64_t credential_id, struct troth_err *e)
{
	struct version_row *versions;
	size_t n;
	TRY(version_row_list_credential(ctx->tx, ctx->a, credential_id, PAGE_ALL, &versions, &n, e));
	for (size_t i = 0; i < n; i++) {
		if (!versions[i].key_blob.len && !versions[i].sealed_key.len)
			continue;
		versions[i].key_blob = versions[i].sealed_key = (struct bytes){ 0 };
		TRY(version_row_update(ctx->tx, &versions[i], e));
	}
	return RC_OK;
}

static troth_rc version_make(struct verb_ctx *ctx, const struct brought_plan *plan, const struct credential_row *row,
			     struct version_row *ret, struct troth_err *e)
{
	struct cert_row cert;
	*ret = (struct version_row){ .uuid = plan->version, .source = VERSION_UPLOADED, .wanted = true };
	if (ctx->reply_count) {
		ret->key_blob = ctx->replies[ASK_WRAP]->blob;
		ret->sealed_key = ctx->replies[ASK_SEAL]->sealed;
	}
	TRY(issue_cert_put(ctx->tx, ctx->a, plan->anchor, &cert, e));
	ret->anchor_cert = cert.id;
	ret->above.items = ARENA_ARRAY(ctx->a, int64_t, plan->chain.count);
	for (size_t i = 1; i < plan->chain.count; i++) {
		TRY(issue_cert_put(ctx->tx, ctx->a, plan->chain.served[i], &cert, e));
		ret->above.items[ret->above.count++] = cert.id;
	}
	return issue_store(ctx, row, NULL, plan->chain.leaf->der, ret, e);
}

static troth_rc shown_of(struct verb_ctx *ctx, const struct cert_row *row, const char *anchor, struct shown_certificate *ret,
			 struct troth_err *e)
{
	const struct cert *cert;
	TRY(cert_parse(ctx->a, row->der, &cert, e));
	*ret = (struct shown_certificate){ .cert = *row, .key_type = cert->key_type_known ? key_type_name(cert->key_type) : NULL,
					   .names = { ARENA_ARRAY(ctx->a, const char *, cert->san_count), 0 }, .anchor = anchor };
	for (size_t i = 0; i < cert->san_count; i++)
		ret->names.items[ret->names.count++] = arena_printf(ctx->a, "%s:%s", san_kind_name(cert->sans[i].kind), cert->sans[i].value);
	return RC_OK;
}

static troth_rc show(struct verb_ctx *ctx, struct brought_ret *ret, struct troth_err *e)
{
	struct version_row version;
	struct cert_row cert, anchor;
	int64_t number;
	TRY(own_version(ctx, &version, &cert, e));
	TRY(shown_of(ctx, &cert, cert.issuer, &ret->own, e));
	TRY(brought_now(ctx, &number, e));
	if (!number)
		return RC_OK;
	TRY(version_row_get(ctx->tx, ctx->a, number, &version, e));
	TRY(cert_row_get(ctx->tx, ctx->a, version.cert_id, &cert, e));
	TRY(cert_row_get(ctx->tx, ctx->a, version.anchor_cert, &anchor, e));
	return shown_of(ctx, &cert, anchor.subject, &ret->brought, e);
}

static troth_rc record_set(struct verb_ctx *ctx, const struct shown_certificate *c, struct troth_err *e)
{
	struct record r;
	record_begin(&r);
	jw_kv_text(&r.w, "subject", c->cert.subject);
	jw_kv_text(&r.w, "serial", c->cert.serial);
	jw_kv_time(&r.w, "not_after", c->cert.not_after);
	jw_kv_text(&r.w, "anchor", c->anchor);
	jw_key(&r.w, "names");
	jw_array(&r.w);
	for (size_t i = 0; i < c->names.count; i++)
		jw_text(&r.w, c->names.items[i]);
	jw_array_end(&r.w);
	return record_change(ctx, &(struct change){ .action = "server.certificate-set", .object = BROUGHT_CREDENTIAL,
						    .after = record_end(&r, ctx->a) }, e);
}

static troth_rc set_run(struct verb_ctx *ctx, const void *arg, void *out, struct troth_err *e)
{
	const struct brought_plan *plan = ctx->plan;
	struct brought_ret *ret = out;
	struct credential_row row;
	struct version_row version;
	ENSURE(!ctx->reply_count || bytes_equal(ctx->replies[ASK_WRAP]->spki, plan->chain.leaf->spki), e, TROTH_INVALID,
	       "the key that was brought is not the certificate's");
	TRY(credential_make(ctx, plan->chain.leaf, &row, e));
	TRY(forget_keys(ctx, row.id, e));
	TRY(version_make(ctx, plan, &row, &version, e));
	TRY(credential_row_get(ctx->tx, ctx->a, row.id, &row, e));
	row.key_type = key_type_name(plan->chain.leaf->key_type);
	row.rev++;
	TRY(credential_row_update(ctx->tx, &row, e));
	TRY(notice_promise(ctx, version.id, plan->chain.leaf->not_after, e));
	TRY(show(ctx, ret, e));
	return record_set(ctx, &ret->brought, e);
}

const struct verb VERB_BROUGHT_SET = { "server.certificate-set", VERB_WRITE, ROLES_ADMIN, sizeof(struct brought_cmd),
				       sizeof(struct brought_ret), set_prepare, set_run };

/* -- the others ---------------------------------------------------------------------------------------------------------- */

static troth_rc show_run(struct verb_ctx *ctx, const void *arg, void *out, struct troth_err *e)
{
	return show(ctx, out, e);
}

const struct verb VERB_BROUGHT_SHOW = { "server.certificate-show", VERB_READ, ROLES_READ, sizeof(struct no_cmd),
					sizeof(struct brought_ret), NULL, show_run };

/* From this commit on the listener shows its own to everybody. */
static troth_rc take_away(struct verb_ctx *ctx, struct credential_row *row, const char *action, const char *why, struct troth_err *e)
{
	struct version_row version;
	TRY(forget_keys(ctx, row->id, e));
	TRY(version_row_get(ctx->tx, ctx->a, row->signing_version, &version, e));
	version.wanted = false;
	version.retired_at = ctx->now;
	TRY(version_row_update(ctx->tx, &version, e));
	row->retired = ctx->now;
	TRY(credential_row_update(ctx->tx, row, e));
	verb_changed(ctx, CHANGED_CREDENTIAL, row->id);
	return record_change(ctx, &(struct change){ .action = action, .object = BROUGHT_CREDENTIAL, .after = why }, e);
}

static troth_rc unset_run(struct verb_ctx *ctx, const void *arg, void *out, struct troth_err *e)
{
	struct credential_row row;
	TRY(find(ctx, &row, e));
	return row.id ? take_away(ctx, &row, "server.certificate-unset", NULL, e) : RC_OK; /* as it shall be */
}

const struct verb VERB_BROUGHT_UNSET = { "server.certificate-unset", VERB_WRITE, ROLES_ADMIN, sizeof(struct no_cmd),
					 sizeof(struct no_ret), NULL, unset_run };

static troth_rc load_run(struct verb_ctx *ctx, const void *arg, void *out, struct troth_err *e)
{
	struct brought_load_ret *ret = out;
	struct version_row version;
	struct cert_row anchor;
	const char *leaf, *rest;
	TRY(brought_now(ctx, &ret->number, e));
	if (!ret->number)
		return RC_OK;
	TRY(version_row_get(ctx->tx, ctx->a, ret->number, &version, e));
	TRY(cert_row_get(ctx->tx, ctx->a, version.anchor_cert, &anchor, e));
	TRY(issue_chain_pem(ctx->tx, ctx->a, &version, &leaf, &rest, e));
	ret->pem = arena_printf(ctx->a, "%s%s", leaf, rest);
	ret->anchor = cert_pem(ctx->a, anchor.der);
	ret->sealed = version.sealed_key;
	return RC_OK;
}

const struct verb VERB_BROUGHT_LOAD = { "server.certificate-load", VERB_READ, ROLE_SYSTEM, sizeof(struct no_cmd),
					sizeof(struct brought_load_ret), NULL, load_run };

/* -- when a CA above it is distrusted ---------------------------------------------------------------------------------------- */

static troth_rc has_key(struct verb_ctx *ctx, int64_t cert_id, struct bytes spki_hash, bool *ret, struct troth_err *e)
{
	struct cert_row cert;
	TRY(cert_row_get(ctx->tx, ctx->a, cert_id, &cert, e));
	*ret = *ret || bytes_equal(cert.spki_hash, spki_hash);
	return RC_OK;
}

/* Its anchor, a CA that is shown with it, or itself: by key, as a stolen key is one in every certificate. */
static troth_rc lives_by(struct verb_ctx *ctx, const struct version_row *shown, int64_t distrusted, bool *ret, struct troth_err *e)
{
	struct version_row v;
	struct cert_row cert;
	TRY(version_row_get(ctx->tx, ctx->a, distrusted, &v, e));
	TRY(cert_row_get(ctx->tx, ctx->a, v.cert_id, &cert, e));
	TRY(has_key(ctx, shown->cert_id, cert.spki_hash, ret, e));
	TRY(has_key(ctx, shown->anchor_cert, cert.spki_hash, ret, e));
	for (size_t i = 0; i < shown->above.count; i++)
		TRY(has_key(ctx, shown->above.items[i], cert.spki_hash, ret, e));
	return RC_OK;
}

troth_rc brought_lives_by(struct verb_ctx *ctx, const struct id_list *versions, bool *ret, struct troth_err *e)
{
	struct version_row shown;
	int64_t number;
	*ret = false;
	TRY(brought_now(ctx, &number, e));
	if (!number)
		return RC_OK;
	TRY(version_row_get(ctx->tx, ctx->a, number, &shown, e));
	for (size_t i = 0; i < versions->count && !*ret; i++)
		TRY(lives_by(ctx, &shown, versions->items[i], ret, e));
	return RC_OK;
}

troth_rc brought_distrusted(struct verb_ctx *ctx, const struct id_list *versions, struct troth_err *e)
{
	struct credential_row row;
	struct version_row shown;
	struct cert_row cert, anchor;
	struct record r;
	bool lives;
	TRY(brought_lives_by(ctx, versions, &lives, e));
	if (!lives)
		return RC_OK;
	TRY(find(ctx, &row, e));
	TRY(version_row_get(ctx->tx, ctx->a, row.signing_version, &shown, e));
	TRY(cert_row_get(ctx->tx, ctx->a, shown.cert_id, &cert, e));
	TRY(cert_row_get(ctx->tx, ctx->a, shown.anchor_cert, &anchor, e));
	record_begin(&r);
	jw_kv_text(&r.w, "subject", cert.subject);
	jw_kv_text(&r.w, "serial", cert.serial);
	jw_kv_text(&r.w, "anchor", anchor.subject);
	jw_kv_text(&r.w, "text", "a CA that it lives by was distrusted: the server shows its own certificate to everybody");
	return take_away(ctx, &row, "server.certificate-distrusted", record_end(&r, ctx->a), e);
}
