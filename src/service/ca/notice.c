/* Notices: rows of the outbox that wait for their day.  See notice.h. */
#include "service/ca/notice.h"

#include "service/record.h"
#include "store/store.h"

static const int64_t NOTICE_DAYS[] = { 60, 30, 14, 7, 1 };

troth_rc notice_promise(struct verb_ctx *ctx, int64_t version_id, msec_t not_after, struct troth_err *e)
{
	for (size_t i = 0; i < ARRAY_LEN(NOTICE_DAYS); i++) {
		struct outbox_row row = { .kind = EFFECT_NOTICE, .created = ctx->now, .due = not_after - NOTICE_DAYS[i] * MSEC_DAY };
		row.body = arena_printf(ctx->a, "{\"version\":%lld,\"days\":%lld}", (long long)version_id, (long long)NOTICE_DAYS[i]);
		if (row.due > ctx->now)
			TRY(outbox_put(ctx->tx, &row, e));
	}
	return RC_OK;
}

/* Of a leaf its newest version serves; of an authority what is wanted. */
static bool is_over(const struct credential_row *c, const struct version_row *v)
{
	if (c->retired || v->distrusted || v->retired_at)
		return true;
	return c->kind == CREDENTIAL_LEAF ? c->signing_version != v->id : !v->wanted;
}

static const char *words_of(const struct credential_row *c)
{
	if (c->kind == CREDENTIAL_LEAF)
		return "it was uploaded: only its owner can bring the next one";
	return c->origin == ORIGIN_IMPORTED ? "its key is not here: only its owner can bring the next one"
					    : "it is signed elsewhere: its next certificate has to be asked for and brought in";
}

troth_rc notice_is_due(struct verb_ctx *ctx, const struct json *body, struct troth_err *e)
{
	struct version_row version;
	struct credential_row c;
	struct cert_row cert;
	struct record r;
	TRY(version_row_get(ctx->tx, ctx->a, json_get_int(body, "version", 0), &version, e));
	TRY(credential_row_get(ctx->tx, ctx->a, version.credential_id, &c, e));
	if (is_over(&c, &version))
		return RC_OK; /* the next one came */
	TRY(cert_row_get(ctx->tx, ctx->a, version.cert_id, &cert, e));
	record_begin(&r);
	jw_kv_int(&r.w, "days", json_get_int(body, "days", 0));
	jw_kv_time(&r.w, "not_after", cert.not_after);
	jw_kv_text(&r.w, "text", words_of(&c));
	const char *action = c.kind == CREDENTIAL_LEAF ? "credential.expires" : "authority.expires";
	return record_change(ctx, &(struct change){ .action = action, .object = c.name, .after = record_end(&r, ctx->a) }, e);
}
