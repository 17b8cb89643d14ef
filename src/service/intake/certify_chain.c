/* A CA certificate that somebody else signed, judged by itself.  See certify_chain.h. */
#include "service/intake/certify_chain.h"

/* -- which one it is ---------------------------------------------------------------------------------------- */

/* One of the certificates before is brought instead of the new one: the likeliest mistake deserves its own words. */
static const char *no_key_text(const struct checker *c, const struct cert_pool *pool, const struct certify_need *need)
{
	for (size_t i = 0; i < pool->count; i++)
		for (size_t k = 0; k < need->before_count; k++)
			if (bytes_equal(pool->items[i]->spki, need->before[k]->spki))
				return arena_printf(c->a, "is a certificate of a version that %s has already; the request that waits has a new key",
						    need->name);
	return arena_printf(c->a, "no certificate in it is for the key of the request of %s", need->name);
}

static const struct cert *find_ca(const struct checker *c, const char *path, const struct cert_pool *pool, const struct certify_need *need)
{
	const struct cert *found = NULL;
	for (size_t i = 0; i < pool->count; i++) {
		if (!bytes_equal(pool->items[i]->spki, need->spki))
			continue;
		if (found) {
			check_fail(c, path, "key", "two certificates in it are for the key of the request", "bring one of them with its own chain");
			return NULL;
		}
		found = pool->items[i];
	}
	if (!found && pool->count)
		check_fail(c, path, "key", no_key_text(c, pool, need),
			   arena_printf(c->a, "have this one signed: troth authority csr %s", need->name));
	return found;
}

/* -- the CA itself ------------------------------------------------------------------------------------------- */

#define AS_ASKED "have it signed with the extensions that the request asks for (openssl x509 -req -copy_extensions copy)"

/* RFC 5280 4.2.1.2, 4.2.1.3, 4.2.1.9: what a CA's certificate has. */
static void check_ca(const struct checker *c, const char *path, const struct cert *ca)
{
	if (!ca->is_ca)
		check_fail(c, path, "ca", "is not a CA's certificate: basicConstraints does not say CA:TRUE", AS_ASKED);
	if (!ca->has_key_usage || !(ca->key_usage & USAGE_KEY_CERT_SIGN))
		check_fail(c, path, "use", "may not sign certificates: keyUsage has no keyCertSign", AS_ASKED);
	if (!ca->ski.len)
		check_fail(c, path, "key-identifier", "has no subject key identifier, by which verifiers find it", AS_ASKED);
	if (!ca->subject[0])
		check_fail(c, path, "subject", "has an empty subject", "what it signs must name its issuer; have it signed with a subject");
}

static void check_path_len(const struct checker *c, const char *path, const struct cert *ca, const struct certify_need *need)
{
	if (ca->is_ca && ca->path_len >= 0 && ca->path_len < need->path_len)
		check_fail(c, path, "path-length", arena_printf(c->a, "has path length %d, and the CAs below %s need %lld", ca->path_len,
								need->name, (long long)need->path_len),
			   "have it signed with a larger one");
}

/* RFC 5280 4.2.1.12 says nothing of CAs; verifiers take it for a limit of all below. */
static void check_eku(const struct checker *c, const char *path, const struct cert *ca, const struct certify_need *need)
{
	unsigned useful = ca->eku & (EKU_SERVER | EKU_CLIENT);
	if (!ca->has_eku || (need->eku ? !(need->eku & ~ca->eku) : useful))
		return;
	check_fail(c, path, "eku", need->eku & ~ca->eku & EKU_SERVER ? "its extended key usage leaves servers out, and what it signs is served"
				   : need->eku ? "its extended key usage leaves clients out, and clients have what it signs"
					       : "its extended key usage allows neither servers nor clients",
		   "have it signed without extended key usage, or with serverAuth and clientAuth");
}

static void check_dates(const struct checker *c, const char *path, const struct cert *ca, const struct certify_need *need)
{
	char when[RFC3339_LEN], life[RFC3339_LEN];
	if (ca->not_before > need->now)
		check_fail(c, path, "not-yet", arena_printf(c->a, "is valid from %s on", time_format(ca->not_before, when)),
			   "bring it in then, or have it signed with an earlier begin");
	if (ca->not_after <= need->now)
		check_fail(c, path, "expired", arena_printf(c->a, "expired %s", time_format(ca->not_after, when)), NULL);
	else if (ca->not_after - need->now < need->life)
		check_fail(c, path, "short", arena_printf(c->a, "ends %s, before a leaf of %s that it would sign today",
							  time_format(ca->not_after, when), duration_format(need->life, life)),
			   "have it signed for longer");
}

void certify_ca_judge(struct arena *a, const char *path, const struct cert *ca, const struct certify_need *need, struct troth_err *e)
{
	struct checker c = { a, e };
	check_path_len(&c, path, ca, need);
	check_eku(&c, path, ca, need);
	check_dates(&c, path, ca, need);
}

void certify_chain_read(struct arena *a, const char *path, const char *pem, const struct certify_need *need, struct upload_chain *ret,
			struct troth_err *e)
{
	struct checker c = { a, e };
	struct cert_pool pool = { 0 };
	*ret = (struct upload_chain){ 0 };
	if (!check_present(&c, path, pem))
		return;
	cert_pool_read(&c, path, pem, &pool);
	const struct cert *ca = find_ca(&c, path, &pool, need);
	if (!ca)
		return;
	check_ca(&c, path, ca);
	certify_ca_judge(a, path, ca, need, e);
	ret->leaf = ca;
	cert_pool_sort(&c, path, &pool, ret);
}

/* -- up to its anchor ---------------------------------------------------------------------------------------- */

/* RFC 5280 4.2.1.9: so many CAs may follow; the i-th certificate has i of the chain below it, and what is below those. */
static troth_rc check_above(const struct cert *above, size_t i, const struct certify_need *need, struct troth_err *e)
{
	ENSURE(above->path_len < 0 || above->path_len >= (int64_t)i + need->levels, e, TROTH_INVALID,
	       "%.120s has path length %d, and %lld levels of CAs stand below it", above->subject, above->path_len,
	       (long long)i + need->levels);
	return RC_OK;
}

/* Nothing outlives what signs it: everything would end with that one, before its own date says so. */
static troth_rc check_outlives(const struct cert *child, const struct cert *issuer, struct troth_err *e)
{
	char own[RFC3339_LEN], its[RFC3339_LEN];
	if (child->not_after <= issuer->not_after)
		return RC_OK;
	troth_rc rc = err_set(e, TROTH_INVALID, "%.120s ends %s, after %.120s that signed it (%s)", child->subject,
			      time_format(child->not_after, own), issuer->subject, time_format(issuer->not_after, its));
	err_hint(e, "have it signed for a shorter time, or by a newer CA");
	return rc;
}

troth_rc certify_chain_anchored(struct arena *a, const struct upload_chain *chain, const struct cert *anchor,
				const struct certify_need *need, struct troth_err *e)
{
	struct bytes *above = ARENA_ARRAY(a, struct bytes, chain->count + 1);
	for (size_t i = 1; i < chain->count; i++)
		above[i - 1] = chain->served[i]->der;
	troth_rc rc = chain_verify(a, chain->leaf->der, (struct der_list){ above, chain->count - 1 }, (struct der_list){ &anchor->der, 1 },
				   need->now, 0, NULL, e);
	if (rc_failed(rc)) {
		err_hint(e, "%s", ""); /* what to do is another thing here */
		return rc;
	}
	for (size_t i = 0; i < chain->count; i++) {
		const struct cert *issuer = i + 1 < chain->count ? chain->served[i + 1] : anchor;
		TRY(check_above(issuer, i + 1, need, e));
		TRY(check_outlives(chain->served[i], issuer, e));
	}
	return RC_OK;
}

/* -- a root -------------------------------------------------------------------------------------------------- */

/* Many a root has neither keyUsage nor key identifier; verifiers take it as it is (RFC 5280 6.1.1 d). */
static void check_root(const struct checker *c, const char *path, const struct cert *root)
{
	if (!root->is_ca)
		check_fail(c, path, "ca", arena_printf(c->a, "%.120s is not a CA's certificate: basicConstraints does not say CA:TRUE", root->subject),
			   "bring the root that signs, not another certificate of its owner");
	if (root->has_key_usage && !(root->key_usage & USAGE_KEY_CERT_SIGN))
		check_fail(c, path, "use", arena_printf(c->a, "%.120s may not sign certificates: its keyUsage has no keyCertSign", root->subject),
			   "bring the root that signs, not another certificate of its owner");
	if (!root->subject[0])
		check_fail(c, path, "subject", "has an empty subject", "what a root signs must name it");
}

void certify_root_judge(struct arena *a, const char *path, const struct cert *root, msec_t now, struct troth_err *e)
{
	struct checker c = { a, e };
	struct troth_err why = { 0 };
	if (!cert_self_signed(root)) {
		check_fail(&c, path, "root", arena_printf(a, "%.120s is not self-signed, so it anchors nothing", root->subject),
			   "bring the root itself; a CA below it is made with: troth authority create NAME --external");
		return;
	}
	check_root(&c, path, root);
	if (rc_failed(chain_verify(a, root->der, (struct der_list){ 0 }, (struct der_list){ &root->der, 1 }, now, 0, NULL, &why)))
		check_fail(&c, path, "root", arena_printf(a, "%s%s%s", why.primary, why.detail[0] ? "; " : "", why.detail), NULL);
}
