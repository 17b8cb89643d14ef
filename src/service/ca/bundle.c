/* Bundles: named sets of trusted CAs.
 *
 * A member is an authority (all its trusted versions, also those to come) or one certificate with an
 * alias and where it came from.  What comes in is checked so that adding never harms (engine-rules,
 * Rule N): a CA that shares its subject with another CA of the bundle but not the key is refused unless
 * both carry key identifiers by which a verifier can tell them apart. */
#include "service/ca/bundle.h"

#include "service/ca/credential.h"
#include "service/check.h"
#include "service/fleet/meet.h"
#include "service/intake/known.h"
#include "service/nouns.h"
#include "service/record.h"
#include "service/rotation/distrust.h"
#include "service/rotation/foresee.h"

#include <stdlib.h>

/* -- views ------------------------------------------------------------------------------------------ */
static troth_rc member_view_load(struct verb_ctx *ctx, const struct bundle_member_row *row, struct bundle_member_view *ret,
				 struct troth_err *e)
{
	*ret = (struct bundle_member_view){ .row = *row };
	if (row->cert_id)
		return cert_row_get(ctx->tx, ctx->a, row->cert_id, &ret->cert, e);
	struct credential_row authority;
	TRY(credential_row_get(ctx->tx, ctx->a, row->authority_id, &authority, e));
	ret->authority = authority.name;
	return RC_OK;
}

static troth_rc view_load(struct verb_ctx *ctx, const struct bundle_row *row, struct bundle_view *ret, struct troth_err *e)
{
	struct bundle_member_row *rows;
	size_t n;
	ret->row = *row;
	TRY(bundle_member_row_list_bundle(ctx->tx, ctx->a, row->id, PAGE_ALL, &rows, &n, e));
	ret->members = ARENA_ARRAY(ctx->a, struct bundle_member_view, n);
	ret->member_count = n;
	for (size_t i = 0; i < n; i++)
		TRY(member_view_load(ctx, &rows[i], &ret->members[i], e));
	return RC_OK;
}

static troth_rc bundle_by_id(struct verb_ctx *ctx, const char *id, struct bundle_row *ret, struct troth_err *e)
{
	TRY(record_uuid("bundle", id, e));
	TRY(bundle_row_by_uuid(ctx->tx, ctx->a, id, ret, e));
	return record_visible(ctx->who, "bundle", ret->name, e);
}

/* -- input ---------------------------------------------------------------------------------------------- */
static void check_certificate(const struct checker *c, const char *path, const struct bundle_certificate *in)
{
	const struct cert *const *certs;
	size_t n;
	struct troth_err why = { 0 };
	check_label(c, arena_printf(c->a, "%s.alias", path), in->alias);
	const char *at = arena_printf(c->a, "%s.pem", path);
	if (!check_present(c, at, in->pem))
		return;
	if (rc_failed(certs_parse_pem(c->a, bytes_of_text(in->pem), &certs, &n, &why)))
		check_fail(c, at, "certificate", why.primary, why.hint[0] ? why.hint : NULL);
	else if (n != 1)
		check_fail(c, at, "certificate", arena_printf(c->a, "has %zu certificates", n),
			   "give each its own entry and alias");
	else if (!certs[0]->is_ca)
		check_fail(c, at, "ca", "is not a CA certificate (basicConstraints, RFC 5280 4.2.1.9)",
			   "trust the CA that issued it, not the leaf");
}

static const char *path_of(struct arena *a, const struct bundle_create_cmd *cmd, size_t i)
{
	const char *path = cmd->certificates[i].path;
	return path ? path : arena_printf(a, "$.certificates[%zu]", i);
}

static void create_check(struct arena *a, const struct bundle_create_cmd *cmd, bool reserved_ok, struct troth_err *e)
{
	struct checker c = { a, e };
	check_new_name(&c, "$.name", cmd->name, reserved_ok);
	for (size_t i = 0; i < cmd->authorities.count; i++)
		check_name(&c, arena_printf(a, "$.authorities[%zu]", i), cmd->authorities.items[i]);
	if (cmd->certificate_count > LIMIT_BUNDLE_CERTS)
		check_fail(&c, "$.certificates", "length", "has more than 500 certificates", NULL);
	for (size_t i = 0; i < cmd->certificate_count && i < LIMIT_BUNDLE_CERTS; i++)
		check_certificate(&c, path_of(a, cmd, i), &cmd->certificates[i]);
}

static bool has_certificate(const struct bundle_certificate *in) { return in->pem || in->alias || in->source; }

void bundle_create_check(struct arena *a, const struct bundle_create_cmd *cmd, struct troth_err *e)
{
	create_check(a, cmd, false, e);
}

void bundle_add_check(struct arena *a, const struct bundle_add_cmd *cmd, struct troth_err *e)
{
	struct checker c = { a, e };
	if (cmd->authority && has_certificate(&cmd->certificate))
		check_fail(&c, "$", "one-of", "has an authority and a certificate", "add one member at a time");
	else if (cmd->authority)
		check_name(&c, "$.authority", cmd->authority);
	else
		check_certificate(&c, "$", &cmd->certificate);
}

/* -- rule N ------------------------------------------------------------------------------------------------ */
struct trusted { const struct cert **items; size_t count; };

static void trusted_add(struct trusted *t, const struct cert *cert) { t->items[t->count++] = cert; }

/* The certificates of all members, versions of authorities included. */
static troth_rc trusted_load(struct verb_ctx *ctx, int64_t bundle_id, size_t more, struct trusted *ret, struct troth_err *e)
{
	struct bundle_member_row *members;
	size_t n;
	struct ids_of { int64_t *ids; size_t count; } certs = { 0 };
	TRY(bundle_member_row_list_bundle(ctx->tx, ctx->a, bundle_id, PAGE_ALL, &members, &n, e));
	for (size_t i = 0; i < n; i++) {
		struct version_row *versions = NULL;
		size_t m = 0;
		if (members[i].authority_id)
			TRY(version_row_list_credential(ctx->tx, ctx->a, members[i].authority_id, PAGE_ALL, &versions, &m, e));
		int64_t *grown = ARENA_ARRAY(ctx->a, int64_t, certs.count + m + 1);
		if (certs.count)
			memcpy(grown, certs.ids, certs.count * sizeof *grown);
		certs.ids = grown;
		for (size_t k = 0; k < m; k++)
			if (!versions[k].retired_at)
				certs.ids[certs.count++] = versions[k].cert_id;
		if (members[i].cert_id)
			certs.ids[certs.count++] = members[i].cert_id;
	}
	*ret = (struct trusted){ ARENA_ARRAY(ctx->a, const struct cert *, certs.count + more), 0 };
	for (size_t i = 0; i < certs.count; i++) {
		struct cert_row row;
		TRY(cert_row_get(ctx->tx, ctx->a, certs.ids[i], &row, e));
		TRY(cert_parse(ctx->a, row.der, &ret->items[ret->count++], e));
	}
	return RC_OK;
}

static bool check_rule_n(const struct checker *c, const char *path, const struct cert *cert, const struct trusted *t)
{
	for (size_t i = 0; i < t->count; i++) {
		if (!known_ambiguous(cert, t->items[i]))
			continue;
		check_fail(c, path, "same-subject",
			   arena_printf(c->a, "has the subject %s of another trusted CA, another key, and no key identifier to tell them apart",
					cert->subject),
			   "verifiers would take the wrong one; have it reissued with a subject key identifier");
		return false;
	}
	return true;
}

/* -- members ------------------------------------------------------------------------------------------------ */
struct member_in { /* one that is being added */
	const char *path;
	const char *authority;
	const struct bundle_certificate *certificate;
};

static troth_rc insert_member(struct verb_ctx *ctx, struct bundle_member_row *row, struct troth_err *e)
{
	row->created = ctx->now;
	TRY(bundle_member_row_insert(ctx->tx, row, e));
	return meet_member_added(ctx, row, e);
}

static troth_rc add_authority(struct verb_ctx *ctx, int64_t bundle_id, const struct member_in *in, struct trusted *trusted,
			      struct troth_err *e)
{
	struct checker c = { ctx->a, e };
	struct credential_row authority;
	struct bundle_member_row *members;
	size_t n;
	if (rc_failed(credential_row_by_name(ctx->tx, ctx->a, in->authority, &authority, NULL)) ||
	    authority.kind != CREDENTIAL_AUTHORITY || !record_in_scope(ctx->who, in->authority)) {
		check_fail(&c, in->path, "not-found", arena_printf(ctx->a, "there is no authority %s", in->authority),
			   "create it first: troth authority create");
		return RC_OK;
	}
	TRY(bundle_member_row_list_authority(ctx->tx, ctx->a, authority.id, &members, &n, e));
	for (size_t i = 0; i < n; i++) {
		if (members[i].bundle_id != bundle_id)
			continue;
		check_fail(&c, in->path, "taken", arena_printf(ctx->a, "%s is in the bundle already", in->authority), NULL);
		return RC_OK;
	}
	struct bundle_member_row row = { .bundle_id = bundle_id, .authority_id = authority.id };
	TRY(insert_member(ctx, &row, e));
	TRY(trusted_load(ctx, bundle_id, LIMIT_BUNDLE_CERTS, trusted, e));
	for (size_t i = 0; i < trusted->count; i++)
		if (!check_rule_n(&c, in->path, trusted->items[i], trusted))
			break;
	return RC_OK;
}

static troth_rc member_conflict(struct verb_ctx *ctx, int64_t bundle_id, const struct bundle_certificate *in, int64_t cert_id,
				const char **ret_text, struct troth_err *e)
{
	struct bundle_member_row *members;
	size_t n;
	*ret_text = NULL;
	TRY(bundle_member_row_list_bundle(ctx->tx, ctx->a, bundle_id, PAGE_ALL, &members, &n, e));
	for (size_t i = 0; i < n && !*ret_text; i++) {
		if (members[i].cert_id && members[i].cert_id == cert_id)
			*ret_text = arena_printf(ctx->a, "is in the bundle already, as %s", members[i].alias);
		else if (members[i].alias && text_equal(members[i].alias, in->alias))
			*ret_text = arena_printf(ctx->a, "the alias %s is taken", in->alias);
	}
	if (n >= LIMIT_BUNDLE_CERTS && !*ret_text)
		*ret_text = "the bundle has 500 members already";
	return RC_OK;
}

static troth_rc add_certificate(struct verb_ctx *ctx, int64_t bundle_id, const struct member_in *in, struct trusted *trusted,
				struct troth_err *e)
{
	struct checker c = { ctx->a, e };
	const struct cert *cert;
	struct cert_row cert_row;
	const char *conflict, *pem_path = arena_printf(ctx->a, "%s.pem", in->path);
	TRY(cert_parse_any(ctx->a, bytes_of_text(in->certificate->pem), &cert, e)); /* checked before */
	if (cert->not_after <= ctx->now) {
		char when[RFC3339_LEN];
		check_fail(&c, pem_path, "expired", arena_printf(ctx->a, "expired %s", time_format(cert->not_after, when)), NULL);
		return RC_OK;
	}
	if (!check_rule_n(&c, pem_path, cert, trusted))
		return RC_OK;
	TRY(issue_cert_put(ctx->tx, ctx->a, cert, &cert_row, e));
	bool distrusted;
	TRY(distrust_key_has(ctx->tx, ctx->a, &cert_row, &distrusted, e));
	if (distrusted) {
		check_fail(&c, pem_path, "10", "is distrusted: a version of an authority with this certificate, or its key, was compromised",
			   "trust the version that took its place");
		return RC_OK;
	}
	TRY(member_conflict(ctx, bundle_id, in->certificate, cert_row.id, &conflict, e));
	if (conflict) {
		check_fail(&c, in->path, "taken", conflict, NULL);
		return RC_OK;
	}
	struct bundle_member_row row = { .bundle_id = bundle_id, .cert_id = cert_row.id, .alias = in->certificate->alias,
					 .source = in->certificate->source };
	TRY(insert_member(ctx, &row, e));
	trusted_add(trusted, cert);
	return RC_OK;
}

static troth_rc add_member(struct verb_ctx *ctx, int64_t bundle_id, const struct member_in *in, struct trusted *trusted,
			   struct troth_err *e)
{
	return in->authority ? add_authority(ctx, bundle_id, in, trusted, e) : add_certificate(ctx, bundle_id, in, trusted, e);
}

troth_rc bundle_trust(struct verb_ctx *ctx, const char *name, const char *path, const struct cert *cert, const char *source,
		      bool *ret_added, struct troth_err *e)
{
	struct checker c = { ctx->a, e };
	struct bundle_row row;
	struct trusted trusted;
	char hex[SHA256_HEX_LEN];
	*ret_added = false;
	if (rc_failed(bundle_row_by_name(ctx->tx, ctx->a, name, &row, NULL)) || !record_in_scope(ctx->who, name)) {
		check_fail(&c, path, "not-found", arena_printf(ctx->a, "there is no bundle %s", name), "create it first: troth bundle create");
		return check_done(e);
	}
	TRY(trusted_load(ctx, row.id, LIMIT_BUNDLE_CERTS, &trusted, e));
	for (size_t i = 0; i < trusted.count; i++)
		if (memcmp(trusted.items[i]->fingerprint, cert->fingerprint, SHA256_LEN) == 0)
			return RC_OK; /* it does already */
	struct bundle_certificate in = { .pem = cert_pem(ctx->a, cert->der), .source = source,
					 .alias = arena_printf(ctx->a, "uploaded-%.12s", cert_fingerprint_hex(cert, hex)) };
	TRY(add_certificate(ctx, row.id, &(struct member_in){ .path = path, .certificate = &in }, &trusted, e));
	TRY(check_done(e));
	row.rev++;
	TRY(bundle_row_update(ctx->tx, &row, e));
	verb_changed(ctx, CHANGED_BUNDLE, row.id);
	*ret_added = true;
	return RC_OK;
}

/* -- verbs ------------------------------------------------------------------------------------------------------ */
static troth_rc record_bundle(struct verb_ctx *ctx, const char *action, const struct bundle_view *v, const char *what,
			      struct troth_err *e)
{
	struct record r;
	record_begin(&r);
	jw_kv_text(&r.w, "id", v->row.uuid);
	if (what)
		jw_kv_text(&r.w, "member", what);
	jw_key(&r.w, "members");
	jw_array(&r.w);
	for (size_t i = 0; i < v->member_count; i++)
		jw_text(&r.w, v->members[i].authority ? v->members[i].authority : v->members[i].row.alias);
	jw_array_end(&r.w);
	return record_change(ctx, &(struct change){ .action = action, .object = v->row.name, .after = record_end(&r, ctx->a) }, e);
}

static troth_rc insert_members(struct verb_ctx *ctx, const struct bundle_create_cmd *cmd, int64_t bundle_id, struct troth_err *e)
{
	struct trusted trusted;
	TRY(trusted_load(ctx, bundle_id, LIMIT_BUNDLE_CERTS, &trusted, e));
	for (size_t i = 0; i < cmd->authorities.count; i++)
		TRY(add_member(ctx, bundle_id, &(struct member_in){ .path = arena_printf(ctx->a, "$.authorities[%zu]", i),
								    .authority = cmd->authorities.items[i] }, &trusted, e));
	for (size_t i = 0; i < cmd->certificate_count; i++)
		TRY(add_member(ctx, bundle_id, &(struct member_in){ .path = path_of(ctx->a, cmd, i),
								    .certificate = &cmd->certificates[i] }, &trusted, e));
	return check_done(e);
}

static troth_rc create_run(struct verb_ctx *ctx, const void *arg, void *out, struct troth_err *e)
{
	const struct bundle_create_cmd *cmd = arg;
	struct bundle_ret *ret = out;
	struct bundle_row row = { .rev = 1, .created = ctx->now, .name = cmd->name };
	create_check(ctx->a, cmd, ctx->who->roles & ROLE_SYSTEM, e);
	TRY(check_done(e));
	TRY(principal_in_scope(ctx->who, cmd->name, e));
	row.uuid = verb_uuid_text(ctx);
	TRY(bundle_row_insert(ctx->tx, &row, e));
	TRY(insert_members(ctx, cmd, row.id, e));
	verb_changed(ctx, CHANGED_BUNDLE, row.id);
	TRY(view_load(ctx, &row, &ret->bundle, e));
	return record_bundle(ctx, "bundle.create", &ret->bundle, NULL, e);
}

static troth_rc bundle_moved(struct verb_ctx *ctx, struct bundle_row *row, struct troth_err *e)
{
	row->rev++;
	TRY(bundle_row_update(ctx->tx, row, e));
	verb_changed(ctx, CHANGED_BUNDLE, row->id);
	return RC_OK;
}

static troth_rc add_run(struct verb_ctx *ctx, const void *arg, void *out, struct troth_err *e)
{
	const struct bundle_add_cmd *cmd = arg;
	struct bundle_ret *ret = out;
	struct bundle_row row;
	struct trusted trusted;
	bundle_add_check(ctx->a, cmd, e);
	TRY(check_done(e));
	TRY(bundle_by_id(ctx, cmd->id, &row, e));
	TRY(record_if_match(ctx, row.name, row.rev, e));
	TRY(trusted_load(ctx, row.id, LIMIT_BUNDLE_CERTS, &trusted, e));
	struct member_in in = { .path = cmd->authority ? "$.authority" : "$", .authority = cmd->authority,
				.certificate = &cmd->certificate };
	TRY(add_member(ctx, row.id, &in, &trusted, e));
	TRY(check_done(e));
	TRY(bundle_moved(ctx, &row, e));
	TRY(view_load(ctx, &row, &ret->bundle, e));
	return record_bundle(ctx, "bundle.add", &ret->bundle, cmd->authority ? cmd->authority : cmd->certificate.alias, e);
}

static const struct bundle_member_view *find_member(const struct bundle_view *v, const char *id)
{
	char *end;
	long long want = strtoll(id, &end, 10);
	for (size_t i = 0; i < v->member_count && !*end; i++)
		if (v->members[i].row.id == want)
			return &v->members[i];
	return NULL;
}

static troth_rc remove_run(struct verb_ctx *ctx, const void *arg, void *out, struct troth_err *e)
{
	const struct bundle_remove_cmd *cmd = arg;
	struct bundle_ret *ret = out;
	struct bundle_row row;
	struct bundle_view before;
	struct plan plan;
	TRY(bundle_by_id(ctx, cmd->id, &row, e));
	TRY(record_if_match(ctx, row.name, row.rev, e));
	TRY(view_load(ctx, &row, &before, e));
	if (ctx->options.dry_run)
		foresee_before(ctx, &plan);
	const struct bundle_member_view *member = find_member(&before, cmd->member);
	ENSURE(member, e, TROTH_NOT_FOUND, "%s has no member %.40s", row.name, cmd->member);
	TRY(bundle_member_row_delete(ctx->tx, member->row.id, e));
	TRY(bundle_moved(ctx, &row, e));
	TRY(view_load(ctx, &row, &ret->bundle, e));
	TRY(record_bundle(ctx, "bundle.remove", &ret->bundle, member->authority ? member->authority : member->row.alias, e));
	return ctx->options.dry_run ? foresee_after(ctx, &plan, &ret->next, e) : RC_OK;
}

static troth_rc list_one(struct verb_ctx *ctx, const char *name, struct bundle_list_ret *ret, struct troth_err *e)
{
	struct bundle_row row;
	if (rc_failed(bundle_row_by_name(ctx->tx, ctx->a, name, &row, NULL)) || !record_in_scope(ctx->who, name))
		return RC_OK;
	ret->items = ARENA_NEW(ctx->a, struct bundle_view);
	ret->count = 1;
	return view_load(ctx, &row, ret->items, e);
}

static troth_rc list_run(struct verb_ctx *ctx, const void *arg, void *out, struct troth_err *e)
{
	const struct list_cmd *cmd = arg;
	struct bundle_list_ret *ret = out;
	struct bundle_row *rows;
	size_t n;
	if (cmd->name)
		return list_one(ctx, cmd->name, ret, e);
	TRY(bundle_row_list(ctx->tx, ctx->a, cmd->page, &rows, &n, e));
	ret->items = ARENA_ARRAY(ctx->a, struct bundle_view, n);
	ret->next = record_next(cmd->page, n, n ? rows[n - 1].id : 0);
	for (size_t i = 0; i < n; i++)
		if (record_in_scope(ctx->who, rows[i].name))
			TRY(view_load(ctx, &rows[i], &ret->items[ret->count++], e));
	return RC_OK;
}

static troth_rc show_run(struct verb_ctx *ctx, const void *arg, void *out, struct troth_err *e)
{
	const struct id_cmd *cmd = arg;
	struct bundle_ret *ret = out;
	struct bundle_row row;
	TRY(bundle_by_id(ctx, cmd->id, &row, e));
	return view_load(ctx, &row, &ret->bundle, e);
}

const struct verb VERB_BUNDLE_CREATE = { "bundle.create", VERB_WRITE, ROLES_CHANGE, sizeof(struct bundle_create_cmd),
					 sizeof(struct bundle_ret), NULL, create_run };
const struct verb VERB_BUNDLE_LIST = { "bundle.list", VERB_READ, ROLES_READ, sizeof(struct list_cmd),
				       sizeof(struct bundle_list_ret), NULL, list_run };
const struct verb VERB_BUNDLE_SHOW = { "bundle.show", VERB_READ, ROLES_READ, sizeof(struct id_cmd), sizeof(struct bundle_ret),
				       NULL, show_run };
const struct verb VERB_BUNDLE_ADD = { "bundle.add", VERB_WRITE, ROLES_CHANGE, sizeof(struct bundle_add_cmd),
				      sizeof(struct bundle_ret), NULL, add_run };
const struct verb VERB_BUNDLE_REMOVE = { "bundle.remove", VERB_WRITE, ROLES_CHANGE, sizeof(struct bundle_remove_cmd),
					 sizeof(struct bundle_ret), NULL, remove_run };
