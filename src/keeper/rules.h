/* What a key may be used for: pure decisions over what has been opened and read.
 *
 * Each function is one question and answers with a refusal's text.  Policies given as `issuer` and
 * `agents` have been opened (wrap_open), so they are believed; certificates have been parsed, and are
 * believed only where they repeat what a policy says; everything else came from the server.  What a
 * certificate must be in itself (names, serial, dates of its issuer) is pki's cert_spec_check. */
#ifndef TROTH_KEEPER_RULES_H
#define TROTH_KEEPER_RULES_H

#include "keeper/request.h"

/* A policy for a key that is about to be made or taken in. */
troth_rc rules_new_policy(const struct keeper_policy *p, enum keeper_key_kind kind, msec_t now, struct troth_err *e);
/* A new root: its certificate may not claim more than its policy. */
troth_rc rules_root(const struct keeper_policy *p, const struct cert_spec *spec, msec_t now, struct troth_err *e);
/* The key and the certificate to sign under belong together, and may sign at all. */
troth_rc rules_issuer(const struct keeper_policy *issuer, const struct cert *cert, struct troth_err *e);
/* A new CA below `issuer`: allowed there, and nowhere wider than it. */
troth_rc rules_intermediate(const struct keeper_policy *issuer, const struct cert *cert, const struct keeper_policy *child,
			    const struct cert_spec *spec, msec_t now, struct troth_err *e);
/* The key of a CA that somebody else will sign: what it asks for may not be more than its policy. */
troth_rc rules_request(const struct keeper_policy *p, const struct cert_spec *spec, msec_t now, struct troth_err *e);
/* The same authority's other root certified by this one: the same name, and nowhere wider than either. */
troth_rc rules_cross(const struct keeper_policy *issuer, const struct cert *cert, const struct keeper_policy *subject,
		     const struct cert *subject_cert, const struct cert_spec *spec, msec_t now, struct troth_err *e);
/* The root `cert` with other dates: the same key and name. */
troth_rc rules_renew(const struct keeper_policy *p, const struct cert *cert, const struct cert_spec *spec, msec_t now, struct troth_err *e);
/* May this key leave in clear, asked for as one of this kind? */
troth_rc rules_open(const struct keeper_policy *p, enum keeper_key_kind kind, struct troth_err *e);
/* A leaf below `issuer`; with its SPKI, or `made` if the keeper makes the key. */
troth_rc rules_leaf(const struct keeper_policy *issuer, const struct cert *cert, const struct cert_spec *spec, bool made,
		    msec_t now, struct troth_err *e);
/* Who may be sent a sealed key: an agent, by certificate of the agents' authority, valid now. */
troth_rc rules_recipient(const struct keeper_policy *agents, const struct cert *agents_cert, const struct cert *recipient,
			 msec_t now, struct troth_err *e);
/* Who may be sent this key that was brought: as above; the listener's goes to the server and to nobody else. */
troth_rc rules_key_recipient(const struct keeper_policy *key, const struct keeper_policy *by, const struct cert *by_cert,
			     const struct cert *recipient, msec_t now, struct troth_err *e);

#endif
