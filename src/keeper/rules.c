/* The keeper's rules.  The server is not trusted here: it may ask for anything, in any combination. */
#include "keeper/rules.h"

#include "base/limits.h"

static const msec_t BACKDATE = LIMIT_KEEPER_BACKDATE_S * MSEC_S;
static const msec_t SKEW = LIMIT_SKEW_S * MSEC_S;
static const msec_t LIFE = LIMIT_KEEPER_LIFE_DAYS * MSEC_DAY;

/* A certificate that starts long ago could be passed off as one that was always there. */
static troth_rc rules_dates(const struct cert_spec *spec, msec_t now, struct troth_err *e)
{
	char at[RFC3339_LEN], is[RFC3339_LEN];
	ENSURE(spec->not_before >= now - BACKDATE, e, TROTH_INVALID,
	       "notBefore %s is more than %d s before the keeper's clock, which says %s", time_format(spec->not_before, at),
	       LIMIT_KEEPER_BACKDATE_S, time_format(now, is));
	ENSURE(spec->not_before <= now + SKEW, e, TROTH_INVALID,
	       "notBefore %s is more than %d s after the keeper's clock, which says %s", time_format(spec->not_before, at),
	       LIMIT_SKEW_S, time_format(now, is));
	ENSURE(spec->not_after > now && spec->not_after > spec->not_before, e, TROTH_INVALID,
	       "notAfter %s has passed already", time_format(spec->not_after, at));
	ENSURE(spec->not_after - now <= LIFE, e, TROTH_INVALID, "notAfter %s is more than %d days away",
	       time_format(spec->not_after, at), LIMIT_KEEPER_LIFE_DAYS);
	return RC_OK;
}

static troth_rc rules_latest(const struct keeper_policy *p, msec_t not_after, struct troth_err *e)
{
	char asked[RFC3339_LEN], latest[RFC3339_LEN];
	ENSURE(not_after <= p->latest_not_after, e, TROTH_FORBIDDEN,
	       "notAfter %s is later than the policy of key %s of %s allows: %s", time_format(not_after, asked), p->key_id,
	       p->authority, time_format(p->latest_not_after, latest));
	return RC_OK;
}

/* Is path length `asked` within `allowed`?  -1 is no limit. */
static bool path_within(int asked, int allowed) { return allowed < 0 || (asked >= 0 && asked <= allowed); }

static troth_rc rules_no_spki(const struct cert_spec *spec, struct troth_err *e)
{
	ENSURE(spec->spki.len == 0, e, TROTH_INVALID, "the keeper makes this key itself: the request may not bring a public key");
	return RC_OK;
}

/* Whom agents and server believe. */
static bool is_own(const struct keeper_policy *p) { return text_starts(p->authority, "/troth/"); }

/* Who has a key that may be given out could use it without being asked; so nothing vouches for it that may not leave itself. */
static troth_rc rules_vouch(const struct keeper_policy *issuer, const struct keeper_policy *ca, struct troth_err *e)
{
	ENSURE(!ca->exportable || issuer->exportable, e, TROTH_FORBIDDEN,
	       "key %s of %s may not be given out, so it signs no CA whose key may be", issuer->key_id, issuer->authority);
	return RC_OK;
}

troth_rc rules_new_policy(const struct keeper_policy *p, enum keeper_key_kind kind, msec_t now, struct troth_err *e)
{
	ENSURE(p->kind == kind, e, TROTH_FORBIDDEN, "a policy of kind %s cannot be used for a key of kind %s",
	       keeper_key_kind_name(p->kind), keeper_key_kind_name(kind));
	ENSURE(uuid_valid(p->key_id), e, TROTH_INVALID, "the policy's key id is not a UUID");
	ENSURE(p->authority && *p->authority && strlen(p->authority) <= LIMIT_NAME_BYTES, e, TROTH_INVALID,
	       "the policy names no authority");
	bool authority = kind == KEEPER_KEY_AUTHORITY;
	ENSURE(authority || (!p->may_sign_ca && p->path_len <= 0), e, TROTH_FORBIDDEN,
	       "a key of kind %s may not sign certificates", keeper_key_kind_name(kind));
	ENSURE(p->path_len >= -1 && p->path_len <= LIMIT_CHAIN_CERTS, e, TROTH_INVALID, "the policy's path length is %d",
	       p->path_len);
	ENSURE(!authority || !p->exportable || !is_own(p), e, TROTH_FORBIDDEN, "%s is one of troth's own: its key is given to nobody", p->authority);
	ENSURE(!authority || (p->latest_not_after > now && p->latest_not_after - now <= LIFE), e, TROTH_INVALID,
	       "the policy's latest notAfter has passed or is more than %d days away", LIMIT_KEEPER_LIFE_DAYS);
	return RC_OK;
}

/* What root and intermediate have in common: the CA's own certificate against its own policy. */
static troth_rc rules_ca(const struct keeper_policy *own, const struct cert_spec *spec, msec_t now, struct troth_err *e)
{
	TRY(rules_new_policy(own, KEEPER_KEY_AUTHORITY, now, e));
	TRY(rules_no_spki(spec, e));
	TRY(rules_dates(spec, now, e));
	TRY(rules_latest(own, spec->not_after, e));
	ENSURE(path_within(spec->path_len, own->path_len), e, TROTH_FORBIDDEN,
	       "path length %d is more than the policy of the new key allows: %d", spec->path_len, own->path_len);
	return RC_OK;
}

troth_rc rules_root(const struct keeper_policy *p, const struct cert_spec *spec, msec_t now, struct troth_err *e)
{
	ENSURE(spec->kind == CERT_ROOT, e, TROTH_FORBIDDEN, "authority-create makes roots only");
	return rules_ca(p, spec, now, e);
}

troth_rc rules_issuer(const struct keeper_policy *issuer, const struct cert *cert, struct troth_err *e)
{
	ENSURE(issuer->kind == KEEPER_KEY_AUTHORITY, e, TROTH_FORBIDDEN,
	       "key %s is of kind %s: it may not sign certificates", issuer->key_id, keeper_key_kind_name(issuer->kind));
	ENSURE(memcmp(cert->key_id, issuer->spki_hash, SHA256_LEN) == 0, e, TROTH_FORBIDDEN,
	       "issuer certificate \"%.80s\" is of another key than key %s of %s", cert->subject, issuer->key_id,
	       issuer->authority);
	ENSURE(cert->is_ca, e, TROTH_FORBIDDEN, "issuer certificate \"%.80s\" is not a CA's", cert->subject);
	return RC_OK;
}

troth_rc rules_intermediate(const struct keeper_policy *issuer, const struct cert *cert, const struct keeper_policy *child,
			    const struct cert_spec *spec, msec_t now, struct troth_err *e)
{
	TRY(rules_issuer(issuer, cert, e));
	ENSURE(spec->kind == CERT_INTERMEDIATE, e, TROTH_FORBIDDEN, "authority-sign makes intermediates only");
	ENSURE(issuer->may_sign_ca, e, TROTH_FORBIDDEN, "the policy of key %s of %s does not allow it to sign a CA",
	       issuer->key_id, issuer->authority);
	ENSURE(issuer->path_len != 0 && cert->path_len != 0, e, TROTH_FORBIDDEN,
	       "the path length of %s is 0: no CA may stand below it", issuer->authority);
	TRY(rules_ca(child, spec, now, e));
	TRY(rules_vouch(issuer, child, e));
	TRY(rules_latest(issuer, spec->not_after, e));
	TRY(rules_latest(issuer, child->latest_not_after, e));
	int below = issuer->path_len < 0 ? -1 : issuer->path_len - 1;
	ENSURE(path_within(child->path_len, below) && path_within(spec->path_len, below), e, TROTH_FORBIDDEN,
	       "a path length below %s may be at most %d", issuer->authority, below);
	return RC_OK;
}

/* Dates are the other's to choose; what this key signs later ends with its certificate, and with the policy at the latest. */
troth_rc rules_request(const struct keeper_policy *p, const struct cert_spec *spec, msec_t now, struct troth_err *e)
{
	ENSURE(spec->kind == CERT_INTERMEDIATE, e, TROTH_FORBIDDEN, "authority-request asks for intermediates only");
	TRY(rules_new_policy(p, KEEPER_KEY_AUTHORITY, now, e));
	TRY(rules_no_spki(spec, e));
	ENSURE(path_within(spec->path_len, p->path_len), e, TROTH_FORBIDDEN,
	       "path length %d is more than the policy of the new key allows: %d", spec->path_len, p->path_len);
	return RC_OK;
}

/* Self-issued, so it does not count for a path length (RFC 5280 4.2.1.9); refused all the same where no CA may stand
 * below, because cert_spec_check and many verifiers count it. */
troth_rc rules_cross(const struct keeper_policy *issuer, const struct cert *cert, const struct keeper_policy *subject,
		     const struct cert *subject_cert, const struct cert_spec *spec, msec_t now, struct troth_err *e)
{
	TRY(rules_issuer(issuer, cert, e));
	TRY(rules_issuer(subject, subject_cert, e));
	ENSURE(spec->kind == CERT_INTERMEDIATE, e, TROTH_FORBIDDEN, "a cross certificate is an intermediate's");
	ENSURE(strcmp(issuer->authority, subject->authority) == 0 &&
		       bytes_equal(cert->subject_der, subject_cert->subject_der), e, TROTH_FORBIDDEN,
	       "key %s is of %s, key %s of %s: only roots of one authority certify each other", issuer->key_id,
	       issuer->authority, subject->key_id, subject->authority);
	ENSURE(memcmp(issuer->spki_hash, subject->spki_hash, SHA256_LEN) != 0, e, TROTH_INVALID,
	       "both roots have the same key: there is nothing to certify");
	ENSURE(!subject->brought, e, TROTH_FORBIDDEN, "key %s of %s was made elsewhere, where somebody may still have it: no other root certifies it",
	       subject->key_id, subject->authority);
	TRY(rules_vouch(issuer, subject, e));
	ENSURE(issuer->may_sign_ca && issuer->path_len != 0 && cert->path_len != 0, e, TROTH_FORBIDDEN,
	       "the path length of %s is 0: no CA may stand below it", issuer->authority);
	TRY(rules_no_spki(spec, e));
	TRY(rules_dates(spec, now, e));
	TRY(rules_latest(issuer, spec->not_after, e));
	TRY(rules_latest(subject, spec->not_after, e));
	ENSURE(path_within(spec->path_len, subject->path_len), e, TROTH_FORBIDDEN,
	       "path length %d is more than the policy of key %s allows: %d", spec->path_len, subject->key_id, subject->path_len);
	return RC_OK;
}

/* Who trusts the root trusts its key; a new date needs no new trust.  How long the key may sign at all its policy says. */
troth_rc rules_renew(const struct keeper_policy *p, const struct cert *cert, const struct cert_spec *spec, msec_t now, struct troth_err *e)
{
	TRY(rules_issuer(p, cert, e));
	ENSURE(spec->kind == CERT_ROOT && bytes_equal(cert->subject_der, cert->issuer_der), e, TROTH_FORBIDDEN,
	       "authority-renew is for roots only");
	TRY(rules_no_spki(spec, e));
	TRY(rules_dates(spec, now, e));
	TRY(rules_latest(p, spec->not_after, e));
	ENSURE(path_within(spec->path_len, p->path_len), e, TROTH_FORBIDDEN, "path length %d is more than the policy of key %s allows: %d",
	       spec->path_len, p->key_id, p->path_len);
	return RC_OK;
}

troth_rc rules_open(const struct keeper_policy *p, enum keeper_key_kind kind, struct troth_err *e)
{
	ENSURE(p->kind == kind, e, TROTH_FORBIDDEN, "key %s is of kind %s: it is not given out as a key of kind %s", p->key_id,
	       keeper_key_kind_name(p->kind), keeper_key_kind_name(kind));
	ENSURE(p->exportable, e, TROTH_FORBIDDEN, "key %s of %s was not made to be given out", p->key_id, p->authority);
	return RC_OK;
}

troth_rc rules_leaf(const struct keeper_policy *issuer, const struct cert *cert, const struct cert_spec *spec, bool made,
		    msec_t now, struct troth_err *e)
{
	enum key_type type;
	uint8_t id[SHA256_LEN];
	TRY(rules_issuer(issuer, cert, e));
	ENSURE(spec->kind == CERT_LEAF, e, TROTH_FORBIDDEN, "a request for a leaf asks for a CA certificate");
	TRY(rules_dates(spec, now, e));
	TRY(rules_latest(issuer, spec->not_after, e));
	if (made)
		return rules_no_spki(spec, e);
	TRY(spki_check(spec->spki, &type, e));
	spki_id(spec->spki, id);
	ENSURE(memcmp(id, issuer->spki_hash, SHA256_LEN) != 0, e, TROTH_FORBIDDEN,
	       "the leaf's public key is the authority's own");
	return RC_OK;
}

/* To whom keys are sealed: who signs them, what their certificates are for, and what both are called. */
struct recipients {
	const char *authority;
	unsigned eku;
	const char *who, *what;
};
static const struct recipients AGENTS = { KEEPER_AGENTS_AUTHORITY, EKU_CLIENT, "agents", "an agent's identity (a client certificate)" };
static const struct recipients LISTENER = { KEEPER_SERVER_AUTHORITY, EKU_SERVER, "the server", "the server's certificate" };

static troth_rc recipient_is_one(const struct recipients *of, const struct keeper_policy *by, const struct cert *by_cert,
				 const struct cert *recipient, msec_t now, struct troth_err *e)
{
	TRY(rules_issuer(by, by_cert, e));
	ENSURE(strcmp(by->authority, of->authority) == 0, e, TROTH_FORBIDDEN, "key %s is of %s, not of %s: keys are sealed to %s only",
	       by->key_id, by->authority, of->authority, of->who);
	ENSURE(cert_issued_by(recipient, by_cert), e, TROTH_FORBIDDEN, "recipient \"%.80s\" is not signed by %s", recipient->subject,
	       of->authority);
	ENSURE(!recipient->is_ca && recipient->has_eku && (recipient->eku & of->eku), e, TROTH_FORBIDDEN, "recipient \"%.80s\" is not %s",
	       recipient->subject, of->what);
	ENSURE(recipient->key_type_known && (recipient->key_type == KEY_EC_P256 || recipient->key_type == KEY_EC_P384), e,
	       TROTH_INVALID, "recipient \"%.80s\" has no elliptic-curve key to seal to", recipient->subject);
	ENSURE(recipient->not_before <= now + SKEW && recipient->not_after >= now, e, TROTH_FORBIDDEN,
	       "the certificate of recipient \"%.80s\" is not valid now", recipient->subject);
	return RC_OK;
}

troth_rc rules_recipient(const struct keeper_policy *agents, const struct cert *agents_cert, const struct cert *recipient,
			 msec_t now, struct troth_err *e)
{
	return recipient_is_one(&AGENTS, agents, agents_cert, recipient, now, e);
}

troth_rc rules_key_recipient(const struct keeper_policy *key, const struct keeper_policy *by, const struct cert *by_cert,
			     const struct cert *recipient, msec_t now, struct troth_err *e)
{
	ENSURE(key->kind == KEEPER_KEY_LEAF, e, TROTH_FORBIDDEN, "key %s is of kind %s: it goes to no agent", key->key_id,
	       keeper_key_kind_name(key->kind));
	bool listener = strcmp(key->authority, KEEPER_LISTENER_KEY) == 0;
	return recipient_is_one(listener ? &LISTENER : &AGENTS, by, by_cert, recipient, now, e);
}
