/* What came back for an external authority.  See certify.h. */
#include "service/intake/certify.h"

#include "service/ca/credential.h"
#include "service/ca/hierarchy.h"
#include "service/ca/notice.h"
#include "service/intake/certify_chain.h"
#include "service/intake/constrained.h"
#include "service/intake/external_ca.h"
#include "service/intake/imported.h"
#include "service/intake/known.h"
#include "service/record.h"
#include "service/rotation/distrust.h"
#include "service/rotation/rotation_rows.h"

/* The root that holds the chain, and whose it is. */
struct anchor {
	const struct cert *cert;
	struct credential_row authority; /* id 0: to be made */
	struct version_row version;      /* the same */
	const char *name;                /* of the authority */
};

struct certify_plan {
	struct credential_row credential;
	struct ca_request_row request;
	struct certify_need need;
	struct upload_chain chain;
	struct anchor anchor;
	struct hierarchy hierarchy;
};

void certify_check(struct arena *a, const struct certify_cmd *cmd, struct troth_err *e)
{
	struct checker c = { a, e };
	check_present(&c, "$.certificate", cmd->certificate);
}

/* -- what it must be ------------------------------------------------------------------------------------------- */

static troth_rc find(struct verb_ctx *ctx, const struct certify_cmd *cmd, struct certify_plan *plan, struct troth_err *e)
{
	struct credential_row *c = &plan->credential;
	bool waits;
	TRY(record_uuid("authority", cmd->id, e));
	TRY(credential_row_by_uuid(ctx->tx, ctx->a, cmd->id, c, e));
	ENSURE(c->kind == CREDENTIAL_AUTHORITY, e, TROTH_NOT_FOUND, "%s is not an authority", cmd->id);
	TRY(record_visible(ctx->who, "authority", c->name, e));
	TRY(ca_request_row_of(ctx->tx, ctx->a, c->id, &plan->request, &waits, e));
	return waits ? RC_OK : external_refuse_none(c, e);
}

static troth_rc read_before(struct verb_ctx *ctx, struct certify_plan *plan, struct troth_err *e)
{
	struct version_row *versions;
	size_t n;
	TRY(version_row_list_credential(ctx->tx, ctx->a, plan->credential.id, PAGE_ALL, &versions, &n, e));
	plan->need.before = ARENA_ARRAY(ctx->a, const struct cert *, n + 1);
	for (size_t i = 0; i < n; i++) {
		struct cert_row row;
		TRY(cert_row_get(ctx->tx, ctx->a, versions[i].cert_id, &row, e));
		TRY(cert_parse(ctx->a, row.der, &plan->need.before[plan->need.before_count++], e));
	}
	return RC_OK;
}

/* What the leaves of this authority are used for, and how long one lives. */
static troth_rc read_leaves(struct verb_ctx *ctx, const struct credential_row *c, struct certify_need *need, struct troth_err *e)
{
	need->life = c->leaf_ttl > need->life ? c->leaf_ttl : need->life;
	for (struct page page = { 0, 0 };;) {
		struct credential_row *rows;
		size_t n;
		TRY(credential_row_list_issuer(ctx->tx, ctx->a, c->id, page, &rows, &n, e));
		for (size_t i = 0; i < n; i++) {
			struct credential_spec spec;
			if (rows[i].kind != CREDENTIAL_LEAF)
				continue;
			TRY(credential_spec_read(ctx->a, rows[i].spec, &spec, e));
			need->eku |= spec.eku ? spec.eku : (unsigned)EKU_SERVER;
		}
		if (n == 0)
			return RC_OK;
		page.after = rows[n - 1].id;
	}
}

/* Itself, and what is below it; *ret: so many levels of CAs are. */
static troth_rc read_below(struct verb_ctx *ctx, const struct credential_row *c, int depth, struct certify_need *need, int64_t *ret,
			   struct troth_err *e)
{
	struct credential_row *below;
	size_t n;
	*ret = 0;
	TRY(read_leaves(ctx, c, need, e));
	TRY(credential_row_list_issuer(ctx->tx, ctx->a, c->id, PAGE_ALL, &below, &n, e));
	for (size_t i = 0; i < n && depth < LIMIT_CHAIN_CERTS; i++) {
		struct credential_spec spec;
		int64_t levels;
		if (below[i].kind != CREDENTIAL_AUTHORITY)
			continue;
		TRY(read_below(ctx, &below[i], depth + 1, need, &levels, e));
		*ret = levels + 1 > *ret ? levels + 1 : *ret;
		TRY(credential_spec_read(ctx->a, below[i].spec, &spec, e));
		if (depth == 0 && spec.path_len + 1 > need->path_len)
			need->path_len = spec.path_len + 1;
	}
	return RC_OK;
}

troth_rc certify_need_below(struct verb_ctx *ctx, const struct credential_row *authority, struct certify_need *need, struct troth_err *e)
{
	TRY(read_below(ctx, authority, 0, need, &need->levels, e));
	need->path_len = need->levels > need->path_len ? need->levels : need->path_len;
	return RC_OK;
}

static troth_rc read_need(struct verb_ctx *ctx, struct certify_plan *plan, struct troth_err *e)
{
	struct certify_need *need = &plan->need;
	struct csr csr;
	TRY(csr_parse(ctx->a, plan->request.csr, &csr, e));
	*need = (struct certify_need){ .name = plan->credential.name, .spki = csr.spki, .now = ctx->now };
	TRY(read_before(ctx, plan, e));
	return certify_need_below(ctx, &plan->credential, need, e);
}

/* -- what anchors it ------------------------------------------------------------------------------------------- */

/* The root that was said, alone; or NULL. */
static const struct cert *said_root(struct verb_ctx *ctx, const struct certify_cmd *cmd, struct troth_err *e)
{
	struct checker c = { ctx->a, e };
	struct cert_pool pool = { 0 };
	if (!cmd->root)
		return NULL;
	cert_pool_read(&c, "$.root", cmd->root, &pool);
	if (pool.count > 1)
		check_fail(&c, "$.root", "certificate", arena_printf(ctx->a, "has %zu certificates", pool.count), "say the one root that anchors it");
	return pool.count == 1 ? pool.items[0] : NULL;
}

static void add_imported(struct verb_ctx *ctx, struct cert_pool *list, const struct cert *cert, struct troth_err *e)
{
	struct version_row v;
	struct credential_row owner;
	bool found;
	if (cert_self_signed(cert) && rc_ok(known_version(ctx, cert, &v, &owner, &found, e)) && found &&
	    owner.origin == ORIGIN_IMPORTED && record_in_scope(ctx->who, owner.name))
		known_add(ctx->a, list, cert);
}

/* Below an imported authority: what is wanted of that one, newest first. */
static troth_rc issuers_roots(struct verb_ctx *ctx, int64_t issuer_id, struct cert_pool *ret, struct troth_err *e)
{
	struct version_row *versions;
	size_t n;
	TRY(version_row_list_credential(ctx->tx, ctx->a, issuer_id, PAGE_ALL, &versions, &n, e));
	for (size_t i = n; i > 0; i--) {
		struct cert_row row;
		const struct cert *cert;
		if (!versions[i - 1].wanted || versions[i - 1].distrusted)
			continue;
		TRY(cert_row_get(ctx->tx, ctx->a, versions[i - 1].cert_id, &row, e));
		TRY(cert_parse(ctx->a, row.der, &cert, e));
		known_add(ctx->a, ret, cert);
	}
	return RC_OK;
}

/* Below none yet: the one that was said, or those that came with it, or any that was imported. */
static troth_rc brought_roots(struct verb_ctx *ctx, const struct certify_plan *plan, const struct cert *said, struct cert_pool *ret,
			      struct troth_err *e)
{
	struct cert_pool known = { 0 };
	if (said)
		known_add(ctx->a, ret, said);
	for (size_t i = 0; !said && i < plan->chain.root_count; i++)
		known_add(ctx->a, ret, plan->chain.roots[i]);
	if (ret->count)
		return RC_OK;
	TRY(known_issuers(ctx, plan->chain.served[plan->chain.count - 1], &known, e));
	for (size_t i = 0; i < known.count; i++)
		add_imported(ctx, ret, known.items[i], e);
	return RC_OK;
}

static const struct cert *last_of(const struct certify_plan *plan) { return plan->chain.served[plan->chain.count - 1]; }

static const char *anchor_text(struct verb_ctx *ctx, const struct certify_plan *plan, const struct troth_err *why)
{
	const char *at = plan->anchor.name ? arena_printf(ctx->a, "no version of %s anchors it", plan->anchor.name) : "no root anchors it";
	if (!why->primary[0])
		return arena_printf(ctx->a, "%s: %.120s is missing, which signed %.120s", at, last_of(plan)->issuer, last_of(plan)->subject);
	return arena_printf(ctx->a, "%s: %s%s%s", at, why->primary, why->detail[0] ? "; " : "", why->detail);
}

static const char *anchor_hint(struct verb_ctx *ctx, const struct certify_plan *plan, const struct troth_err *why)
{
	if (why->hint[0])
		return arena_text(ctx->a, why->hint);
	if (plan->anchor.name)
		return arena_printf(ctx->a, "put the CAs between them into the file; if that is a new root: troth authority import %s "
				    "--certificate-file PEM", plan->anchor.name);
	return "put its issuers and the root into the file, or say the root: --root-file PEM";
}

/* The first candidate that holds it. */
static void choose(struct verb_ctx *ctx, struct certify_plan *plan, const struct cert_pool *candidates, struct troth_err *e)
{
	struct checker c = { ctx->a, e };
	struct troth_err why = { 0 };
	for (size_t i = 0; i < candidates->count; i++) {
		if (!bytes_equal(candidates->items[i]->subject_der, last_of(plan)->issuer_der))
			continue;
		err_clear(&why);
		if (rc_ok(certify_chain_anchored(ctx->a, &plan->chain, candidates->items[i], &plan->need, &why))) {
			plan->anchor.cert = candidates->items[i];
			return;
		}
	}
	check_fail(&c, "$.certificate", "anchor", anchor_text(ctx, plan, &why), anchor_hint(ctx, plan, &why));
}

/* A root that nobody trusts here yet becomes an authority; so it must be fit to be one. */
static troth_rc name_anchor(struct verb_ctx *ctx, struct certify_plan *plan, const char *path, struct troth_err *e)
{
	struct anchor *anchor = &plan->anchor;
	struct checker c = { ctx->a, e };
	bool found;
	TRY(known_version(ctx, anchor->cert, &anchor->version, &anchor->authority, &found, e));
	if (found && anchor->authority.origin == ORIGIN_IMPORTED && anchor->version.wanted && record_in_scope(ctx->who, anchor->authority.name)) {
		anchor->name = anchor->authority.name;
		return RC_OK;
	}
	if (found) {
		check_fail(&c, path, "anchor", arena_printf(ctx->a, "its root is a certificate of %s, below which it cannot stand",
								       anchor->authority.name),
			   "the root must be an imported authority's present one, in your scope");
		return RC_OK;
	}
	anchor->authority = (struct credential_row){ 0 };
	anchor->version = (struct version_row){ 0 };
	anchor->name = arena_printf(ctx->a, "%s/root", plan->credential.name);
	check_new_name(&c, path, anchor->name, false);
	certify_root_judge(ctx->a, path, anchor->cert, ctx->now, e);
	TRY(check_done(e));
	TRY(principal_in_scope(ctx->who, anchor->name, e));
	return credential_name_free(ctx, anchor->name, e);
}

/* A key that was given up stays so, in whatever certificate it comes. */
static troth_rc check_key(struct verb_ctx *ctx, const struct cert *x, const char *path, struct troth_err *e)
{
	struct checker c = { ctx->a, e };
	bool distrusted;
	TRY(distrust_spki_has(ctx->tx, ctx->a, bytes_of(x->key_id, SHA256_LEN), &distrusted, e));
	if (distrusted)
		check_fail(&c, path, "10", arena_printf(ctx->a, "the key of %.120s was distrusted as compromised", x->subject),
			   "have it signed by another CA");
	return RC_OK;
}

static troth_rc find_anchor(struct verb_ctx *ctx, const struct certify_cmd *cmd, struct certify_plan *plan, struct troth_err *e)
{
	struct cert_pool candidates = { 0 };
	const struct cert *said = said_root(ctx, cmd, e);
	TRY(check_done(e));
	if (plan->credential.issuer_id) {
		TRY(credential_row_get(ctx->tx, ctx->a, plan->credential.issuer_id, &plan->anchor.authority, e));
		plan->anchor.name = plan->anchor.authority.name;
		TRY(issuers_roots(ctx, plan->credential.issuer_id, &candidates, e));
	} else {
		TRY(brought_roots(ctx, plan, said, &candidates, e));
	}
	choose(ctx, plan, &candidates, e);
	TRY(check_done(e));
	TRY(check_key(ctx, plan->anchor.cert, said ? "$.root" : "$.certificate", e));
	TRY(check_done(e));
	if (said && memcmp(said->fingerprint, plan->anchor.cert->fingerprint, SHA256_LEN) != 0) {
		struct checker c = { ctx->a, e };
		check_fail(&c, "$.root", "anchor", arena_printf(ctx->a, "is not the root that anchors it, which is %.120s of %s",
								plan->anchor.cert->subject, plan->anchor.name), "leave it out");
		return check_done(e);
	}
	return name_anchor(ctx, plan, said ? "$.root" : "$.certificate", e);
}

/* -- judging all of it ------------------------------------------------------------------------------------------- */

/* Rule N among its own versions; and nothing of the chain may be distrusted. */
static troth_rc check_others(struct verb_ctx *ctx, const struct certify_plan *plan, struct troth_err *e)
{
	struct checker c = { ctx->a, e };
	for (size_t i = 0; i < plan->need.before_count; i++)
		if (known_ambiguous(plan->chain.leaf, plan->need.before[i]))
			check_fail(&c, "$.certificate", "same-subject", "has the subject and the key identifier of a version before, and another key",
				   "verifiers would take the wrong one; have it signed with the key identifier that the request asks for");
	for (size_t i = 0; i < plan->chain.count; i++)
		TRY(check_key(ctx, plan->chain.served[i], "$.certificate", e));
	return RC_OK;
}

/* What stands below it must be permitted by itself and by each CA above it. */
static troth_rc check_names(struct verb_ctx *ctx, const struct certify_plan *plan, struct troth_err *e)
{
	struct cert_pool cas = { 0 };
	for (size_t i = 0; i < plan->chain.count; i++)
		known_add(ctx->a, &cas, plan->chain.served[i]);
	known_add(ctx->a, &cas, plan->anchor.cert);
	return constrained_judge(ctx, "$.certificate", &plan->credential, &cas, e);
}

static troth_rc judge(struct verb_ctx *ctx, const struct certify_cmd *cmd, struct certify_plan **ret, struct troth_err *e)
{
	struct certify_plan *plan = ARENA_NEW(ctx->a, struct certify_plan);
	TRY(find(ctx, cmd, plan, e));
	TRY(read_need(ctx, plan, e));
	certify_chain_read(ctx->a, "$.certificate", cmd->certificate, &plan->need, &plan->chain, e);
	if (plan->chain.count)
		TRY(check_others(ctx, plan, e));
	TRY(check_done(e));
	TRY(find_anchor(ctx, cmd, plan, e));
	TRY(check_names(ctx, plan, e));
	TRY(check_done(e));
	struct keeper_issuer brought = { plan->request.key_blob, plan->chain.leaf->der };
	*ret = plan;
	return hierarchy_plan_brought(ctx, &plan->credential, &brought, &plan->hierarchy, e);
}

static troth_rc certify_prepare(struct verb_ctx *ctx, const void *arg, struct troth_err *e)
{
	struct certify_plan *plan = ctx->plan;
	if (!plan)
		TRY(judge(ctx, arg, &plan, e));
	ctx->plan = plan;
	return ctx->options.dry_run ? RC_OK : hierarchy_ask(ctx, &plan->hierarchy, e);
}

/* -- rows ---------------------------------------------------------------------------------------------------------- */

static troth_rc insert_version(struct verb_ctx *ctx, struct certify_plan *plan, struct version_row *ret, struct troth_err *e)
{
	struct signer root = { .version = plan->anchor.version };
	*ret = (struct version_row){ .uuid = plan->request.uuid, .source = VERSION_UPLOADED, .key_blob = plan->request.key_blob,
				     .wanted = true, .can_sign = true };
	ret->above.items = ARENA_ARRAY(ctx->a, int64_t, plan->chain.count);
	for (size_t i = 1; i < plan->chain.count; i++) {
		struct cert_row row;
		TRY(issue_cert_put(ctx->tx, ctx->a, plan->chain.served[i], &row, e));
		ret->above.items[ret->above.count++] = row.id;
	}
	TRY(issue_store(ctx, &plan->credential, &root, plan->chain.leaf->der, ret, e));
	TRY(external_forget(ctx, &plan->request, e));
	TRY(notice_promise(ctx, ret->id, plan->chain.leaf->not_after, e));
	return RC_OK;
}

/* From now on it stands below that root: whoever trusts it by name gets the root, and meets what is below. */
static troth_rc link_root(struct verb_ctx *ctx, const struct certify_plan *plan, struct troth_err *e)
{
	struct credential_row row;
	struct bundle_member_row *members;
	size_t n;
	TRY(credential_row_get(ctx->tx, ctx->a, plan->credential.id, &row, e));
	if (row.issuer_id)
		return RC_OK;
	row.issuer_id = plan->anchor.authority.id;
	TRY(credential_row_update(ctx->tx, &row, e));
	TRY(bundle_member_row_list_authority(ctx->tx, ctx->a, row.id, &members, &n, e));
	for (size_t i = 0; i < n; i++)
		verb_changed(ctx, CHANGED_BUNDLE, members[i].bundle_id);
	return imported_meets(ctx, plan->anchor.authority.id, plan->anchor.version.cert_id, e);
}

/* If its root is being rotated too: an abort of that takes this back as well. */
static troth_rc tell_roots_rotation(struct verb_ctx *ctx, const struct certify_plan *plan, const struct version_row *version,
				    const struct rotation_row *own, struct troth_err *e)
{
	struct rotation_row *rows;
	size_t n;
	TRY(rotation_row_list_open(ctx->tx, ctx->a, &rows, &n, e));
	for (size_t i = 0; i < n; i++) {
		if (rows[i].credential_id != plan->anchor.authority.id || rows[i].new_version != version->signed_by)
			continue;
		hierarchy_note(ctx, &rows[i].below_new, version->id);
		for (size_t k = 0; k < own->wanted_before.count; k++)
			hierarchy_note(ctx, &rows[i].below_old, own->wanted_before.items[k]);
		TRY(rotation_row_update(ctx->tx, &rows[i], e));
	}
	return RC_OK;
}

/* The goal flips, as for any other rotation; the CAs below got new versions with it. */
static troth_rc go_on(struct verb_ctx *ctx, struct certify_plan *plan, const struct version_row *version, struct certify_ret *ret,
		      struct troth_err *e)
{
	struct hierarchy *h = &plan->hierarchy;
	struct rotation_row rotation;
	TRY(rotation_row_get(ctx->tx, ctx->a, plan->request.rotation_id, &rotation, e));
	h->items[0].next = *version;
	TRY(hierarchy_write(ctx, h, &rotation, false, e));
	rotation.new_version = version->id;
	TRY(rotation_unwant(ctx, plan->credential.id, version->id, &rotation, e));
	TRY(rotation_row_update(ctx->tx, &rotation, e));
	TRY(hierarchy_supersede(ctx, plan->credential.id, &rotation, e));
	for (size_t i = 1; i < h->count; i++)
		if (h->items[i].next.id != h->items[i].now.id)
			TRY(hierarchy_supersede(ctx, h->items[i].credential.id, &rotation, e));
	verb_changed(ctx, CHANGED_ROTATION, rotation.id);
	verb_publish(ctx, "rotation/%s", rotation.uuid);
	ret->rotation = rotation.uuid;
	return tell_roots_rotation(ctx, plan, version, &rotation, e);
}

static troth_rc record_certify(struct verb_ctx *ctx, const struct certify_plan *plan, const struct certify_ret *ret, struct troth_err *e)
{
	struct record r;
	record_begin(&r);
	jw_kv_text(&r.w, "version", ret->version);
	jw_kv_text(&r.w, "subject", plan->chain.leaf->subject);
	jw_kv_time(&r.w, "not_after", plan->chain.leaf->not_after);
	jw_kv_text(&r.w, "root", ret->root);
	jw_kv_text(&r.w, "root_fingerprint", ret->root_fingerprint);
	jw_kv_bool(&r.w, "root_made", ret->root_made);
	jw_kv_text(&r.w, "rotation", ret->rotation);
	return record_change(ctx, &(struct change){ .action = "authority.certify", .object = plan->credential.name,
						    .after = record_end(&r, ctx->a) }, e);
}

static troth_rc write_all(struct verb_ctx *ctx, struct certify_plan *plan, struct certify_ret *ret, struct troth_err *e)
{
	struct version_row version;
	if (ret->root_made)
		TRY(imported_make(ctx, plan->anchor.name, plan->anchor.cert, &plan->anchor.authority, &plan->anchor.version, e));
	TRY(insert_version(ctx, plan, &version, e));
	if (plan->request.rotation_id)
		TRY(go_on(ctx, plan, &version, ret, e));
	else
		TRY(version_row_set_signing(ctx->tx, plan->credential.id, version.id, e));
	TRY(link_root(ctx, plan, e));
	TRY(imported_settle(ctx, plan->anchor.authority.id, e));
	return record_certify(ctx, plan, ret, e);
}

static bool same_plan(const struct certify_plan *x, const struct certify_plan *y)
{
	return text_equal(x->request.uuid, y->request.uuid) && x->anchor.version.id == y->anchor.version.id &&
	       hierarchy_same(&x->hierarchy, &y->hierarchy);
}

static troth_rc certify_run(struct verb_ctx *ctx, const void *arg, void *out, struct troth_err *e)
{
	struct certify_plan *plan = ctx->plan, *now;
	struct certify_ret *ret = out;
	struct credential_row row;
	TRY(judge(ctx, arg, &now, e));
	TRY(record_if_match(ctx, now->credential.name, now->credential.rev, e));
	ctx->retry = !same_plan(plan, now);
	if (ctx->retry)
		return RC_OK;
	ret->version = plan->request.uuid;
	ret->root = plan->anchor.name;
	ret->root_fingerprint = cert_fingerprint_hex(plan->anchor.cert, arena_alloc(ctx->a, SHA256_HEX_LEN));
	ret->root_made = !plan->anchor.authority.id;
	if (!ctx->options.dry_run)
		TRY(write_all(ctx, plan, ret, e));
	TRY(credential_row_get(ctx->tx, ctx->a, now->credential.id, &row, e));
	row.rev++;
	TRY(credential_row_update(ctx->tx, &row, e));
	return credential_view_load(ctx->tx, ctx->a, &row, true, &ret->credential, e);
}

const struct verb VERB_AUTHORITY_CERTIFY = {
	.name = "authority.certify", .kind = VERB_WRITE, .roles = ROLES_CHANGE,
	.cmd_size = sizeof(struct certify_cmd), .ret_size = sizeof(struct certify_ret), .prepare = certify_prepare, .run = certify_run,
};
