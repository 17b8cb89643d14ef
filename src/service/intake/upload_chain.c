/* An uploaded chain, judged by itself: read, sorted, everything that is wrong said at once.  See upload.h. */
#include "service/intake/upload.h"

#include "service/check.h"

/* The one that is no CA. */
static const struct cert *find_leaf(const struct checker *c, const struct cert_pool *pool)
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
	struct cert_pool pool = { 0 };
	*ret = (struct upload_chain){ 0 };
	upload_check(a, cmd, e);
	if (cmd->certificate)
		cert_pool_read(&c, "$.certificate", cmd->certificate, &pool);
	if (cmd->chain)
		cert_pool_read(&c, "$.chain", cmd->chain, &pool);
	ret->leaf = find_leaf(&c, &pool);
	if (!ret->leaf)
		return;
	cert_pool_sort(&c, "$.chain", &pool, ret);
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
