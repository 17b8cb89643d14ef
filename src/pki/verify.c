/* Chains, asked of OpenSSL.
 *
 * Its path search takes the first CA whose name and key identifier fit and does not come back when
 * that was a dead end.  Authorities here have several CAs of one name, and cross-signed ones of one
 * name and key, so for chain_verify everything is left out that no true signature connects both to
 * the leaf and to an anchor.  chain_anchors asks what plain verifiers out there will say, and gives
 * OpenSSL no such help. */
#include "pki/verify.h"

#include <openssl/err.h>
#include <string.h>
#include <time.h>

#include "base/limits.h"
#include "pki/cert_internal.h"
#include "pki/key_internal.h"

enum { AUTH_LEVEL = 2 }; /* 112 bits: what Debian's TLS asks for; SHA-1 signatures and RSA-1024 fail */

enum { UP = 1, DOWN = 2 }; /* connected to the leaf, to an anchor */

struct pool {
	X509 **certs;   /* leaf, then intermediates, then anchors */
	uint8_t *reached; /* UP and DOWN */
	size_t count, anchors_from;
};

static void pool_release(struct pool *p)
{
	for (size_t i = 0; i < p->count; i++)
		X509_free(p->certs[i]);
	p->count = 0;
}

static troth_rc pool_add(struct pool *p, struct bytes der, struct troth_err *e)
{
	TRY(x509_load(der, &p->certs[p->count], e));
	p->count++;
	return RC_OK;
}

static troth_rc pool_fill(struct arena *a, struct pool *p, struct bytes leaf, struct der_list intermediates,
			  struct der_list anchors, struct troth_err *e)
{
	size_t max = 1 + intermediates.count + anchors.count;
	ENSURE(intermediates.count <= LIMIT_BUNDLE_CERTS && anchors.count <= LIMIT_BUNDLE_CERTS, e, TROTH_TOO_LARGE,
	       "a chain is looked for among more than %d certificates", LIMIT_BUNDLE_CERTS);
	p->certs = ARENA_ARRAY(a, X509 *, max);
	p->reached = ARENA_ARRAY(a, uint8_t, max);
	ENSURE(p->certs && p->reached, e, TROTH_UNAVAILABLE, "out of memory");
	TRY(pool_add(p, leaf, e));
	for (size_t i = 0; i < intermediates.count; i++)
		TRY(pool_add(p, intermediates.items[i], e));
	p->anchors_from = p->count;
	for (size_t i = 0; i < anchors.count; i++)
		TRY(pool_add(p, anchors.items[i], e));
	return RC_OK;
}

static bool names_fit(X509 *child, X509 *parent)
{
	return X509_NAME_cmp(X509_get_issuer_name(child), X509_get_subject_name(parent)) == 0;
}

static bool signed_by(X509 *child, X509 *parent)
{
	EVP_PKEY *key = X509_get0_pubkey(parent);
	bool ok = names_fit(child, parent) && key && X509_verify(child, key) == 1;
	ERR_clear_error();
	return ok;
}

/* Spreads one mark over true signatures.  Each certificate gets it once, so this ends whatever the
 * certificates say about each other. */
static void pool_spread(struct pool *p, uint8_t mark)
{
	for (bool more = true; more;) {
		more = false;
		for (size_t from = 0; from < p->count; from++)
			for (size_t to = 0; (p->reached[from] & mark) && to < p->count; to++) {
				X509 *child = p->certs[mark == UP ? from : to], *parent = p->certs[mark == UP ? to : from];
				if ((p->reached[to] & mark) || !signed_by(child, parent))
					continue;
				p->reached[to] |= mark;
				more = true;
			}
	}
}

static void pool_connect(struct pool *p)
{
	p->reached[0] |= UP;
	pool_spread(p, UP);
	for (size_t i = p->anchors_from; i < p->count; i++)
		p->reached[i] |= DOWN;
	pool_spread(p, DOWN);
}

/* Dead ends are only left out when there is a way: without one their names make the better error.
 * A self-signed leaf can be its own anchor. */
static bool is_usable(const struct pool *p, size_t i)
{
	uint8_t want = p->reached[0] & DOWN ? UP | DOWN : UP;
	return (p->reached[i] & want) == want || X509_cmp(p->certs[0], p->certs[i]) == 0;
}

static bool name_is_known(const struct pool *p, X509 *child)
{
	for (size_t i = p->anchors_from; i < p->count; i++)
		if (names_fit(child, p->certs[i]))
			return true;
	return false;
}

/* -- the words -------------------------------------------------------------------------------- */
static void say_dates(struct troth_err *e, const X509 *x)
{
	struct tm from, to;
	char a[RFC3339_LEN], b[RFC3339_LEN];
	if (ASN1_TIME_to_tm(X509_get0_notBefore(x), &from) == 1 && ASN1_TIME_to_tm(X509_get0_notAfter(x), &to) == 1)
		err_detail(e, "it is valid from %s to %s", time_format((msec_t)timegm(&from) * MSEC_S, a),
			   time_format((msec_t)timegm(&to) * MSEC_S, b));
}

static troth_rc say_failure(struct arena *a, const struct pool *p, X509_STORE_CTX *ctx, struct troth_err *e)
{
	int why = X509_STORE_CTX_get_error(ctx);
	X509 *x = X509_STORE_CTX_get_current_cert(ctx);
	const char *who = x ? x509_name_text(a, X509_get_subject_name(x)) : NULL;
	troth_rc rc = err_set(e, TROTH_INVALID, "certificate %.160s: %s", who ? who : "(none)",
			      X509_verify_cert_error_string(why));
	ERR_clear_error();
	if (why == X509_V_ERR_CERT_HAS_EXPIRED || why == X509_V_ERR_CERT_NOT_YET_VALID)
		say_dates(e, x);
	if (why == X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY && x && name_is_known(p, x))
		err_detail(e, "a trusted CA has the name of its issuer, but did not sign it");
	if (why == X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY)
		err_hint(e, "trust its issuer, or add the missing intermediate to the chain");
	return rc;
}

/* -- asking ------------------------------------------------------------------------------------- */
static void set_question(X509_VERIFY_PARAM *param, msec_t at, unsigned role)
{
	X509_VERIFY_PARAM_set_depth(param, LIMIT_CHAIN_CERTS);
	X509_VERIFY_PARAM_set_auth_level(param, AUTH_LEVEL);
	if (role == EKU_SERVER)
		X509_VERIFY_PARAM_set_purpose(param, X509_PURPOSE_SSL_SERVER);
	else if (role == EKU_CLIENT)
		X509_VERIFY_PARAM_set_purpose(param, X509_PURPOSE_SSL_CLIENT);
	if (at)
		X509_VERIFY_PARAM_set_time(param, (time_t)(at / MSEC_S));
	else
		X509_VERIFY_PARAM_set_flags(param, X509_V_FLAG_NO_CHECK_TIME);
}

static troth_rc ask(struct arena *a, const struct pool *p, X509_STORE *store, STACK_OF(X509) *others, msec_t at,
		    unsigned role, struct troth_err *e)
{
	X509_STORE_CTX *ctx = X509_STORE_CTX_new();
	bool ok = ctx && X509_STORE_CTX_init(ctx, store, p->certs[0], others) == 1;
	for (size_t i = 1; ok && i < p->count; i++) {
		if (!is_usable(p, i))
			continue;
		ok = i < p->anchors_from ? sk_X509_push(others, p->certs[i]) > 0
					 : X509_STORE_add_cert(store, p->certs[i]) == 1;
	}
	troth_rc rc = RC_OK;
	if (ok) {
		set_question(X509_STORE_CTX_get0_param(ctx), at, role);
		if (X509_verify_cert(ctx) != 1)
			rc = say_failure(a, p, ctx, e);
	} else {
		rc = err_openssl(e, TROTH_UNAVAILABLE, "could not verify a chain");
	}
	X509_STORE_CTX_free(ctx);
	return rc;
}

static troth_rc pool_verify(struct arena *a, struct pool *p, msec_t at, unsigned role, struct troth_err *e)
{
	X509_STORE *store = X509_STORE_new();
	STACK_OF(X509) *others = sk_X509_new_null();
	troth_rc rc;
	if (store && others)
		rc = ask(a, p, store, others, at, role, e);
	else
		rc = err_set(e, TROTH_UNAVAILABLE, "out of memory");
	sk_X509_free(others);
	X509_STORE_free(store);
	return rc;
}

static troth_rc check_host(struct arena *a, X509 *leaf, const char *host, struct troth_err *e)
{
	if (!host || x509_host_matches(leaf, host))
		return RC_OK;
	troth_rc rc = err_set(e, TROTH_INVALID, "certificate %.120s is not for \"%.100s\"",
			      x509_name_text(a, X509_get_subject_name(leaf)), host);
	err_hint(e, "the name must stand in its alternative names; the common name does not count");
	err_clause(e, "RFC 9110 4.3.4");
	return rc;
}

troth_rc chain_verify(struct arena *a, struct bytes leaf, struct der_list intermediates, struct der_list anchors,
		      msec_t at, unsigned role, const char *host, struct troth_err *e)
{
	CLEANUP(pool_release) struct pool p = { 0 };
	TRY(pool_fill(a, &p, leaf, intermediates, anchors, e));
	pool_connect(&p);
	TRY(pool_verify(a, &p, at, role, e));
	return check_host(a, p.certs[0], host, e);
}

/* Only a CA whose name some certificate of the chain gives as its issuer is worth the full question. */
static bool may_anchor(const struct pool *p, X509 *candidate)
{
	for (size_t i = 0; i < p->count; i++)
		if (names_fit(p->certs[i], candidate))
			return true;
	return false;
}

static troth_rc anchors_alone(struct arena *a, struct pool *chain, X509 *candidate, msec_t at, unsigned role,
			      struct troth_err *e)
{
	struct pool p = { .certs = ARENA_ARRAY(a, X509 *, chain->count + 1),
			  .reached = ARENA_ARRAY(a, uint8_t, chain->count + 1),
			  .count = chain->count + 1, .anchors_from = chain->count };
	ENSURE(p.certs && p.reached, e, TROTH_UNAVAILABLE, "out of memory");
	memcpy(p.certs, chain->certs, chain->count * sizeof *p.certs);
	p.certs[chain->count] = candidate; /* borrowed, as all of them */
	memset(p.reached, UP | DOWN, p.count);
	return pool_verify(a, &p, at, role, e);
}

troth_rc chain_anchors(struct arena *a, struct der_list chain, struct der_list candidates, msec_t at, unsigned role,
		       const size_t **ret_indices, size_t *ret_count, struct troth_err *e)
{
	CLEANUP(pool_release) struct pool p = { 0 };
	struct troth_err why;
	size_t count = 0;
	ENSURE(chain.count > 0, e, TROTH_INVALID, "the chain is empty");
	ENSURE(candidates.count <= LIMIT_BUNDLE_CERTS, e, TROTH_TOO_LARGE, "more than %d candidates", LIMIT_BUNDLE_CERTS);
	TRY(pool_fill(a, &p, chain.items[0], (struct der_list){ chain.items + 1, chain.count - 1 },
		      (struct der_list){ NULL, 0 }, e));
	size_t *indices = ARENA_ARRAY(a, size_t, candidates.count + 1);
	ENSURE(indices, e, TROTH_UNAVAILABLE, "out of memory");
	for (size_t i = 0; i < candidates.count; i++) {
		CLEANUP(x509_freep) X509 *x = NULL;
		TRY(x509_load(candidates.items[i], &x, e));
		if (may_anchor(&p, x) && rc_ok(anchors_alone(a, &p, x, at, role, &why)))
			indices[count++] = i;
	}
	*ret_indices = indices;
	*ret_count = count;
	return RC_OK;
}

/* -- the order to serve --------------------------------------------------------------------------- */
static bool lives_longer(X509 *x, X509 *than)
{
	return ASN1_TIME_compare(X509_get0_notAfter(x), X509_get0_notAfter(than)) > 0;
}

/* The best unused issuer of `child` in the pool, self-signed ones left out; 0: none (0 is the leaf). */
static size_t next_in_pool(const struct pool *p, size_t child)
{
	size_t best = 0;
	for (size_t i = 1; i < p->count; i++) {
		X509 *x = p->certs[i];
		if (p->reached[i] || !signed_by(p->certs[child], x) || signed_by(x, x))
			continue;
		if (!best || lives_longer(x, p->certs[best]))
			best = i;
	}
	return best;
}

troth_rc chain_order(struct arena *a, struct bytes leaf, struct der_list pool, struct der_list *ret_chain,
		     struct troth_err *e)
{
	CLEANUP(pool_release) struct pool p = { 0 };
	TRY(pool_fill(a, &p, leaf, pool, (struct der_list){ NULL, 0 }, e));
	struct bytes *chain = ARENA_ARRAY(a, struct bytes, LIMIT_CHAIN_CERTS);
	ENSURE(chain, e, TROTH_UNAVAILABLE, "out of memory");
	size_t count = 0;
	chain[count++] = leaf;
	for (size_t at = next_in_pool(&p, 0); at; at = next_in_pool(&p, at)) {
		ENSURE(count < LIMIT_CHAIN_CERTS, e, TROTH_TOO_LARGE, "chain is longer than %d certificates",
		       LIMIT_CHAIN_CERTS);
		p.reached[at] = UP;
		chain[count++] = pool.items[at - 1];
	}
	*ret_chain = (struct der_list){ chain, count };
	return RC_OK;
}
