/* The roots of troth's own authorities, certified anew when they end (decision 0051).
 *
 * An agent knows the server by the key of the CA that it enrolled under.  If the server was down until that CA had
 * expired, a new key would make it a stranger to every agent.  So the keeper signs the same key once more, with the same
 * name and other dates: whoever trusts the old certificate's key accepts what is signed from now on.
 *
 * A new version takes the place of the old one, wanted and signing as that one was; the engine retires the old one when
 * nobody holds it.  How often: never, while such an authority is rotated in time. */
#include "service/fleet/identity.h"
#include "service/ca/issue_ca.h"
#include "service/record.h"

static const char *const OWN[] = { SERVER_AUTHORITY, IDENTITY_AUTHORITY };

struct recertify_plan {
	struct { struct signer signer; msec_t not_after; } items[ARRAY_LEN(OWN)];
	size_t count;
};

/* The keeper signs with a key for as long as the policy says that it was made with, counted from its first certificate. */
static troth_rc longest(struct verb_ctx *ctx, const struct signer *s, msec_t *ret, struct troth_err *e)
{
	struct version_row *versions;
	size_t n;
	msec_t first = s->cert->not_before;
	TRY(version_row_list_credential(ctx->tx, ctx->a, s->authority.id, PAGE_ALL, &versions, &n, e));
	for (size_t i = 0; i < n; i++) {
		struct cert_row cert;
		TRY(cert_row_get(ctx->tx, ctx->a, versions[i].cert_id, &cert, e));
		if (bytes_equal(cert.spki_hash, bytes_of(s->cert->key_id, SHA256_LEN)) && cert.not_before < first)
			first = cert.not_before;
	}
	*ret = first + LIMIT_KEEPER_LIFE_DAYS * MSEC_DAY;
	return RC_OK;
}

static bool is_due(const struct verb_ctx *ctx, const struct signer *s)
{
	return s->cert->not_after - ctx->now < LIMIT_RECERTIFY_S * MSEC_S;
}

static troth_rc plan_one(struct verb_ctx *ctx, const char *name, struct recertify_plan *plan, struct troth_err *e)
{
	struct credential_row row;
	struct signer *s = &plan->items[plan->count].signer;
	msec_t latest;
	TRY(credential_row_by_name(ctx->tx, ctx->a, name, &row, e));
	TRY(signer_load(ctx->tx, ctx->a, row.id, s, e));
	if (!is_due(ctx, s))
		return RC_OK;
	TRY(longest(ctx, s, &latest, e));
	msec_t until = ctx->now + s->authority.ca_ttl;
	until = until < latest ? until : latest;
	if (until <= s->cert->not_after || until <= ctx->now)
		return RC_OK; /* its key has no more time */
	struct keeper_issuer now = { s->version.key_blob, s->cert->der };
	plan->items[plan->count++].not_after = until;
	return issue_ca_renew_need(ctx, &s->authority, &now, until, e);
}

static troth_rc recertify_prepare(struct verb_ctx *ctx, const void *arg, struct troth_err *e)
{
	struct recertify_plan *plan = ARENA_NEW(ctx->a, struct recertify_plan);
	ctx->plan = plan;
	for (size_t i = 0; i < ARRAY_LEN(OWN); i++)
		TRY(plan_one(ctx, OWN[i], plan, e));
	return RC_OK;
}

static troth_rc record_recertified(struct verb_ctx *ctx, const struct signer *s, const struct version_row *version, msec_t not_after,
				   struct troth_err *e)
{
	struct record r;
	record_begin(&r);
	jw_kv_text(&r.w, "version", version->uuid);
	jw_kv_text(&r.w, "of", s->version.uuid);
	jw_kv_time(&r.w, "old_end", s->cert->not_after);
	jw_kv_time(&r.w, "not_after", not_after);
	return record_change(ctx, &(struct change){ .action = "authority.recertify", .object = s->authority.name,
						    .after = record_end(&r, ctx->a) }, e);
}

static troth_rc replace(struct verb_ctx *ctx, const struct signer *s, struct bytes der, msec_t not_after, struct troth_err *e)
{
	struct version_row old = s->version;
	struct version_row version = { .source = VERSION_GENERATED, .key_blob = old.key_blob, .wanted = old.wanted, .can_sign = true };
	TRY(issue_store(ctx, &s->authority, NULL, der, &version, e));
	old.wanted = false;
	TRY(version_row_update(ctx->tx, &old, e));
	TRY(version_row_set_signing(ctx->tx, s->authority.id, version.id, e));
	return record_recertified(ctx, s, &version, not_after, e);
}

static troth_rc recertify_run(struct verb_ctx *ctx, const void *arg, void *out, struct troth_err *e)
{
	const struct recertify_plan *plan = ctx->plan;
	struct recertify_ret *ret = out;
	for (size_t i = 0; i < plan->count; i++) {
		struct signer now;
		TRY(signer_load(ctx->tx, ctx->a, plan->items[i].signer.authority.id, &now, e));
		ctx->retry = ctx->retry || now.version.id != plan->items[i].signer.version.id;
	}
	if (ctx->retry)
		return RC_OK;
	for (size_t i = 0; i < plan->count; i++)
		TRY(replace(ctx, &plan->items[i].signer, ctx->replies[i]->der, plan->items[i].not_after, e));
	ret->count = (int64_t)plan->count;
	return RC_OK;
}

const struct verb VERB_SERVER_RECERTIFY = { "server.recertify", VERB_WRITE, ROLE_SYSTEM, sizeof(struct no_cmd), sizeof(struct recertify_ret),
					    recertify_prepare, recertify_run };
