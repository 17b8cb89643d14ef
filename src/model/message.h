/* What agent and server say to each other: typed structs and one codec for both sides.
 *
 * The agent API is nine bodies of JSON (contract: docs/agent-api in words, this header in C).  The
 * server parses requests and renders replies with these functions, the agent does the opposite, and
 * the simulator passes the encoded bytes, so that the codec is inside everything we prove.
 *
 *     POST /v1/agent/enroll     msg_enroll    -> msg_enrolled
 *     POST /v1/agent/identity   msg_identity  -> msg_renewed
 *     GET  /v1/agent/recovery                 -> msg_nonce
 *     POST /v1/agent/recovery   msg_recovery  -> msg_recovering
 *     POST /v1/agent/session    msg_session   -> msg_opened
 *     GET  /v1/agent/desired?session=N&after=V&wait=55s  -> msg_desired
 *     POST /v1/agent/report     msg_report    -> {}
 *     POST /v1/agent/csr        msg_csr       -> {}
 *
 * Rules of the words:
 *  - Ids (instance, target, csr request) are UUIDs in text.  `epoch` is an opaque text of at most 64
 *    bytes, compared for equality only.  `session`, `version`, `seq`, generations are int64 >= 0.
 *  - A fingerprint is SHA-256 of the DER in 64 lower-case hex digits.  Of a slot: every certificate
 *    of the chain in the order served, leaf first.  Of a store: every CA of the set, sorted.
 *  - Decoders check shape, sizes and ranges, report all findings with their JSON paths, and refuse
 *    unknown fields in requests.  Fields unknown to an older agent in *replies* are ignored: a newer
 *    server may say more.  They do not parse PEM: that is pki's.
 *  - Everything decoded lives in the arena given.  Encoders append to a buf; ask buf_ok after. */
#ifndef TROTH_MODEL_MESSAGE_H
#define TROTH_MODEL_MESSAGE_H

#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/text.h"

enum {
	MSG_EPOCH_BYTES = 64,       /* opaque: a UUID fits twice */
	MSG_TARGETS = LIMIT_TARGETS_PER_INSTANCE + 1, /* and the agent's built-in store */
	MSG_PARAMETERS = 32,        /* per target: a profile has some ten */
	MSG_PARAMETER_BYTES = 512,  /* a path */
	MSG_REASON_BYTES = 1000,    /* why an apply failed, with the first lines of the command's output */
	MSG_DRIFT_LINES = 20,       /* one per file of a target */
	MSG_NONCE_BYTES = 128,      /* a time, 16 random bytes and a MAC, in hex */
	MSG_SIGNATURE_BYTES = 256,  /* ECDSA with P-384 is at most 104 bytes, in hex */
	MSG_SEALED_KEY_BYTES = 16 << 10, /* CMS of an RSA-4096 key is 3 KiB */
	MSG_BYTES = LIMIT_HTTP_BODY_BYTES, /* any message, either way: 64 targets with a chain and a
					    * bundle of 5 are 0.5 MiB */
};

/* The profile of an agent's built-in store: the CAs by which it believes the server.  It is on no node. */
#define MSG_OWN_TRUST "troth-server-ca"

/* Nobody counts so far.  Whoever names a higher one wants the other side to count past INT64_MAX. */
#define MSG_GENERATION_MAX (INT64_C(1) << 53)

/* -- enrolment: a one-time token for an identity -------------------------------------------- */
struct msg_enroll {
	const char *token;
	const char *csr;           /* PEM: of the agent's identity key */
	const char *boot_id;
	const char *agent_version;
	const char *instance;      /* wanted name, NULL: the token's, or made by the server */
};
struct msg_enrolled {
	const char *instance_id, *instance, *deployment; /* id, name, name */
	const char *certificate;   /* PEM: the identity */
	const char *chain;         /* PEM: its intermediates, may be "" */
	const char *server_ca;     /* PEM: bundle of /troth/server; replaces the pinned fingerprint */
	const char *agents_ca;     /* PEM: bundle of /troth/agents */
	const char *epoch;
};

struct msg_identity { const char *csr; };                               /* same key or a new one */
struct msg_renewed { const char *certificate, *chain, *server_ca; };

/* -- recovery: an identity that has expired, for a new one; asked without a client certificate ------ */
struct msg_nonce { const char *nonce; };
struct msg_recovery {
	const char *certificate;   /* PEM: the identity that has expired */
	const char *csr;           /* PEM: of the next identity's key */
	const char *nonce;         /* as the server gave it, used once */
	const char *signature;     /* hex: by the expired identity's key, over msg_recovery_signed */
	const char *peer;          /* the server's own: from where it came; not in the body */
};
struct msg_recovering {
	const char *state;         /* "pending": ask again later; "approved": the identity is here */
	const char *instance;
	int64_t retry_s;           /* pending: not before so many seconds */
	const char *certificate, *chain, *server_ca; /* PEM; NULL while pending */
};
/* What is signed: a word for what it is meant for, the nonce, and both PEM texts with the first one's length.  Lives in a. */
struct bytes msg_recovery_signed(struct arena *a, const struct msg_recovery *m);

/* -- session: what the node holds, said once per connection ------------------------------------ */
struct msg_loaded {                  /* of one target */
	const char *id;
	int64_t loaded_generation;   /* l: what the process runs; 0 = nothing of ours yet */
	int64_t high_water;          /* h >= l */
	struct json_texts fingerprints; /* of l; empty with l = 0 */
};
struct msg_session {
	const char *boot_id;         /* of the agent's state: new when state was lost or copied */
	const char *epoch;           /* the last one known, NULL on the first session */
	const char *agent_version;
	struct msg_loaded *targets;
	size_t target_count;
};
struct msg_opened {
	int64_t session;             /* > 0 */
	const char *epoch;
};

/* -- desired state --------------------------------------------------------------------------------- */
enum msg_target_kind { MSG_SLOT, MSG_STORE };
enum msg_role { MSG_SERVER, MSG_CLIENT };
struct msg_parameter { const char *name, *value; };

struct msg_csr_wanted {              /* the server wants a CSR of a new key of the agent's own */
	const char *request;         /* UUID; the same until answered, so answering twice is once */
	const char *key_type;        /* "ec-p256"...: key_type_name of pki/key.h */
	const char *common_name;     /* may be "" */
};

struct msg_target {
	const char *id, *name;       /* name: the template's, unique in the instance */
	enum msg_target_kind kind;
	const char *profile;         /* a profile installed on the node */
	enum msg_role role;
	struct msg_parameter *parameters;
	size_t parameter_count;
	int64_t generation;          /* 0: no document yet */
	struct json_texts certificates; /* PEM, one each; slot: leaf first; store: the set */
	struct json_texts distrusted; /* fingerprints: what holds one of these is never gone back to, and the service is
				       * restarted rather than reloaded (an emergency) */
	const char *key_request;     /* slot: the CSR that the leaf answers; NULL if sealed_key */
	struct bytes sealed_key;     /* slot: CMS to the agent's identity; len 0 if key_request */
	const struct msg_csr_wanted *csr; /* NULL: none wanted */
	bool leaving;                /* nothing more comes; say when its service is stopped */
};
struct msg_desired {
	int64_t session;
	const char *epoch;
	int64_t version;             /* opaque; give it back as `after` */
	struct msg_target *targets;  /* all targets of the instance, not only the changed ones */
	size_t target_count;
	struct json_texts gone;      /* ids of targets that are no more: forget, leave the files */
	bool renew_identity;         /* come for a new identity (msg_identity): the CA of the present one is to go */
};

/* -- reports -------------------------------------------------------------------------------------------- */
enum msg_level { MSG_LEVEL_WRITTEN, MSG_LEVEL_LOADED, MSG_LEVEL_PROBED };

struct msg_report {
	int64_t session, seq;        /* seq grows within the session, over all targets */
	const char *target;
	int64_t generation;          /* l */
	int64_t high_water;          /* h */
	enum msg_level level;
	bool settled;                /* A1-A5 hold: only these count */
	bool stopped;                /* of a leaving slot: nobody answers at any of its addresses any more */
	struct json_texts fingerprints; /* of l, as said above */
	int64_t failed_generation;   /* 0: nothing failed */
	const char *failed_reason;   /* NULL if nothing failed */
	bool has_found;              /* seen before anything of ours was applied */
	struct json_texts found_fingerprints;
	const char *found_text;
	struct json_texts drift;     /* what differed and was put right, or differs still */
};

struct msg_csr {
	int64_t session;
	const char *target, *request;
	const char *csr;             /* PEM */
};

/* -- codec --------------------------------------------------------------------------------------------- */
void msg_enroll_encode(struct buf *out, const struct msg_enroll *m);
void msg_enrolled_encode(struct buf *out, const struct msg_enrolled *m);
void msg_identity_encode(struct buf *out, const struct msg_identity *m);
void msg_nonce_encode(struct buf *out, const struct msg_nonce *m);
void msg_recovery_encode(struct buf *out, const struct msg_recovery *m);
void msg_recovering_encode(struct buf *out, const struct msg_recovering *m);
void msg_renewed_encode(struct buf *out, const struct msg_renewed *m);
void msg_session_encode(struct buf *out, const struct msg_session *m);
void msg_opened_encode(struct buf *out, const struct msg_opened *m);
void msg_desired_encode(struct buf *out, const struct msg_desired *m);
void msg_report_encode(struct buf *out, const struct msg_report *m);
void msg_csr_encode(struct buf *out, const struct msg_csr *m);

troth_rc msg_enroll_decode(struct arena *a, struct bytes in, struct msg_enroll *ret, struct troth_err *e);
troth_rc msg_enrolled_decode(struct arena *a, struct bytes in, struct msg_enrolled *ret, struct troth_err *e);
troth_rc msg_identity_decode(struct arena *a, struct bytes in, struct msg_identity *ret, struct troth_err *e);
troth_rc msg_nonce_decode(struct arena *a, struct bytes in, struct msg_nonce *ret, struct troth_err *e);
troth_rc msg_recovery_decode(struct arena *a, struct bytes in, struct msg_recovery *ret, struct troth_err *e);
troth_rc msg_recovering_decode(struct arena *a, struct bytes in, struct msg_recovering *ret, struct troth_err *e);
troth_rc msg_renewed_decode(struct arena *a, struct bytes in, struct msg_renewed *ret, struct troth_err *e);
troth_rc msg_session_decode(struct arena *a, struct bytes in, struct msg_session *ret, struct troth_err *e);
troth_rc msg_opened_decode(struct arena *a, struct bytes in, struct msg_opened *ret, struct troth_err *e);
troth_rc msg_desired_decode(struct arena *a, struct bytes in, struct msg_desired *ret, struct troth_err *e);
troth_rc msg_report_decode(struct arena *a, struct bytes in, struct msg_report *ret, struct troth_err *e);
troth_rc msg_csr_decode(struct arena *a, struct bytes in, struct msg_csr *ret, struct troth_err *e);

const char *msg_level_name(enum msg_level level); /* "written", "loaded", "probed" */

#endif
