/* When a certificate is renewed by itself.  See renewal.h; the arithmetic first, then the rows. */
#include "service/ca/renewal.h"

#include <stdlib.h>

#include "service/ca/credential.h"
#include "service/record.h"

const char *const RENEWAL_KIND_NAMES[] = { "auto", "at", "before", "never" };

enum { WORD_BYTES = RFC3339_LEN };

/* -- words -------------------------------------------------------------------------------------- */
bool renewal_said(const struct renewal_cmd *cmd)
{
	return cmd->word || cmd->at || cmd->before;
}

/* "66%": 1..99; 0 if it is not one. */
static int64_t percent_of(const char *text)
{
	char *end;
	long n = text[0] >= '1' && text[0] <= '9' ? strtol(text, &end, 10) : 0;
	return n >= 1 && n <= 99 && end[0] == '%' && !end[1] ? n : 0;
}

void renewal_check(const struct checker *c, const char *prefix, const struct renewal_cmd *cmd, msec_t ttl)
{
	const char *word = arena_printf(c->a, "$.%srenew", prefix);
	if (!!cmd->word + !!cmd->at + !!cmd->before > 1)
		check_fail(c, word, "one-of", "is said together with another way to renew",
			   "say only one of renew, renew_at, renew_before");
	if (cmd->word && !text_equal(cmd->word, "auto") && !text_equal(cmd->word, "never"))
		check_fail(c, word, "word", "is neither auto nor never", "a part of the life is renew_at, a length renew_before");
	if (cmd->at && !percent_of(cmd->at))
		check_fail(c, arena_printf(c->a, "%s_at", word), "range", "is not between 1% and 99%", "write it like 66%");
	if (cmd->before && ttl && cmd->before >= ttl)
		check_fail(c, arena_printf(c->a, "%s_before", word), "range", "is not shorter than the life itself",
			   "it would be due as soon as it was issued");
}

const char *renewal_word(struct arena *a, const struct renewal_cmd *cmd)
{
	char text[WORD_BYTES];
	if (cmd->at)
		return arena_text(a, cmd->at);
	if (cmd->before)
		return arena_text(a, duration_format(cmd->before, text));
	return text_equal(cmd->word, "never") ? "never" : NULL;
}

troth_rc renewal_read(const char *word, struct renewal *ret, struct troth_err *e)
{
	*ret = (struct renewal){ .kind = RENEWAL_AUTO };
	if (!word)
		return RC_OK;
	if (text_equal(word, "never")) {
		ret->kind = RENEWAL_NEVER;
		return RC_OK;
	}
	ret->percent = percent_of(word);
	ret->kind = ret->percent ? RENEWAL_AT : RENEWAL_BEFORE;
	if (ret->percent || rc_ok(duration_parse(word, &ret->before, NULL)))
		return RC_OK;
	return err_set(e, TROTH_CORRUPT, "a credential's stored renewal \"%.40s\" cannot be read", word);
}

/* -- moments ------------------------------------------------------------------------------------ */
static msec_t least(msec_t x, msec_t y) { return x < y ? x : y; }
static msec_t most(msec_t x, msec_t y) { return x > y ? x : y; }

/* What was said, without bounds: how long after its begin. */
static msec_t age_of(const struct renewal *r, msec_t life)
{
	if (r->kind == RENEWAL_AT)
		return life / 100 * r->percent;
	if (r->kind == RENEWAL_BEFORE)
		return most(life - r->before, life / 10); /* a life that was clamped may be shorter than that */
	return life / 3 * 2;
}

/* 0..2000, evenly and for good: FNV-1a over the name. */
static msec_t scatter(const char *name)
{
	uint64_t h = UINT64_C(14695981039346656037);
	for (; *name; name++)
		h = (h ^ (uint8_t)*name) * UINT64_C(1099511628211);
	return (msec_t)((h >> 20) % 2001);
}

msec_t renewal_leaf_at(const struct renewal *r, const char *version_uuid, msec_t begin, msec_t end, msec_t issuer_end)
{
	msec_t age = age_of(r, end - begin), jitter = age / 10 * scatter(version_uuid) / 1000; /* 0..2 tenths */
	if (r->kind == RENEWAL_NEVER || end <= begin || (issuer_end && end >= issuer_end))
		return 0;
	return begin + (r->kind == RENEWAL_BEFORE ? age - jitter / 2 : age - age / 10 + jitter);
}

struct renewal_moments renewal_authority_at(const struct renewal *r, msec_t begin, msec_t end, msec_t below)
{
	msec_t life = end - begin, lead = least(LIMIT_ROTATION_LEAD_S * MSEC_S, life / 10);
	if (r->kind == RENEWAL_NEVER || life <= 0)
		return (struct renewal_moments){ 0 };
	msec_t latest = most(begin + life / 2, end - below - lead);
	return (struct renewal_moments){ least(begin + age_of(r, life), latest), latest };
}

msec_t renewal_next(const struct version_row *versions, size_t count)
{
	msec_t next = 0;
	for (size_t i = 0; i < count; i++)
		if (versions[i].wanted && !versions[i].retired_at && versions[i].renew_at &&
		    (!next || versions[i].renew_at < next))
			next = versions[i].renew_at;
	return next;
}

/* -- over rows ---------------------------------------------------------------------------------- */
static troth_rc of_authority(struct tx *tx, const struct credential_row *c, const struct cert_row *cert,
			     struct version_row *version, struct troth_err *e)
{
	struct renewal r;
	msec_t below;
	TRY(renewal_read(c->renew, &r, e));
	TRY(credential_row_longest_below(tx, c->id, &below, e));
	struct renewal_moments m = renewal_authority_at(&r, version->created, cert->not_after, most(below, c->leaf_ttl));
	version->renew_at = m.at;
	version->renew_latest = m.latest;
	return RC_OK;
}

static troth_rc of_leaf(struct tx *tx, struct arena *a, const struct credential_row *c, const struct cert_row *cert,
			struct version_row *version, struct troth_err *e)
{
	struct renewal r;
	const char *word = c->renew;
	msec_t issuer_end = 0;
	if (version->signed_by) {
		struct version_row issuer;
		struct cert_row issuer_cert;
		struct credential_row authority;
		TRY(version_row_get(tx, a, version->signed_by, &issuer, e));
		TRY(cert_row_get(tx, a, issuer.cert_id, &issuer_cert, e));
		TRY(credential_row_get(tx, a, issuer.credential_id, &authority, e));
		issuer_end = issuer_cert.not_after;
		word = word ? word : authority.leaf_renew;
	}
	TRY(renewal_read(word, &r, e));
	if (version->source == VERSION_UPLOADED)
		r.kind = RENEWAL_NEVER; /* its owner brings the next one */
	version->renew_at = renewal_leaf_at(&r, version->uuid, version->created, cert->not_after, issuer_end);
	return RC_OK;
}

troth_rc renewal_of_version(struct tx *tx, struct arena *a, const struct credential_row *credential,
			    const struct cert_row *cert, struct version_row *version, struct troth_err *e)
{
	if (credential->kind == CREDENTIAL_AUTHORITY)
		return of_authority(tx, credential, cert, version, e);
	version->renew_at = 0;
	if (version->source == VERSION_UPLOADED)
		return RC_OK; /* its owner brings the next one */
	return of_leaf(tx, a, credential, cert, version, e);
}

static troth_rc refresh_version(struct verb_ctx *ctx, const struct credential_row *c, struct version_row *v,
				struct troth_err *e)
{
	struct cert_row cert;
	msec_t at = v->renew_at, latest = v->renew_latest;
	TRY(cert_row_get(ctx->tx, ctx->a, v->cert_id, &cert, e));
	TRY(renewal_of_version(ctx->tx, ctx->a, c, &cert, v, e));
	if (v->renew_at == at && v->renew_latest == latest)
		return RC_OK;
	verb_changed(ctx, CHANGED_CREDENTIAL, c->id);
	return version_row_update(ctx->tx, v, e);
}

troth_rc renewal_refresh(struct verb_ctx *ctx, int64_t credential_id, struct troth_err *e)
{
	struct credential_row c;
	struct version_row *versions;
	size_t n;
	TRY(credential_row_get(ctx->tx, ctx->a, credential_id, &c, e));
	TRY(version_row_list_recent(ctx->tx, ctx->a, credential_id, LIMIT_VERSIONS_LIVE, &versions, &n, e));
	for (size_t i = 0; i < n; i++)
		if (versions[i].wanted && !versions[i].retired_at)
			TRY(refresh_version(ctx, &c, &versions[i], e));
	return RC_OK;
}

troth_rc renewal_postpone(struct verb_ctx *ctx, struct version_row *version, struct troth_err *e)
{
	struct cert_row cert;
	if (!version->renew_at || version->renew_at > ctx->now)
		return RC_OK;
	TRY(cert_row_get(ctx->tx, ctx->a, version->cert_id, &cert, e));
	version->renew_at = ctx->now + most(cert.not_after - ctx->now, 0) / 4;
	return RC_OK;
}

/* -- saying it later ------------------------------------------------------------------------------ */
bool renewal_hold_of(const char *on_deadline) { return text_equal(on_deadline, "hold"); }

void renewal_check_on_deadline(const struct checker *c, const char *word)
{
	if (word && !text_equal(word, "shed") && !text_equal(word, "hold"))
		check_fail(c, "$.on_deadline", "word", "is neither shed nor hold",
			   "shed leaves out who is late; hold lets all pairs of the slot break");
}

void renewal_set_check(struct arena *a, const struct renewal_set_cmd *cmd, struct troth_err *e)
{
	struct checker c = { a, e };
	renewal_check(&c, "", &cmd->renew, 0);
	renewal_check(&c, "leaf_", &cmd->leaf_renew, 0);
	renewal_check_on_deadline(&c, cmd->on_deadline);
	if (!renewal_said(&cmd->renew) && !renewal_said(&cmd->leaf_renew) && !cmd->on_deadline)
		check_fail(&c, "$", "required", "says nothing that could be set",
			   "renew, renew_at, renew_before, leaf_renew, leaf_renew_at, leaf_renew_before, on_deadline");
}

/* What an authority can be told and a leaf cannot; lives against what is said. */
static troth_rc check_against(struct verb_ctx *ctx, const struct renewal_set_cmd *cmd, const struct credential_row *row,
			      struct troth_err *e)
{
	struct checker c = { ctx->a, e };
	bool authority = row->kind == CREDENTIAL_AUTHORITY;
	renewal_check(&c, "", &cmd->renew, authority ? row->ca_ttl : row->leaf_ttl);
	renewal_check(&c, "leaf_", &cmd->leaf_renew, authority ? row->leaf_ttl : 0);
	if (!authority && renewal_said(&cmd->leaf_renew))
		check_fail(&c, "$.leaf_renew", "kind", "is said of a leaf, which signs nothing", "say renew");
	if (!authority && cmd->on_deadline)
		check_fail(&c, "$.on_deadline", "kind", "is said of a leaf", "say it of the authority that signs it");
	return check_done(e);
}

static void say(struct verb_ctx *ctx, const struct renewal_set_cmd *cmd, struct credential_row *row)
{
	if (renewal_said(&cmd->renew))
		row->renew = renewal_word(ctx->a, &cmd->renew);
	if (renewal_said(&cmd->leaf_renew))
		row->leaf_renew = renewal_word(ctx->a, &cmd->leaf_renew);
	if (cmd->on_deadline)
		row->hold_at_deadline = renewal_hold_of(cmd->on_deadline);
	row->rev++;
}

static const char *told(struct verb_ctx *ctx, const struct credential_row *row)
{
	struct record r;
	record_begin(&r);
	jw_kv_text(&r.w, "renew", row->renew ? row->renew : "auto");
	jw_kv_text(&r.w, "leaf_renew", row->leaf_renew ? row->leaf_renew : "auto");
	jw_kv_text(&r.w, "on_deadline", row->hold_at_deadline ? "hold" : "shed");
	return record_end(&r, ctx->a);
}

static troth_rc set_run(struct verb_ctx *ctx, const void *arg, void *out, struct troth_err *e)
{
	const struct renewal_set_cmd *cmd = arg;
	struct credential_ret *ret = out;
	struct credential_row row;
	TRY(record_uuid("credential", cmd->id, e));
	TRY(credential_row_by_uuid(ctx->tx, ctx->a, cmd->id, &row, e));
	TRY(record_visible(ctx->who, "credential", row.name, e));
	TRY(record_if_match(ctx, row.name, row.rev, e));
	TRY(check_against(ctx, cmd, &row, e));
	struct change c = { .action = "credential.set", .object = row.name, .before = told(ctx, &row) };
	say(ctx, cmd, &row);
	c.after = told(ctx, &row);
	TRY(credential_row_update(ctx->tx, &row, e));
	TRY(renewal_refresh(ctx, row.id, e));
	verb_changed(ctx, CHANGED_CREDENTIAL, row.id);
	TRY(record_change(ctx, &c, e));
	return credential_view_load(ctx->tx, ctx->a, &row, true, &ret->credential, e);
}

const struct verb VERB_RENEWAL_SET = {
	.name = "credential.set", .kind = VERB_WRITE, .roles = ROLES_CHANGE,
	.cmd_size = sizeof(struct renewal_set_cmd), .ret_size = sizeof(struct credential_ret), .run = set_run,
};
