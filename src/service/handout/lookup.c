/* One credential as somebody outside sees it.  See lookup.h. */
#include "service/handout/lookup.h"

#include <string.h>

#include "service/handout/disclose.h"
#include "service/record.h"

/* -- one, with its flags ----------------------------------------------------------------------------- */

troth_rc lookup_find(struct verb_ctx *ctx, const char *name, const char *id, struct credential_row *ret, struct troth_err *e)
{
	if (id)
		TRY(record_uuid("credential", id, e));
	TRY(id ? credential_row_by_uuid(ctx->tx, ctx->a, id, ret, e) : credential_row_by_name(ctx->tx, ctx->a, name, ret, e));
	TRY(record_visible(ctx->who, "credential", ret->name, e));
	ENSURE(!ret->retired, e, TROTH_NOT_FOUND, "%s was deleted", ret->name);
	return RC_OK;
}

static troth_rc has_brought(struct verb_ctx *ctx, const struct rotation_row *r, int64_t authority_id, bool *ret, struct troth_err *e)
{
	*ret = false;
	for (size_t i = 0; i < r->below_new.count && !*ret; i++) {
		struct version_row v;
		TRY(version_row_get(ctx->tx, ctx->a, r->below_new.items[i], &v, e));
		*ret = v.credential_id == authority_id;
	}
	return RC_OK;
}

troth_rc lookup_leading(struct verb_ctx *ctx, int64_t authority_id, struct rotation_row *ret, struct troth_err *e)
{
	struct rotation_row *rows;
	size_t n;
	*ret = (struct rotation_row){ 0 };
	TRY(rotation_row_list_open(ctx->tx, ctx->a, &rows, &n, e));
	for (size_t i = 0; i < n; i++) {
		bool brought;
		if (rows[i].credential_id == authority_id) {
			*ret = rows[i];
			return RC_OK;
		}
		TRY(has_brought(ctx, &rows[i], authority_id, &brought, e));
		if (brought)
			*ret = rows[i];
	}
	return RC_OK;
}

/* Somebody said of the rotation that runs: what it replaces may go now. */
static troth_rc withdrawal_approved(struct verb_ctx *ctx, int64_t authority_id, bool *ret_runs, bool *ret_approved, struct troth_err *e)
{
	struct rotation_row leading;
	struct approval_row *approvals;
	size_t n;
	*ret_approved = false;
	TRY(lookup_leading(ctx, authority_id, &leading, e));
	*ret_runs = leading.id != 0;
	if (!leading.id)
		return RC_OK;
	TRY(approval_row_list_rotation(ctx->tx, ctx->a, leading.id, &approvals, &n, e));
	for (size_t i = 0; i < n; i++)
		*ret_approved = *ret_approved || approvals[i].step == APPROVAL_WITHDRAW;
	return RC_OK;
}

static bool is_over(const struct version_row *v) { return v->retired_at || v->distrusted; }

/* What was taken back before it ever signed is as if it had not been. */
static bool was_taken_back(const struct credential_row *row, const struct version_row *v)
{
	return row->kind == CREDENTIAL_AUTHORITY && v->retired_at && row->signing_version && v->id > row->signing_version;
}

/* No version of an authority whose key is elsewhere carries the label; its owner signs with the newest, as far as anybody here knows. */
static const struct version_view *signing_one(const struct credential_view *c)
{
	for (size_t i = 0; i < c->version_count; i++)
		if (c->row.origin == ORIGIN_IMPORTED ? c->versions[i].row.wanted : c->versions[i].row.signing)
			return &c->versions[i];
	return NULL;
}

static bool is_shown(const struct credential_row *row, const struct version_row *v) { return !v->forgotten && !was_taken_back(row, v); }

static bool is_generated(const struct credential_row *row, const struct version_row *v)
{
	return v->source != VERSION_UPLOADED && row->origin == ORIGIN_INTERNAL;
}

troth_rc lookup_load(struct verb_ctx *ctx, const struct credential_row *row, struct lookup_ret *ret, struct troth_err *e)
{
	struct credential_view *c = &ret->credential;
	bool runs = false, approved = false, authority = row->kind == CREDENTIAL_AUTHORITY;
	TRY(credential_view_load(ctx->tx, ctx->a, row, true, c, e));
	if (authority)
		TRY(withdrawal_approved(ctx, row->id, &runs, &approved, e));
	TRY(record_room(ctx->a, (c->version_count + 1) * sizeof *ret->items, row->name, e));
	ret->items = ARENA_ARRAY(ctx->a, struct lookup_version, c->version_count + 1);
	ret->count = 0;
	for (size_t i = 0; i < c->version_count; i++) {
		const struct version_view *v = &c->versions[i];
		if (!is_shown(row, &v->row))
			continue;
		struct lookup_version *item = &ret->items[ret->count++];
		item->version = v;
		item->active = authority ? v == signing_one(c) : v->row.id == row->signing_version;
		item->beside = authority && !item->active && !is_over(&v->row) && (v->row.wanted || (runs && !approved));
		item->generated = is_generated(row, &v->row);
	}
	return RC_OK;
}

static bool has_version(const struct lookup_ret *x, const char *version)
{
	bool there = false;
	for (size_t i = 0; i < x->count && !there; i++)
		there = text_equal(x->items[i].version->row.uuid, version);
	return there;
}

troth_rc lookup_older(struct verb_ctx *ctx, const char *version, struct lookup_ret *ret, struct troth_err *e)
{
	struct version_row row;
	const struct credential_row *c = &ret->credential.row;
	if (has_version(ret, version) || rc_failed(version_row_by_uuid(ctx->tx, ctx->a, version, &row, NULL)) ||
	    row.credential_id != c->id || !is_shown(c, &row))
		return RC_OK;
	struct version_view *view = ARENA_NEW(ctx->a, struct version_view);
	TRY(version_view_load(ctx->tx, ctx->a, &row, view, e));
	ret->items[ret->count++] = (struct lookup_version){ .version = view, .generated = is_generated(c, &row) };
	return RC_OK;
}

void lookup_only(struct lookup_ret *ret, const char *version)
{
	size_t kept = 0;
	for (size_t i = 0; i < ret->count; i++)
		if (text_equal(ret->items[i].version->row.uuid, version))
			ret->items[kept++] = ret->items[i];
	ret->count = kept;
}

/* -- whom it is trusted by ------------------------------------------------------------------------------ */

/* The signer, then what else of its authority signs or is trusted beside: whoever shows this is accepted through the change. */
static troth_rc trust_of(struct verb_ctx *ctx, const struct version_row *v, const struct lookup_ret *issuer, const char **ret,
			 struct troth_err *e)
{
	struct version_row by;
	struct cert_row cert;
	TRY(version_row_get(ctx->tx, ctx->a, v->signed_by, &by, e));
	TRY(cert_row_get(ctx->tx, ctx->a, by.cert_id, &cert, e));
	*ret = cert_pem(ctx->a, cert.der);
	for (size_t i = 0; i < issuer->count; i++) {
		const struct lookup_version *x = &issuer->items[i];
		if ((x->active || x->beside) && x->version->row.id != by.id)
			*ret = arena_printf(ctx->a, "%s%s", *ret, cert_pem(ctx->a, x->version->cert.der));
	}
	return RC_OK;
}

troth_rc lookup_trust(struct verb_ctx *ctx, struct lookup_ret *ret, struct troth_err *e)
{
	struct lookup_ret issuer = { 0 };
	struct credential_row row;
	if (ret->credential.row.issuer_id) {
		TRY(credential_row_get(ctx->tx, ctx->a, ret->credential.row.issuer_id, &row, e));
		TRY(lookup_load(ctx, &row, &issuer, e));
	}
	for (size_t i = 0; i < ret->count; i++) {
		struct lookup_version *item = &ret->items[i];
		const struct version_row *v = &item->version->row;
		struct cert_row anchor;
		TRY(record_room(ctx->a, 0, ret->credential.row.name, e));
		TRY(metadata_row_of(ctx->tx, ctx->a, v->id, &item->metadata, e));
		if (v->signed_by) {
			TRY(trust_of(ctx, v, &issuer, &item->ca, e));
		} else if (item->version->cert.self_signed) {
			item->ca = cert_pem(ctx->a, item->version->cert.der);
		} else if (v->anchor_cert) {
			TRY(cert_row_get(ctx->tx, ctx->a, v->anchor_cert, &anchor, e));
			item->ca = cert_pem(ctx->a, anchor.der);
		}
	}
	return RC_OK;
}

/* -- every one of them ---------------------------------------------------------------------------------------------- */

static bool name_has(const char *name, const struct catalog_cmd *cmd)
{
	size_t len = cmd->path ? strlen(cmd->path) : 0;
	while (len && cmd->path[len - 1] == '/')
		len--;
	if (len && (strncmp(name, cmd->path, len) != 0 || (name[len] != '/' && name[len])))
		return false;
	return !cmd->part || strcasestr(name, cmd->part);
}

static bool ends_before(const struct lookup_ret *x, msec_t when)
{
	for (size_t i = 0; i < x->count; i++)
		if ((x->items[i].active || x->items[i].beside) && x->items[i].version->cert.not_after < when)
			return true;
	return !when;
}

static int by_name(const void *x, const void *y)
{
	const struct catalog_item *a = x, *b = y;
	return strcmp(a->of.credential.row.name, b->of.credential.row.name);
}

static bool is_listed(const struct verb_ctx *ctx, const struct credential_row *row)
{
	return !row->retired && !text_starts(row->name, "/troth/") && record_in_scope(ctx->who, row->name);
}

/* What an authority signs, by name. */
static troth_rc fill_signs(struct verb_ctx *ctx, struct catalog_item *item, struct troth_err *e)
{
	struct credential_row *below;
	size_t n;
	if (item->of.credential.row.kind != CREDENTIAL_AUTHORITY)
		return RC_OK;
	TRY(credential_row_list_issuer(ctx->tx, ctx->a, item->of.credential.row.id, PAGE_ALL, &below, &n, e));
	item->signs = ARENA_ARRAY(ctx->a, const char *, n + 1);
	for (size_t i = 0; i < n; i++)
		if (is_listed(ctx, &below[i]))
			item->signs[item->sign_count++] = below[i].name;
	if (item->sign_count)
		qsort(item->signs, item->sign_count, sizeof *item->signs, text_order);
	return RC_OK;
}

static troth_rc catalog_kind(struct verb_ctx *ctx, enum credential_kind kind, const struct catalog_cmd *cmd, struct catalog_ret *ret,
			     struct troth_err *e)
{
	struct credential_row *rows;
	size_t n;
	TRY(credential_row_list_kind(ctx->tx, ctx->a, kind, (struct page){ 0, LIMIT_CATALOG + 1 }, &rows, &n, e));
	for (size_t i = 0; i < n; i++) {
		struct catalog_item *item = &ret->items[ret->count];
		if (!is_listed(ctx, &rows[i]) || !name_has(rows[i].name, cmd))
			continue;
		ENSURE(ret->count < LIMIT_CATALOG && arena_used(ctx->a) < LIMIT_REQUEST_ARENA_BYTES / 2, e, TROTH_TOO_LARGE, "there are more than %d credentials, or too many versions of them: ask for one by its name, or for a folder",
		       LIMIT_CATALOG);
		*item = (struct catalog_item){ 0 }; /* one that did not fit may have been here */
		TRY(lookup_load(ctx, &rows[i], &item->of, e));
		TRY(fill_signs(ctx, item, e));
		ret->count += item->of.count && ends_before(&item->of, cmd->ends_before);
	}
	return RC_OK;
}

static troth_rc catalog_one(struct verb_ctx *ctx, const char *name, struct catalog_ret *ret, struct troth_err *e)
{
	struct credential_row row;
	TRY(lookup_find(ctx, name, NULL, &row, e));
	ret->items = ARENA_NEW(ctx->a, struct catalog_item);
	TRY(lookup_load(ctx, &row, &ret->items->of, e));
	ENSURE(ret->items->of.count, e, TROTH_NOT_FOUND, "%s has no certificate yet", name);
	ret->count = 1;
	return fill_signs(ctx, ret->items, e);
}

static troth_rc catalog_run(struct verb_ctx *ctx, const void *arg, void *out, struct troth_err *e)
{
	const struct catalog_cmd *cmd = arg;
	struct catalog_ret *ret = out;
	if (cmd->name)
		return catalog_one(ctx, cmd->name, ret, e);
	ret->items = ARENA_ARRAY(ctx->a, struct catalog_item, LIMIT_CATALOG + 1);
	TRY(catalog_kind(ctx, CREDENTIAL_AUTHORITY, arg, ret, e));
	TRY(catalog_kind(ctx, CREDENTIAL_LEAF, arg, ret, e));
	if (ret->count)
		qsort(ret->items, ret->count, sizeof *ret->items, by_name);
	return RC_OK;
}

/* -- what was asked for ------------------------------------------------------------------------------------- */

static void keep_current(struct lookup_ret *ret, struct arena *a)
{
	struct lookup_version *kept = ARENA_ARRAY(a, struct lookup_version, ret->count + 1);
	size_t n = 0;
	for (size_t i = 0; i < ret->count; i++)
		if (ret->items[i].active)
			kept[n++] = ret->items[i];
	for (size_t i = 0; i < ret->count; i++)
		if (ret->items[i].beside)
			kept[n++] = ret->items[i];
	ret->items = kept;
	ret->count = n;
}

static size_t length_of(const char *text) { return text ? strlen(text) : 0; }

/* `ca` and metadata are as long as others made them. */
static void keep_what_fits(struct lookup_ret *ret)
{
	size_t kept = 0;
	for (size_t bytes = 0; kept < ret->count && bytes < LIMIT_VERSIONS_BYTES; kept++)
		bytes += length_of(ret->items[kept].ca) + length_of(ret->items[kept].metadata);
	ret->count = kept;
}

static troth_rc load(struct verb_ctx *ctx, const struct lookup_cmd *cmd, struct lookup_ret *ret, struct troth_err *e)
{
	struct credential_row row;
	struct version_row version;
	const char *id = cmd->id;
	if (cmd->version) {
		TRY(record_uuid("version", cmd->version, e));
		TRY(version_row_by_uuid(ctx->tx, ctx->a, cmd->version, &version, e));
		TRY(credential_row_get(ctx->tx, ctx->a, version.credential_id, &row, e));
		id = row.uuid;
	}
	TRY(lookup_find(ctx, cmd->name, id, &row, e));
	TRY(lookup_load(ctx, &row, ret, e));
	if (cmd->version) {
		TRY(lookup_older(ctx, cmd->version, ret, e));
		lookup_only(ret, cmd->version);
	}
	if (cmd->current)
		keep_current(ret, ctx->a);
	if (cmd->newest && (size_t)cmd->newest < ret->count)
		ret->count = (size_t)cmd->newest;
	ENSURE(ret->count || cmd->current, e, TROTH_NOT_FOUND, "%s has no certificate yet", row.name);
	TRY(lookup_trust(ctx, ret, e));
	keep_what_fits(ret);
	return RC_OK;
}

/* -- keys ------------------------------------------------------------------------------------------------------- */

/* Who has a CA's key can do with it what he likes, for as long as it is trusted: it is for who may make one. */
static const struct verb *disclose_verb(const struct credential_row *of)
{
	return of->kind == CREDENTIAL_AUTHORITY ? &VERB_AUTHORITY_DISCLOSE : &VERB_CREDENTIAL_DISCLOSE;
}

static bool may_have_keys(const struct verb_ctx *ctx, const struct credential_row *of) { return ctx->who->roles & disclose_verb(of)->roles; }

/* The wrapped keys themselves: views leave them out. */
static troth_rc need_of(struct verb_ctx *ctx, const struct lookup_version *item, const struct keeper_request **ret, struct troth_err *e)
{
	struct version_row row;
	TRY(version_row_get(ctx->tx, ctx->a, item->version->row.id, &row, e));
	*ret = disclose_request(ctx->a, row.key_blob);
	return RC_OK;
}

static troth_rc lookup_run(struct verb_ctx *ctx, const void *arg, void *out, struct troth_err *e)
{
	const struct lookup_cmd *cmd = arg;
	struct lookup_ret *ret = out;
	const struct keeper_request *need = NULL;
	if (cmd->list) {
		ret->list = ARENA_NEW(ctx->a, struct catalog_ret);
		return catalog_run(ctx, cmd->list, ret->list, e);
	}
	TRY(load(ctx, cmd, ret, e));
	if (!cmd->keys || !may_have_keys(ctx, &ret->credential.row))
		return RC_OK;
	for (size_t i = 0; i < ret->count && !need; i++) {
		TRY(record_room(ctx->a, 0, ret->credential.row.name, e));
		TRY(need_of(ctx, &ret->items[i], &need, e));
	}
	if (need)
		ctx->then = disclose_verb(&ret->credential.row);
	return RC_OK;
}

struct disclose_plan { const char **of; }; /* replies[i] is the key of this version */

static troth_rc disclose_prepare(struct verb_ctx *ctx, const void *arg, struct troth_err *e)
{
	struct disclose_plan *plan = ARENA_NEW(ctx->a, struct disclose_plan);
	struct lookup_ret seen = { 0 };
	TRY(load(ctx, arg, &seen, e));
	plan->of = ARENA_ARRAY(ctx->a, const char *, seen.count + 1);
	bool may = may_have_keys(ctx, &seen.credential.row); /* asked again: the name may be another's by now */
	for (size_t i = 0; may && i < seen.count; i++) {
		const struct keeper_request *need;
		TRY(record_room(ctx->a, 0, seen.credential.row.name, e));
		TRY(need_of(ctx, &seen.items[i], &need, e));
		if (!need)
			continue;
		plan->of[ctx->need_count] = seen.items[i].version->row.uuid;
		TRY(verb_need(ctx, need, e));
	}
	ctx->plan = plan;
	return RC_OK;
}

static troth_rc disclose_run(struct verb_ctx *ctx, const void *arg, void *out, struct troth_err *e)
{
	const struct disclose_plan *plan = ctx->plan;
	struct lookup_ret *ret = out;
	TRY(load(ctx, arg, ret, e));
	for (size_t i = 0; i < ret->count; i++)
		for (size_t k = 0; k < ctx->reply_count; k++)
			if (text_equal(ret->items[i].version->row.uuid, plan->of[k]))
				ret->items[i].private_key = arena_text_n(ctx->a, (const char *)ctx->replies[k]->key.data, ctx->replies[k]->key.len);
	return ctx->reply_count ? disclose_record(ctx, &ret->credential.row, plan->of, ctx->reply_count, e) : RC_OK;
}

const struct verb VERB_CREDENTIAL_LOOKUP = { "credential.lookup", VERB_READ, ROLES_READ, sizeof(struct lookup_cmd),
					     sizeof(struct lookup_ret), NULL, lookup_run, RIGHT_READ };
const struct verb VERB_CREDENTIAL_DISCLOSE = { "credential.disclose", VERB_WRITE, ROLES_CHANGE | ROLE_DEVELOPER, sizeof(struct lookup_cmd),
					       sizeof(struct lookup_ret), disclose_prepare, disclose_run, RIGHT_READ };
const struct verb VERB_AUTHORITY_DISCLOSE = { "authority.disclose", VERB_WRITE, ROLES_CHANGE, sizeof(struct lookup_cmd), sizeof(struct lookup_ret),
					      disclose_prepare, disclose_run, RIGHT_READ };

const struct verb VERB_CREDENTIAL_CATALOG = { "credential.catalog", VERB_READ, ROLES_READ, sizeof(struct catalog_cmd),
					      sizeof(struct catalog_ret), NULL, catalog_run };
