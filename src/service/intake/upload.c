/* Uploading: a judged chain becomes a version, its key a wrapped one, and each slot is to get it.  See upload.h. */
#include "service/intake/upload.h"

#include "model/name.h"
#include "service/ca/bundle.h"
#include "service/ca/notice.h"
#include "service/check.h"
#include "service/fleet/meet.h"
#include "service/inside.h"
#include "service/intake/known.h"
#include "service/record.h"
#include "service/rotation/distrust.h"

struct upload_plan {
	struct credential_row leaf;
	struct upload_chain chain;
	const struct cert *anchor;
	char version[UUID_LEN];
};

/* -- what anchors it --------------------------------------------------------------------------------------- */

/* From when on all of it is valid: a chain may be uploaded before its time. */
static msec_t valid_from(const struct upload_chain *chain, msec_t now)
{
	for (size_t i = 0; i < chain->count; i++)
		if (chain->served[i]->not_before > now)
			now = chain->served[i]->not_before;
	return now;
}

static troth_rc is_given_up(struct verb_ctx *ctx, const struct cert *x, bool *ret, struct troth_err *e)
{
	return distrust_spki_has(ctx->tx, ctx->a, bytes_of(x->key_id, SHA256_LEN), ret, e);
}

/* The first of them that is still believed.  A key that was given up stays so, in whatever certificate it comes. */
static troth_rc choose_anchor(struct verb_ctx *ctx, const struct upload_chain *chain, const struct cert_pool *cas, const size_t *found, size_t n,
			      const struct cert **ret, struct troth_err *e)
{
	struct checker c = { ctx->a, e };
	const struct cert *given_up = NULL;
	bool is;
	*ret = NULL;
	for (size_t i = 1; i < chain->count; i++) {
		TRY(is_given_up(ctx, chain->served[i], &is, e));
		given_up = is ? chain->served[i] : given_up;
	}
	for (size_t i = 0; i < n && !*ret && !given_up; i++) {
		TRY(is_given_up(ctx, cas->items[found[i]], &is, e));
		*ret = is ? NULL : cas->items[found[i]];
	}
	if (*ret)
		return RC_OK;
	check_fail(&c, "$.chain", "10", arena_printf(ctx->a, "the key of %.120s was distrusted as compromised",
						     given_up ? given_up->subject : cas->items[found[0]]->subject),
		   "have the certificate issued by another CA");
	return RC_OK;
}

troth_rc upload_anchor(struct verb_ctx *ctx, const struct upload_chain *chain, unsigned eku, const struct cert **ret, struct troth_err *e)
{
	struct cert_pool cas = { 0 };
	const size_t *found;
	size_t n;
	for (size_t i = 0; i < chain->root_count; i++)
		known_add(ctx->a, &cas, chain->roots[i]);
	TRY(known_issuers(ctx, chain->served[chain->count - 1], &cas, e));
	struct bytes *served = ARENA_ARRAY(ctx->a, struct bytes, chain->count), *anchors = ARENA_ARRAY(ctx->a, struct bytes, cas.count);
	for (size_t i = 0; i < chain->count; i++)
		served[i] = chain->served[i]->der;
	for (size_t i = 0; i < cas.count; i++)
		anchors[i] = cas.items[i]->der;
	TRY(chain_anchors(ctx->a, (struct der_list){ served, chain->count }, (struct der_list){ anchors, cas.count },
			  valid_from(chain, ctx->now), eku & EKU_SERVER || !eku ? EKU_SERVER : EKU_CLIENT, &found, &n, e));
	if (n)
		return choose_anchor(ctx, chain, &cas, found, n, ret, e);
	struct checker c = { ctx->a, e };
	check_fail(&c, "$.chain", "anchor", arena_printf(ctx->a, "no CA that is known here anchors it: %.120s is missing or does not fit",
							 chain->served[chain->count - 1]->issuer),
		   "upload the root with the chain, or add it to a bundle first");
	return RC_OK;
}

/* -- prepare ------------------------------------------------------------------------------------------------- */

static troth_rc leaf_find(struct verb_ctx *ctx, const char *id, struct credential_row *ret, struct troth_err *e)
{
	TRY(record_uuid("credential", id, e));
	TRY(credential_row_by_uuid(ctx->tx, ctx->a, id, ret, e));
	TRY(record_visible(ctx->who, "credential", ret->name, e));
	ENSURE(ret->kind == CREDENTIAL_LEAF, e, TROTH_INVALID, "%s is an authority: a leaf is uploaded here", ret->name);
	if (name_is_reserved(ret->name)) {
		troth_rc rc = err_set(e, TROTH_CONFLICT, "%s is troth's own", ret->name);
		err_hint(e, "the certificate of the server's listener is brought with: troth server-certificate set");
		return rc;
	}
	return RC_OK;
}

static troth_rc need_wrap(struct verb_ctx *ctx, const struct upload_cmd *cmd, const struct upload_plan *plan, struct troth_err *e)
{
	struct keeper_request *need = ARENA_NEW(ctx->a, struct keeper_request);
	need->kind = KEEPER_KEY_WRAP;
	need->key_wrap.key = bytes_of_text(cmd->private_key);
	need->key_wrap.policy = (struct keeper_policy){ .kind = KEEPER_KEY_LEAF, .authority = plan->leaf.name, .path_len = -1,
							.latest_not_after = plan->chain.leaf->not_after };
	(void)text_copy(need->key_wrap.policy.key_id, UUID_LEN, plan->version); /* a uuid fits a uuid */
	return verb_need(ctx, need, e);
}

static troth_rc judge(struct verb_ctx *ctx, const struct upload_cmd *cmd, struct upload_plan *plan, struct troth_err *e)
{
	struct credential_spec spec;
	upload_chain_read(ctx->a, cmd, ctx->now, &plan->chain, e);
	TRY(credential_spec_read(ctx->a, plan->leaf.spec, &spec, e));
	upload_chain_fits(ctx->a, &plan->chain, &spec, e);
	if (plan->chain.count)
		TRY(upload_anchor(ctx, &plan->chain, spec.eku, &plan->anchor, e));
	return check_done(e);
}

static troth_rc upload_prepare(struct verb_ctx *ctx, const void *arg, struct troth_err *e)
{
	const struct upload_cmd *cmd = arg;
	struct upload_plan *plan = ARENA_NEW(ctx->a, struct upload_plan);
	TRY(leaf_find(ctx, cmd->id, &plan->leaf, e));
	TRY(judge(ctx, cmd, plan, e));
	verb_uuid(ctx, plan->version);
	ctx->plan = plan;
	return ctx->options.dry_run ? RC_OK : need_wrap(ctx, cmd, plan, e);
}

/* -- run --------------------------------------------------------------------------------------------------------- */

static troth_rc version_store(struct verb_ctx *ctx, const struct upload_plan *plan, const struct credential_row *leaf, int64_t anchor,
			      struct version_row *ret, struct troth_err *e)
{
	*ret = (struct version_row){ .uuid = plan->version, .source = VERSION_UPLOADED, .wanted = true, .anchor_cert = anchor };
	if (ctx->reply_count)
		ret->key_blob = ctx->replies[0]->blob;
	return issue_store(ctx, leaf, NULL, plan->chain.leaf->der, ret, e);
}

static troth_rc content_store(struct verb_ctx *ctx, const struct upload_plan *plan, int64_t version_id, int64_t *ret_id, struct troth_err *e)
{
	struct content_row content = { .kind = CONTENT_CHAIN, .version_id = version_id };
	content.certs.items = ARENA_ARRAY(ctx->a, int64_t, plan->chain.count);
	for (size_t i = 0; i < plan->chain.count; i++) {
		struct cert_row row;
		TRY(issue_cert_put(ctx->tx, ctx->a, plan->chain.served[i], &row, e));
		content.certs.items[content.certs.count++] = row.id;
	}
	TRY(content_row_put(ctx->tx, &content, e));
	verb_changed(ctx, CHANGED_CONTENT, content.id);
	*ret_id = content.id;
	return RC_OK;
}

static troth_rc promise_seal(struct verb_ctx *ctx, int64_t version, int64_t content, int64_t target, struct troth_err *e)
{
	struct outbox_row row = { .kind = EFFECT_UPLOAD_SEAL, .created = ctx->now, .due = ctx->now };
	row.body = arena_printf(ctx->a, "{\"version\":%lld,\"content\":%lld,\"target\":%lld}", (long long)version, (long long)content,
				(long long)target);
	return outbox_put(ctx->tx, &row, e);
}

/* Its key, sealed to the agent that shall open it; who has none had the key before we did. */
static troth_rc give_key(struct verb_ctx *ctx, int64_t version, int64_t content, const struct target_row *slot, struct troth_err *e)
{
	struct template_row group;
	struct target_row row = *slot;
	TRY(template_row_get(ctx->tx, ctx->a, slot->template_id, &group, e));
	if (group.party == PARTY_EXTERNAL)
		return upload_stage(ctx, &row, content, version, bytes_of(NULL, 0), e);
	return promise_seal(ctx, version, content, slot->id, e);
}

/* Each slot that presents it: its key for its agent, and the stores that it will meet. */
static troth_rc give_to_slots(struct verb_ctx *ctx, const struct credential_row *leaf, const struct version_row *version,
			      int64_t content, int64_t *ret_slots, struct troth_err *e)
{
	struct target_row *slots;
	size_t n;
	TRY(target_row_list_credential(ctx->tx, ctx->a, leaf->id, &slots, &n, e));
	for (size_t i = 0; i < n; i++) {
		if (slots[i].state == TARGET_LEFT)
			continue;
		slots[i].csr_request = NULL; /* nobody makes a key for it any more */
		slots[i].csr_ca = 0;
		TRY(target_row_update(ctx->tx, &slots[i], e));
		verb_changed(ctx, CHANGED_TARGET, slots[i].id);
		TRY(meet_anchor_added(ctx, slots[i].template_id, version->anchor_cert, e));
		TRY(give_key(ctx, version->id, content, &slots[i], e));
		(*ret_slots)++;
	}
	return RC_OK;
}

static troth_rc record_upload(struct verb_ctx *ctx, const struct upload_cmd *cmd, const struct upload_ret *ret, struct troth_err *e)
{
	struct record r;
	record_begin(&r);
	jw_kv_text(&r.w, "version", ret->version);
	jw_kv_text(&r.w, "anchor", ret->anchor);
	jw_kv_int(&r.w, "slots", ret->slots);
	jw_kv_text(&r.w, "trusted_by", ret->trusted_now ? cmd->trust_issuer : NULL);
	return record_change(ctx, &(struct change){ .action = "credential.upload", .object = ret->credential.row.name,
						    .after = record_end(&r, ctx->a) }, e);
}

static troth_rc store_all(struct verb_ctx *ctx, const struct upload_cmd *cmd, const struct upload_plan *plan,
			  const struct credential_row *leaf, struct upload_ret *ret, struct troth_err *e)
{
	struct version_row version;
	struct cert_row anchor;
	int64_t content;
	char *hex = arena_alloc(ctx->a, SHA256_HEX_LEN);
	TRY(issue_cert_put(ctx->tx, ctx->a, plan->anchor, &anchor, e));
	TRY(version_store(ctx, plan, leaf, anchor.id, &version, e));
	TRY(content_store(ctx, plan, version.id, &content, e));
	if (cmd->trust_issuer)
		TRY(bundle_trust(ctx, cmd->trust_issuer, "$.trust_issuer", plan->anchor, leaf->name, &ret->trusted_now, e));
	TRY(give_to_slots(ctx, leaf, &version, content, &ret->slots, e));
	ctx->svc->effects = true;
	TRY(notice_promise(ctx, version.id, plan->chain.leaf->not_after, e));
	ret->version = arena_text(ctx->a, version.uuid);
	ret->anchor = cert_fingerprint_hex(plan->anchor, hex);
	return RC_OK;
}

static troth_rc upload_run(struct verb_ctx *ctx, const void *arg, void *out, struct troth_err *e)
{
	const struct upload_cmd *cmd = arg;
	const struct upload_plan *plan = ctx->plan;
	struct upload_ret *ret = out;
	struct credential_row leaf;
	TRY(leaf_find(ctx, cmd->id, &leaf, e));
	TRY(record_if_match(ctx, leaf.name, leaf.rev, e));
	ENSURE(!ctx->reply_count || bytes_equal(ctx->replies[0]->spki, plan->chain.leaf->spki), e, TROTH_INVALID,
	       "the key that was uploaded is not the certificate's");
	TRY(store_all(ctx, cmd, plan, &leaf, ret, e));
	TRY(credential_row_get(ctx->tx, ctx->a, leaf.id, &leaf, e));
	leaf.rev++;
	TRY(credential_row_update(ctx->tx, &leaf, e));
	TRY(credential_view_load(ctx->tx, ctx->a, &leaf, true, &ret->credential, e));
	return record_upload(ctx, cmd, ret, e);
}

const struct verb VERB_CREDENTIAL_UPLOAD = {
	.name = "credential.upload", .kind = VERB_WRITE, .roles = ROLES_CHANGE | ROLE_DEVELOPER,
	.cmd_size = sizeof(struct upload_cmd), .ret_size = sizeof(struct upload_ret), .prepare = upload_prepare, .run = upload_run,
};

/* -- afterwards ------------------------------------------------------------------------------------------------- */

troth_rc upload_is_owned(struct tx *tx, struct arena *a, const struct credential_row *leaf, bool *ret, struct troth_err *e)
{
	struct version_row newest;
	*ret = false;
	if (leaf->kind != CREDENTIAL_LEAF || !leaf->signing_version)
		return RC_OK;
	TRY(version_row_get(tx, a, leaf->signing_version, &newest, e));
	*ret = newest.source == VERSION_UPLOADED;
	return RC_OK;
}

troth_rc upload_refuse_renewal(const struct credential_row *leaf, struct troth_err *e)
{
	troth_rc rc = err_set(e, TROTH_CONFLICT, "%s was uploaded: only its owner can bring the next one", leaf->name);
	if (name_is_reserved(leaf->name))
		err_hint(e, "troth server-certificate set --certificate-file PEM --key-file PEM --chain-file PEM");
	else
		err_hint(e, "troth credential upload %s --certificate-file PEM --key-file PEM --chain-file PEM", leaf->name);
	err_object(e, "%s", leaf->name);
	return rc;
}

/* The chain that its newest version is served with. */
static troth_rc newest_content(struct verb_ctx *ctx, int64_t version_id, int64_t *ret, struct troth_err *e)
{
	struct version_row version, *same;
	struct content_row *contents;
	size_t n, same_count;
	*ret = 0;
	TRY(version_row_get(ctx->tx, ctx->a, version_id, &version, e));
	TRY(version_row_list_cert(ctx->tx, ctx->a, version.cert_id, &same, &same_count, e)); /* uploaded twice: one content */
	for (size_t i = 0; i < same_count && !*ret; i++) {
		TRY(content_row_list_version(ctx->tx, ctx->a, same[i].id, &contents, &n, e));
		*ret = n ? contents[n - 1].id : 0;
	}
	return RC_OK;
}

troth_rc upload_slot_joined(struct verb_ctx *ctx, const struct target_row *slot, struct troth_err *e)
{
	struct credential_row leaf;
	struct version_row version;
	bool owned;
	int64_t content;
	TRY(credential_row_get(ctx->tx, ctx->a, slot->credential_id, &leaf, e));
	TRY(upload_is_owned(ctx->tx, ctx->a, &leaf, &owned, e));
	if (!owned)
		return RC_OK;
	TRY(version_row_get(ctx->tx, ctx->a, leaf.signing_version, &version, e));
	TRY(newest_content(ctx, version.id, &content, e));
	TRY(meet_anchor_added(ctx, slot->template_id, version.anchor_cert, e));
	return content ? give_key(ctx, version.id, content, slot, e) : RC_OK;
}

/* One upload waits at a slot at a time: an older one that was never sent is not sent any more. */
static troth_rc drop_older(struct verb_ctx *ctx, int64_t target_id, struct troth_err *e)
{
	struct staged_row *rows;
	size_t n;
	TRY(staged_row_list_target(ctx->tx, ctx->a, target_id, &rows, &n, e));
	for (size_t i = 0; i < n; i++)
		TRY(staged_row_delete(ctx->tx, target_id, rows[i].content_id, e));
	return RC_OK;
}

troth_rc upload_stage(struct verb_ctx *ctx, struct target_row *slot, int64_t content_id, int64_t version_id, struct bytes sealed,
		      struct troth_err *e)
{
	struct sealed_row key = { .target_id = slot->id, .content_id = content_id, .sealed = sealed, .created = ctx->now };
	struct staged_row row = { .target_id = slot->id, .content_id = content_id, .version_id = version_id, .created = ctx->now };
	TRY(drop_older(ctx, slot->id, e));
	if (sealed.len)
		TRY(sealed_row_put(ctx->tx, &key, e));
	TRY(staged_row_put(ctx->tx, &row, e));
	verb_changed(ctx, CHANGED_TARGET, slot->id);
	return RC_OK;
}
