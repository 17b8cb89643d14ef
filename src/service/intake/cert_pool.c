/* Certificates as they came, in whatever order: one by one, without doubles, and sorted into a chain.  See cert_pool.h. */
#include "service/intake/cert_pool.h"

#include "base/limits.h"

void cert_pool_read(const struct checker *c, const char *path, const char *pem, struct cert_pool *pool)
{
	const struct cert *const *certs;
	struct troth_err why = { 0 };
	size_t n;
	if (rc_failed(certs_parse_pem(c->a, bytes_of_text(pem), &certs, &n, &why))) {
		check_fail(c, path, "certificate", why.primary, why.hint[0] ? why.hint : NULL);
		return;
	}
	const struct cert **grown = ARENA_ARRAY(c->a, const struct cert *, pool->count + n);
	if (pool->count)
		memcpy(grown, pool->items, pool->count * sizeof *grown);
	for (size_t i = 0; i < n; i++) {
		bool twice = false;
		for (size_t k = 0; k < pool->count && !twice; k++)
			twice = memcmp(grown[k]->fingerprint, certs[i]->fingerprint, SHA256_LEN) == 0;
		if (!twice)
			grown[pool->count++] = certs[i];
	}
	pool->items = grown;
}

static const struct cert *by_der(const struct cert_pool *pool, struct bytes der)
{
	for (size_t i = 0; i < pool->count; i++)
		if (bytes_equal(pool->items[i]->der, der))
			return pool->items[i];
	return NULL;
}

static bool is_served(const struct upload_chain *chain, const struct cert *cert)
{
	for (size_t i = 0; i < chain->count; i++)
		if (chain->served[i] == cert)
			return true;
	return false;
}

/* What came and is neither in the chain nor a root of it would be served for nothing, or hide a mistake. */
static void sort_rest(const struct checker *c, const char *path, const struct cert_pool *pool, struct upload_chain *chain)
{
	const struct cert *last = chain->served[chain->count - 1];
	chain->roots = ARENA_ARRAY(c->a, const struct cert *, pool->count);
	for (size_t i = 0; i < pool->count; i++) {
		const struct cert *x = pool->items[i];
		if (is_served(chain, x))
			continue;
		if (cert_self_signed(x) && cert_issued_by(last, x))
			chain->roots[chain->root_count++] = x;
		else
			check_fail(c, path, "stranger", arena_printf(c->a, "%.120s has no part in the chain of %.120s", x->subject,
									  chain->leaf->subject),
				   "leave it out; or is an intermediate between them missing?");
	}
}

void cert_pool_sort(const struct checker *c, const char *path, const struct cert_pool *pool, struct upload_chain *chain)
{
	struct bytes *ders = ARENA_ARRAY(c->a, struct bytes, pool->count);
	struct der_list ordered;
	struct troth_err why = { 0 };
	for (size_t i = 0; i < pool->count; i++)
		ders[i] = pool->items[i]->der;
	if (rc_failed(chain_order(c->a, chain->leaf->der, (struct der_list){ ders, pool->count }, &ordered, &why))) {
		check_fail(c, path, "chain", why.primary, why.hint[0] ? why.hint : NULL);
		return;
	}
	if (ordered.count > LIMIT_CHAIN_CERTS) {
		check_fail(c, path, "length", "has more than 10 certificates", NULL);
		return;
	}
	chain->served = ARENA_ARRAY(c->a, const struct cert *, ordered.count);
	for (size_t i = 0; i < ordered.count; i++)
		chain->served[chain->count++] = by_der(pool, ordered.items[i]);
	sort_rest(c, path, pool, chain);
}
