/* Issuing: what all verbs that make certificates have in common.
 *
 * A credential's `spec` column says what its certificates look like; this is its only reader and
 * writer.  A signer is a version of an authority with what is needed to sign under it.  The usual way
 * through a verb:
 *
 *     prepare   signer_load(tx, a, authority_id, &signer)
 *               issue_leaf_need(ctx, &credential, &signer, spki)        -> ctx->need
 *     run       signer_load again: same version id?  else ctx->retry
 *               issue_store(ctx, &credential, &signer, reply's der, ...) -> version row
 *
 * Nothing here decides who may, or when; the callers do. */
#ifndef TROTH_SERVICE_ISSUE_H
#define TROTH_SERVICE_ISSUE_H

#include "base/json.h"
#include "keeper/keeper.h"
#include "pki/pki.h"
#include "service/verb.h"
#include "store/store.h"

/* The spec column, as JSON: {"common_name","organization","organizational_unit","country","state","locality",
 * "sans":["dns:x"],"eku":["server","client"],"key_usage":["digital_signature"],"path_len","permitted_dns":[],"clamp":true}; what is absent has the
 * value said here. */
struct credential_spec {
	const char *common_name, *organization, *organizational_unit; /* NULL: none */
	struct cert_place place;
	struct json_texts sans;                 /* leaf: as san_parse reads them; patterns are filled in already */
	unsigned eku;                           /* leaf: EKU_SERVER | EKU_CLIENT; 0 if absent */
	unsigned key_usage;                     /* leaf: cert_spec's; 0 (absent): as the key needs */
	int64_t path_len;                       /* authority: CAs below; -1 (absent): any number */
	struct json_texts permitted_dns;        /* authority */
	bool clamp;                             /* shorten to the issuer's life instead of refusing; slots: always */
};
enum { CREDENTIAL_USAGES = 5 };                 /* bits of CERT_LEAF_USAGES */
unsigned credential_usage_bit(const char *word); /* "key_agreement" -> USAGE_KEY_AGREEMENT; 0: no usage of a leaf's key */
const char *credential_usage_word(unsigned i);   /* the i-th of them; NULL at the end */
/* json NULL: all absent.  CORRUPT if it is not what credential_spec_write wrote. */
troth_rc credential_spec_read(struct arena *a, const char *json, struct credential_spec *ret, struct troth_err *e);
const char *credential_spec_write(struct arena *a, const struct credential_spec *spec); /* lives in a */

/* A version that can sign, with its rows; everything lives in the arena it was loaded into. */
struct signer {
	struct credential_row authority;
	struct version_row version;
	const struct cert *cert; /* parsed; cert->der is the certificate */
};
/* The signing version of an authority (credential id).  CONFLICT with words: no version signs, its key is not
 * here, it is distrusted. */
troth_rc signer_load(struct tx *tx, struct arena *a, int64_t authority_id, struct signer *ret, struct troth_err *e);
/* For CAs below: the newest wanted version that can sign here, whether it carries the label or not; else as above. */
troth_rc signer_load_newest(struct tx *tx, struct arena *a, int64_t authority_id, struct signer *ret, struct troth_err *e);
/* A version that the caller chose (rule 1b: target.csr_ca); the same refusals. */
troth_rc signer_load_version(struct tx *tx, struct arena *a, int64_t version_id, struct signer *ret, struct troth_err *e);

/* What a leaf of this credential is, signed now: names, EKU, dates (not_before CERT_BACKDATE back, life
 * credential->leaf_ttl or else the authority's leaf_ttl, clamped if the spec says so), random serial.
 * INVALID with both dates if it would outlive the signer. */
troth_rc issue_leaf_spec(const struct verb_ctx *ctx, const struct credential_row *credential,
			 const struct signer *signer, struct bytes spki, struct cert_spec *ret, struct troth_err *e);
/* The same as a KEEPER_LEAF_SIGN in ctx->need. */
troth_rc issue_leaf_need(struct verb_ctx *ctx, const struct credential_row *credential, const struct signer *signer,
			 struct bytes spki, struct troth_err *e);

/* Puts the certificate of a keeper's reply into cert and version rows.  What the caller gives in
 * *version stays (source, key_blob, sealed_key, wanted, can_sign); filled in here: id, uuid if NULL,
 * credential_id, cert_id, signed_by, created, renew_at and renew_latest (renewal.h).  The metadata of the newest version before goes with it.
 * For a leaf it becomes the credential's newest (credential.signing_version), and verb_changed is told;
 * an authority's label is moved by the caller (version_row_set_signing).  signer NULL: self-signed. */
troth_rc issue_store(struct verb_ctx *ctx, const struct credential_row *credential, const struct signer *signer,
		     struct bytes der, struct version_row *version, struct troth_err *e);

/* A certificate as a row of `cert`, found or made. */
troth_rc issue_cert_put(struct tx *tx, struct arena *a, const struct cert *cert, struct cert_row *ret, struct troth_err *e);

/* The chain that is served for a version: its certificate, then issuer by issuer (signed_by), without a
 * self-signed root.  cert ids, leaf first; lives in a. */
troth_rc issue_chain(struct tx *tx, struct arena *a, const struct version_row *version, struct id_list *ret, struct troth_err *e);
/* A root that an older one has certified too, for chains of any version below it. */
struct issue_bridge {
	int64_t cert;           /* the cross certificate; 0: there is none */
	int64_t by;             /* the version that signed it */
	msec_t from, until;
};
troth_rc issue_bridge(struct tx *tx, struct arena *a, const struct version_row *version, struct issue_bridge *ret, struct troth_err *e);
/* The chain with the bridge at its end: one ordered path, to the old root and (its key is the new one's) to the new. */
troth_rc issue_chain_bridged(struct tx *tx, struct arena *a, const struct version_row *version, struct id_list *ret, struct troth_err *e);
/* The same as PEM: of the leaf, and of all that comes behind it ("" if nothing does). */
troth_rc issue_chain_pem(struct tx *tx, struct arena *a, const struct version_row *version, const char **ret_leaf,
			 const char **ret_rest, struct troth_err *e);
/* All trusted (wanted or not yet retired, not distrusted) versions of an authority as PEM, one after the other. */
troth_rc issue_anchors_pem(struct tx *tx, struct arena *a, int64_t authority_id, const char **ret_pem, struct troth_err *e);

#endif
