/* An uploaded chain, judged by itself: read, sorted, everything that is wrong said at once.  See upload.h. */
#include "service/upload.h"

#include "service/check.h"

struct pool { const struct cert **items; size_t count; };

static void read_pem(const struct checker *c, const char *path, const char *pem, struct pool *pool)
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

/* The one that is no CA. */
static const struct cert *find_leaf(const struct checker *c, const struct pool *pool)
{
	const struct cert *leaf = NULL;
	for (size_t i = 0; i < pool->count; i++) {
		if (pool->items[i]->is_ca)
			continue;
		if (leaf) {
			check_fail(c, "$.certificate", "leaf", "there are two certificates that are no CA", "upload one at a time");
			return NULL;
		}
		leaf = pool->items[i];
	}
	if (!leaf && pool->count)
		check_fail(c, "$.certificate", "leaf", "has no certificate of a service: all are CAs", "upload the leaf with its issuers");
	return leaf;
}

static const struct cert *by_der(const struct pool *pool, struct bytes der)
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
static void sort_rest(const struct checker *c, const struct pool *pool, struct upload_chain *chain)
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
			check_fail(c, "$.chain", "stranger", arena_printf(c->a, "%.120s has no part in the chain of %.120s", x->subject,
									  chain->leaf->subject),
				   "leave it out; or is an intermediate between them missing?");
	}
}

static void sort_chain(const struct checker *c, const struct pool *pool, struct upload_chain *chain)
{
	struct bytes *ders = ARENA_ARRAY(c->a, struct bytes, pool->count);
	struct der_list ordered;
	struct troth_err why = { 0 };
	for (size_t i = 0; i < pool->count; i++)
		ders[i] = pool->items[i]->der;
	if (rc_failed(chain_order(c->a, chain->leaf->der, (struct der_list){ ders, pool->count }, &ordered, &why))) {
		check_fail(c, "$.chain", "chain", why.primary, why.hint[0] ? why.hint : NULL);
		return;
	}
	if (ordered.count > LIMIT_CHAIN_CERTS) {
		check_fail(c, "$.chain", "length", "has more than 10 certificates", NULL);
		return;
	}
	chain->served = ARENA_ARRAY(c->a, const struct cert *, ordered.count);
	for (size_t i = 0; i < ordered.count; i++)
		chain->served[chain->count++] = by_der(pool, ordered.items[i]);
	sort_rest(c, pool, chain);
}

static void check_dates(const struct checker *c, const struct upload_chain *chain, msec_t now)
{
	char when[RFC3339_LEN];
	for (size_t i = 0; i < chain->count; i++) {
		const struct cert *x = chain->served[i];
		if (x->not_after > now)
			continue;
		check_fail(c, i ? "$.chain" : "$.certificate", "expired",
			   arena_printf(c->a, "%.120s expired %s", x->subject, time_format(x->not_after, when)), NULL);
	}
}

static void check_leaf_key(const struct checker *c, const struct upload_cmd *cmd, const struct cert *leaf)
{
	CLEANUP(key_releasep) struct key *key = NULL;
	struct troth_err why = { 0 };
	if (!leaf->key_type_known)
		check_fail(c, "$.certificate", "key-type", "has a key of a type or size that is not served here",
			   "RSA of 2048, 3072 or 4096 bits, EC P-256 or P-384, or Ed25519");
	if (!cmd->private_key)
		return;
	if (rc_failed(key_parse(bytes_of_text(cmd->private_key), &key, &why)))
		check_fail(c, "$.private_key", "key", why.primary, why.hint[0] ? why.hint : NULL);
	else if (!key_public_matches(key, leaf->spki))
		check_fail(c, "$.private_key", "key-mismatch", arena_printf(c->a, "is not the key of %.120s", leaf->subject),
			   "upload the key that the certificate's request was made with");
}

void upload_check(struct arena *a, const struct upload_cmd *cmd, struct troth_err *e)
{
	struct checker c = { a, e };
	check_present(&c, "$.certificate", cmd->certificate);
	check_present(&c, "$.private_key", cmd->private_key);
	if (cmd->trust_issuer)
		check_name(&c, "$.trust_issuer", cmd->trust_issuer);
}

void upload_chain_read(struct arena *a, const struct upload_cmd *cmd, msec_t now, struct upload_chain *ret, struct troth_err *e)
{
	struct checker c = { a, e };
	struct pool pool = { 0 };
	*ret = (struct upload_chain){ 0 };
	upload_check(a, cmd, e);
	if (cmd->certificate)
		read_pem(&c, "$.certificate", cmd->certificate, &pool);
	if (cmd->chain)
		read_pem(&c, "$.chain", cmd->chain, &pool);
	ret->leaf = find_leaf(&c, &pool);
	if (!ret->leaf)
		return;
	sort_chain(&c, &pool, ret);
	check_dates(&c, ret, now);
	check_leaf_key(&c, cmd, ret->leaf);
}

/* -- is it what the slots need? ------------------------------------------------------------------------- */

static bool has_uri(const struct cert *cert, const char *uri)
{
	for (size_t i = 0; i < cert->san_count; i++)
		if (cert->sans[i].kind == SAN_URI && text_equal(cert->sans[i].value, uri))
			return true;
	return false;
}

/* A wildcard that is asked for must be there as it is. */
static bool has_exactly(const struct cert *cert, const struct san *want)
{
	for (size_t i = 0; i < cert->san_count; i++)
		if (cert->sans[i].kind == want->kind && text_equal(cert->sans[i].value, want->value))
			return true;
	return false;
}

static bool has_name(const struct cert *cert, const struct san *want)
{
	if (want->kind == SAN_URI)
		return has_uri(cert, want->value);
	return has_exactly(cert, want) || (want->value[0] != '*' && cert_host_matches(cert, want->value));
}

static void check_names(const struct checker *c, const struct cert *leaf, const struct credential_spec *spec)
{
	for (size_t i = 0; i < spec->sans.count; i++) {
		struct san want;
		if (rc_failed(san_parse(c->a, spec->sans.items[i], &want, NULL)) || has_name(leaf, &want))
			continue;
		check_fail(c, "$.certificate", "name", arena_printf(c->a, "is not for %s", spec->sans.items[i]),
			   "its slots are called by this name; have it issued for all of them");
	}
}

static void check_use(const struct checker *c, const struct cert *leaf, const struct credential_spec *spec)
{
	unsigned want = spec->eku ? spec->eku : EKU_SERVER;
	if (leaf->has_eku && (leaf->eku & want) != want)
		check_fail(c, "$.certificate", "use", want & ~leaf->eku & EKU_SERVER ? "may not be used by a server (extended key usage)"
									      : "may not be used by a client (extended key usage)",
			   "have it issued with the use that its slots have");
	if (leaf->has_key_usage && !(leaf->key_usage & USAGE_DIGITAL_SIGNATURE))
		check_fail(c, "$.certificate", "use", "may not sign (key usage digitalSignature): TLS 1.3 needs that", NULL);
}

void upload_chain_fits(struct arena *a, const struct upload_chain *chain, const struct credential_spec *spec, struct troth_err *e)
{
	struct checker c = { a, e };
	if (!chain->leaf)
		return;
	check_names(&c, chain->leaf, spec);
	check_use(&c, chain->leaf, spec);
}
