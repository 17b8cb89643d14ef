/* CAs that are known here.  See known.h. */
#include "service/intake/known.h"

/* There is room for as many as the next power of two. */
void known_add(struct arena *a, struct cert_pool *list, const struct cert *cert)
{
	if ((list->count & (list->count - 1)) == 0) {
		const struct cert **items = ARENA_ARRAY(a, const struct cert *, list->count ? list->count * 2 : 1);
		if (list->count)
			memcpy(items, list->items, list->count * sizeof *items);
		list->items = items;
	}
	list->items[list->count++] = cert;
}

/* *after: where the next page begins; 0 at the end. */
static troth_rc look_at_page(struct verb_ctx *ctx, struct arena *page, const struct cert *child, int64_t *after, struct cert_pool *list,
			     struct troth_err *e)
{
	struct cert_row *rows;
	size_t n;
	TRY(cert_row_list(ctx->tx, page, (struct page){ *after, 0 }, &rows, &n, e));
	for (size_t i = 0; i < n; i++) {
		const struct cert *cert;
		if (!rows[i].is_ca || !text_equal(rows[i].subject, child->issuer))
			continue;
		TRY(cert_parse(ctx->a, arena_bytes(ctx->a, rows[i].der), &cert, e));
		known_add(ctx->a, list, cert);
	}
	*after = n ? rows[n - 1].id : 0;
	return RC_OK;
}

/* All certificates there ever were are looked through, and a request's memory holds those that are found. */
troth_rc known_issuers(struct verb_ctx *ctx, const struct cert *child, struct cert_pool *list, struct troth_err *e)
{
	CLEANUP(arena_freep) struct arena *page = arena_new(LIMIT_REQUEST_ARENA_BYTES);
	int64_t after = 0;
	do {
		TRY(look_at_page(ctx, page, child, &after, list, e));
		arena_reset(page);
	} while (after);
	return RC_OK;
}

bool known_ambiguous(const struct cert *x, const struct cert *y)
{
	if (!bytes_equal(x->subject_der, y->subject_der) || bytes_equal(x->spki, y->spki))
		return false;
	return !x->ski.len || !y->ski.len || bytes_equal(x->ski, y->ski);
}

troth_rc known_version(struct verb_ctx *ctx, const struct cert *cert, struct version_row *ret, struct credential_row *ret_authority,
		       bool *ret_found, struct troth_err *e)
{
	struct cert_row row;
	struct version_row *versions;
	size_t n;
	*ret_found = false;
	if (rc_failed(cert_row_by_fingerprint(ctx->tx, ctx->a, bytes_of(cert->fingerprint, SHA256_LEN), &row, NULL)))
		return RC_OK;
	TRY(version_row_list_cert(ctx->tx, ctx->a, row.id, &versions, &n, e));
	for (size_t i = 0; i < n && !*ret_found; i++) {
		TRY(credential_row_get(ctx->tx, ctx->a, versions[i].credential_id, ret_authority, e));
		*ret = versions[i];
		*ret_found = ret_authority->kind == CREDENTIAL_AUTHORITY && !ret_authority->retired;
	}
	return RC_OK;
}
