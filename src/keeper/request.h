/* What can be asked of the keeper, and what it answers.
 *
 * One request is one act on one key.  All texts and bytes belong to the caller and must live until
 * the message is encoded (client) or handled (keeper_handle).  Times are milliseconds since 1970;
 * serial numbers and times come in the spec, from the caller; the keeper checks them against its own
 * clock (notBefore at most LIMIT_KEEPER_BACKDATE_S back, notAfter in the future).
 *
 * Each refusal comes back as a reply with kind != TROTH_OK and a text:
 *   FORBIDDEN   the key's policy does not allow it (the text names the policy's field)
 *   INVALID     a field is wrong in itself (a date, a name, an SPKI, an unknown field)
 *   CORRUPT     the blob is not one of this master key's, or was changed
 *   BUSY        the key's rate is used up; try again later
 *   UNAVAILABLE the keeper cannot write its log, so it does nothing */
#ifndef TROTH_KEEPER_REQUEST_H
#define TROTH_KEEPER_REQUEST_H

#include "keeper/policy.h"
#include "pki/pki.h"

/* The agents' authority: recipients of sealed keys are certificates signed by a key of this name. */
#define KEEPER_AGENTS_AUTHORITY "/troth/agents"
/* The one key that goes to the server itself: of the certificate that somebody brought for its listener.  Its recipient
 * is the server's own certificate, signed by a key of the other name. */
#define KEEPER_LISTENER_KEY "/troth/brought-tls"
#define KEEPER_SERVER_AUTHORITY "/troth/server"

enum { KEEPER_WEBHOOK_SECRET_BYTES = 32, KEEPER_WEBHOOK_ID_BYTES = 64 };

enum keeper_kind {
	KEEPER_PING = 1,
	KEEPER_AUTHORITY_CREATE, /* a new root: generates the key, signs itself */
	KEEPER_AUTHORITY_SIGN,   /* a new intermediate: generates its key, signed by `issuer` */
	KEEPER_LEAF_SIGN,        /* a leaf for a public key that someone else made */
	KEEPER_LEAF_SEAL,        /* a leaf whose key the keeper makes and seals to one agent */
	KEEPER_KEY_WRAP,         /* takes in a private key that was uploaded */
	KEEPER_KEY_SEAL,         /* a leaf's key that was taken in, sealed to one agent (KEEPER_LISTENER_KEY: to the server) */
	KEEPER_KEY_MAKE,         /* a leaf's key for somebody outside who may ask for it again: policy.exportable */
	KEEPER_KEY_OPEN,         /* that key, in clear: exportable leaf keys only */
	KEEPER_AUDIT_CREATE,     /* the key that signs audit heads (Ed25519) */
	KEEPER_AUDIT_SIGN,       /* signs one audit head */
	KEEPER_WEBHOOK_WRAP,     /* takes in the secret of a webhook */
	KEEPER_WEBHOOK_SIGN,     /* signs one message to a webhook with it */
	KEEPER_AUTHORITY_CROSS,  /* the key of another root of the same name, certified by `issuer`: newWithOld, RFC 4210 4.4 */
	KEEPER_AUTHORITY_REQUEST, /* the key of a CA whose certificate is signed elsewhere: generates it, signs a PKCS#10 with it */
	KEEPER_AUTHORITY_RENEW,  /* a root's key certified once more: the same name and key, other dates */
	KEEPER_AUTHORITY_OPEN,   /* an authority's key, in clear: only of one that was made exportable */
	KEEPER_KIND_MAX
};

/* A CA key and the certificate to sign under (a key may have several: renewed or cross-signed).
 * The certificate must carry the blob's public key and be a CA. */
struct keeper_issuer {
	struct bytes blob;
	struct bytes cert; /* DER */
};

struct keeper_request {
	uint64_t id; /* the caller's, not 0; comes back in the reply */
	enum keeper_kind kind;
	union {
		struct {
			struct keeper_policy policy; /* kind AUTHORITY; spki_hash ignored */
			enum key_type key_type;
			struct cert_spec spec;       /* ROOT; spki empty */
		} authority_create;
		struct {
			struct keeper_issuer issuer;
			struct keeper_policy policy; /* of the new CA; not wider than the issuer's */
			enum key_type key_type;
			struct cert_spec spec;       /* INTERMEDIATE; spki empty */
		} authority_sign;
		struct {
			struct keeper_issuer issuer;
			struct keeper_issuer subject; /* the other root: its blob shows that the key is kept here */
			struct cert_spec spec;       /* INTERMEDIATE; spki empty: it is the subject's */
		} authority_cross;
		struct {
			struct keeper_policy policy; /* kind AUTHORITY; spki_hash ignored */
			enum key_type key_type;
			struct cert_spec spec;       /* INTERMEDIATE; spki empty; dates and serial are not looked at */
		} authority_request;
		struct {
			struct keeper_issuer root;   /* the key, and the certificate it has now */
			struct cert_spec spec;       /* ROOT; spki empty: it is the root's */
		} authority_renew;
		struct {
			struct keeper_issuer issuer;
			struct cert_spec spec;       /* LEAF with its SPKI (the server has checked the CSR) */
		} leaf_sign;
		struct {
			struct keeper_issuer issuer;
			enum key_type key_type;
			struct cert_spec spec;         /* LEAF; spki empty */
			struct bytes recipient;        /* DER: the agent's identity certificate (EC key) */
			struct keeper_issuer agents;   /* the version of /troth/agents that signed it */
		} leaf_seal;
		struct {
			struct keeper_policy policy; /* spki_hash ignored */
			struct bytes key;            /* PEM or DER, SECRET: wipe it when the message is sent */
		} key_wrap;
		struct {
			struct bytes blob;           /* of kind LEAF */
			struct bytes recipient;      /* as in leaf_seal; of KEEPER_LISTENER_KEY: the server's certificate */
			struct keeper_issuer agents; /* that signed it: of /troth/agents, or of /troth/server */
		} key_seal;
		struct {
			struct keeper_policy policy; /* kind LEAF, exportable; spki_hash ignored */
			enum key_type key_type;
		} key_make;
		struct {
			struct bytes blob;           /* of kind LEAF; AUTHORITY_OPEN: of kind AUTHORITY.  Exportable */
		} key_open;
		struct {
			char key_id[UUID_LEN];
		} audit_create;
		struct {
			struct bytes blob;           /* of kind AUDIT */
			uint64_t seq;
			uint8_t head[SHA256_LEN];
		} audit_sign;
		struct {
			struct keeper_policy policy; /* kind WEBHOOK; spki_hash ignored */
			struct bytes secret;         /* KEEPER_WEBHOOK_SECRET_BYTES, SECRET: as key_wrap's key */
		} webhook_wrap;
		struct {
			struct bytes blob;           /* of kind WEBHOOK */
			const char *message;         /* its id: letters, digits, '_' and '-', at most KEEPER_WEBHOOK_ID_BYTES */
			int64_t timestamp;           /* seconds since 1970, as the header says it */
			struct bytes body;           /* at most LIMIT_WEBHOOK_BODY_BYTES */
		} webhook_sign;
	};
};

/* One flat answer; what a kind does not give stays empty. */
struct keeper_reply {
	uint64_t id;              /* of the request; 0: a message could not be read at all */
	enum troth_kind kind;     /* TROTH_OK or why not */
	const char *text, *hint;  /* of a refusal; "" otherwise */
	struct bytes blob;        /* AUTHORITY_CREATE, AUTHORITY_SIGN, AUTHORITY_REQUEST, KEY_WRAP, KEY_MAKE, AUDIT_CREATE, WEBHOOK_WRAP */
	struct bytes der;         /* AUTHORITY_CREATE, AUTHORITY_SIGN, AUTHORITY_CROSS, AUTHORITY_RENEW, LEAF_SIGN, LEAF_SEAL: the certificate;
	                             AUTHORITY_REQUEST: the PKCS#10 */
	struct bytes spki;        /* KEY_WRAP, KEY_SEAL, KEY_MAKE, KEY_OPEN, AUTHORITY_OPEN, AUDIT_CREATE, AUDIT_SIGN: the public key */
	struct bytes sealed;      /* LEAF_SEAL, KEY_SEAL: CMS AuthEnvelopedData of the PKCS#8 DER key */
	struct bytes signature;   /* AUDIT_SIGN: over keeper_audit_head; WEBHOOK_SIGN: HMAC-SHA256 over id.timestamp.body */
	struct bytes key;         /* KEY_MAKE, KEY_OPEN, AUTHORITY_OPEN: the private key as PEM (RSA: PKCS#1; EC: SEC1), SECRET: make the arena a secret one */
	msec_t signed_at;         /* AUDIT_SIGN: the keeper's clock, part of what is signed */
};

/* Turns a refusal into an error record; RC_OK for a good reply. */
troth_rc keeper_reply_check(const struct keeper_reply *r, struct troth_err *e);
const char *keeper_kind_name(enum keeper_kind kind); /* "authority-create", ...: for logs */

/* Checks a signature of AUDIT_SIGN; CORRUPT if it does not hold. */
troth_rc keeper_audit_verify(struct bytes spki, uint64_t seq, const uint8_t head[SHA256_LEN], msec_t signed_at,
			     struct bytes signature, struct troth_err *e);

#endif
