/* The nouns as the store keeps them: one struct a table, and its functions.
 *
 * Shapes that hold for all:
 *   ids      int64, given by SQLite at insert (written into row->id), never reused; 0 = none (NULL).
 *   times    msec_t since 1970; 0 = never.
 *   text     const char *, 0-ended; NULL = absent (only where "or NULL" is said).
 *   json     text that the caller wrote and reads; the store never looks inside.
 *   enums    kept as text; X_NAMES[value] is that text, also fit for the API.
 *   memory   what a get or list fills in lives in the arena given.  Nothing keeps a pointer to what
 *            an insert or update was given.
 *
 * x_row_insert  fills row->id.           x_row_update  writes the whole row of row->id (read it in the
 * same transaction, change, write; there is one writer).  x_row_get/by_*  NOT_FOUND if there is none
 * (e may be NULL if only the rc counts).  x_row_list*  ascending id, rows with id > page.after, at
 * most page.limit; *ret_rows NULL when *ret_count is 0. */
#ifndef TROTH_STORE_ROWS_H
#define TROTH_STORE_ROWS_H

#ifndef TROTH_STORE_STORE_H
#error "include store/store.h"
#endif

/* A page of a list.  limit 0: LIMIT_PAGE.  PAGE_ALL is for bounded lists (members of one thing) and
 * for rebuilding the engine's view. */
struct page {
	int64_t after;
	int limit;
};
#define PAGE_ALL ((struct page){ 0, INT32_MAX })
#define PAGE_FIRST ((struct page){ 0, 0 })

struct id_list {
	int64_t *items;
	size_t count;
};

/* -- credential: a named leaf or authority ------------------------------------------------------ */
enum credential_kind { CREDENTIAL_AUTHORITY, CREDENTIAL_LEAF };
extern const char *const CREDENTIAL_KIND_NAMES[]; /* "authority", "leaf" */
/* Of an authority: key and certificate are made here; the key is here, and somebody else signs the certificate; the key
 * never was here, and it is only trusted.  A leaf is internal. */
enum authority_origin { ORIGIN_INTERNAL, ORIGIN_EXTERNAL, ORIGIN_IMPORTED };
extern const char *const AUTHORITY_ORIGIN_NAMES[]; /* "internal", "external", "imported" */

struct credential_row {
	int64_t id;
	const char *uuid, *name;   /* name: unique among those not retired */
	enum credential_kind kind;
	enum authority_origin origin;
	int64_t issuer_id;         /* credential (authority) that signs its versions; 0: self-signed or uploaded */
	const char *key_type;      /* "ec-p256" ... */
	const char *spec;          /* json: common name, organization, sans, path_len, permitted_dns ...; or NULL */
	msec_t ca_ttl, leaf_ttl;   /* life of its own versions if authority; of the leaves (it signs | it is) */
	const char *renew;         /* when its versions are renewed: "66%", "30d", "never" (service/ca/renewal.h); NULL: the default */
	const char *leaf_renew;    /* authority: the same of the leaves it signs that say nothing themselves; or NULL */
	bool hold_at_deadline;     /* authority: rather let every pair of a slot break at its end than leave out the late */
	int64_t signing_version;   /* authority: the signer (version_row_set_signing); leaf: its newest version; or 0 */
	bool exportable;
	bool paused;               /* authority: the engine holds still for it */
	msec_t grace_until;        /* authority: nothing of it is withdrawn before (a switch rests on a binding); 0 none */
	int64_t grace_target;      /* the binding's target; or 0 */
	int64_t rev;               /* for If-Match; the caller counts it up */
	msec_t created, retired;   /* retired: 0 while it lives */
};
troth_rc credential_row_insert(struct tx *tx, struct credential_row *row, struct troth_err *e);
troth_rc credential_row_update(struct tx *tx, const struct credential_row *row, struct troth_err *e);
troth_rc credential_row_get(struct tx *tx, struct arena *a, int64_t id, struct credential_row *ret, struct troth_err *e);
troth_rc credential_row_by_uuid(struct tx *tx, struct arena *a, const char *uuid, struct credential_row *ret, struct troth_err *e);
troth_rc credential_row_by_name(struct tx *tx, struct arena *a, const char *name, struct credential_row *ret, struct troth_err *e); /* not retired */
troth_rc credential_row_list(struct tx *tx, struct arena *a, struct page page, struct credential_row **ret_rows, size_t *ret_count, struct troth_err *e);
troth_rc credential_row_list_kind(struct tx *tx, struct arena *a, enum credential_kind kind, struct page page, struct credential_row **ret_rows, size_t *ret_count, struct troth_err *e); /* not retired */
troth_rc credential_row_list_issuer(struct tx *tx, struct arena *a, int64_t issuer_id, struct page page, struct credential_row **ret_rows, size_t *ret_count, struct troth_err *e); /* not retired */
/* Only the authorities among those. */
troth_rc credential_row_list_below(struct tx *tx, struct arena *a, int64_t issuer_id, struct credential_row **ret_rows, size_t *ret_count, struct troth_err *e);
/* When the first of its wanted versions ends; 0: it has none. */
troth_rc credential_row_ends(struct tx *tx, int64_t id, msec_t *ret_ends, struct troth_err *e);
/* Deleted ones, whose name no other below the same issuer has by now. */
troth_rc credential_row_list_deleted(struct tx *tx, struct arena *a, int64_t issuer_id,
	struct page page, struct credential_row **ret_rows, size_t *ret_count, struct troth_err *e);
/* Looking for some of those that live: what is said (not NULL, 0, empty) must hold, all of it. */
enum credential_sort { CREDENTIAL_BY_ID, CREDENTIAL_BY_NAME, CREDENTIAL_BY_NAME_DOWN, CREDENTIAL_BY_END, CREDENTIAL_BY_END_DOWN };
struct credential_filter {
	enum credential_kind kind;
	const char *name_prefix;
	int64_t issuer_id;
	const char *san, *san_too; /* one of its names is this, or that (two ways to write one name), in any case */
	struct bytes fingerprint;  /* of one of its versions, wanted or not */
	msec_t ends_before;        /* the first of its wanted versions ends before */
	enum credential_sort sort; /* with the id for those that are equal; page.after is an id in each order */
};
troth_rc credential_row_find(struct tx *tx, struct arena *a, const struct credential_filter *f, struct page page,
	struct credential_row **ret_rows, size_t *ret_count, struct troth_err *e);
/* The longest life that is asked for below an authority: ca_ttl of authorities, leaf_ttl of leaves and of slot templates; 0: none says one. */
troth_rc credential_row_longest_below(struct tx *tx, int64_t issuer_id, msec_t *ret_ttl, struct troth_err *e);

/* -- cert: a distinct certificate; equal bytes are one row --------------------------------------- */
struct cert_row {
	int64_t id;
	struct bytes fingerprint;  /* SHA-256 of der; unique */
	struct bytes der;
	const char *subject, *issuer, *serial; /* text RFC 2253; serial in hex */
	struct bytes subject_key;  /* SHA-256 over (subject DER, SPKI): equal for a renewed CA */
	struct bytes spki_hash;    /* SHA-256 of the SPKI */
	msec_t not_before, not_after;
	bool is_ca;
	bool self_signed;          /* a root: may be an anchor */
};
/* Finds the row with row->fingerprint or inserts it; row->id is set either way. */
troth_rc cert_row_put(struct tx *tx, struct cert_row *row, struct troth_err *e);
troth_rc cert_row_get(struct tx *tx, struct arena *a, int64_t id, struct cert_row *ret, struct troth_err *e);
troth_rc cert_row_by_fingerprint(struct tx *tx, struct arena *a, struct bytes fingerprint, struct cert_row *ret, struct troth_err *e);
troth_rc cert_row_list(struct tx *tx, struct arena *a, struct page page, struct cert_row **ret_rows, size_t *ret_count, struct troth_err *e);
troth_rc cert_row_list_subject_key(struct tx *tx, struct arena *a, struct bytes subject_key, struct cert_row **ret_rows, size_t *ret_count, struct troth_err *e);

/* -- version: one certificate of a credential ------------------------------------------------------ */
enum version_source { VERSION_GENERATED, VERSION_UPLOADED, VERSION_CSR };
extern const char *const VERSION_SOURCE_NAMES[]; /* "generated", "uploaded", "csr" */

struct version_row {
	int64_t id;
	const char *uuid;
	int64_t credential_id, cert_id;
	int64_t signed_by;         /* version of the issuing authority; 0: self-signed or foreign */
	struct id_list above;      /* external authority: certificates of outside CAs between its own and signed_by's; its issuer first */
	int64_t anchor_cert;       /* uploaded leaf: the CA certificate that anchors its chain; or 0 */
	enum version_source source;
	struct bytes key_blob;     /* wrapped by the keeper; empty: we have no key */
	struct bytes sealed_key;   /* CMS for one agent; empty: none */
	int64_t cross_cert;        /* root: a certificate of its key that an older root signed (served as a bridge); or 0 */
	int64_t cross_by;          /* the version that signed that; or 0 */
	bool wanted;               /* the goal contains it */
	bool signing;              /* rule 1: at most one per credential, kept by the database */
	bool can_sign;             /* key here and certificate allows it */
	bool distrusted;
	msec_t created, retired_at;
	msec_t renew_at;           /* when the next one is asked for (leaf) or a rotation starts by itself (authority); 0: never */
	msec_t renew_latest;       /* authority: from here on even on top of a rotation that still runs; 0: never */
	msec_t renewing;           /* authority: since when its rotation has been ordered and not begun; 0: not */
	msec_t forgotten;          /* somebody outside wants to see it no more (service/handout/forget.h); 0: not */
};
troth_rc version_row_insert(struct tx *tx, struct version_row *row, struct troth_err *e);
troth_rc version_row_update(struct tx *tx, const struct version_row *row, struct troth_err *e);
/* The label moves: off the present signer, onto version_id, and into the credential's row. */
troth_rc version_row_set_signing(struct tx *tx, int64_t credential_id, int64_t version_id, struct troth_err *e);
troth_rc version_row_get(struct tx *tx, struct arena *a, int64_t id, struct version_row *ret, struct troth_err *e);
troth_rc version_row_by_uuid(struct tx *tx, struct arena *a, const char *uuid, struct version_row *ret, struct troth_err *e);
troth_rc version_row_list(struct tx *tx, struct arena *a, struct page page, struct version_row **ret_rows, size_t *ret_count, struct troth_err *e);
troth_rc version_row_list_credential(struct tx *tx, struct arena *a, int64_t credential_id, struct page page, struct version_row **ret_rows, size_t *ret_count, struct troth_err *e);
/* So many of the newest (LIMIT_VERSIONS_SHOWN, LIMIT_VERSIONS_LIVE), and any older one that is wanted, signs, is distrusted or (of an
 * authority) not retired: all whose labels say something.  Newest first. */
troth_rc version_row_list_recent(struct tx *tx, struct arena *a, int64_t credential_id, int newest, struct version_row **ret_rows, size_t *ret_count, struct troth_err *e);
/* Of an authority: those that can sign, and are wanted, carry the label, or are `also`; oldest first. */
troth_rc version_row_list_signers(struct tx *tx, struct arena *a, int64_t credential_id, int64_t also, struct version_row **ret_rows, size_t *ret_count, struct troth_err *e);
troth_rc version_row_list_cert(struct tx *tx, struct arena *a, int64_t cert_id, struct version_row **ret_rows, size_t *ret_count, struct troth_err *e);
/* Uploaded leaves whose chain this CA certificate anchors. */
troth_rc version_row_list_anchor(struct tx *tx, struct arena *a, int64_t cert_id, struct version_row **ret_rows, size_t *ret_count, struct troth_err *e);
troth_rc version_row_list_signed_by(struct tx *tx, struct arena *a, int64_t version_id, struct page page, struct version_row **ret_rows, size_t *ret_count, struct troth_err *e);
/* Versions of authorities only, all of them: what FACT_CA is made of. */
troth_rc version_row_list_authorities(struct tx *tx, struct arena *a, struct page page, struct version_row **ret_rows, size_t *ret_count, struct troth_err *e);
/* Wanted leaves with 0 < renew_at <= now, earliest first (no cursor). */
troth_rc version_row_list_due(struct tx *tx, struct arena *a, msec_t now, int limit, struct version_row **ret_rows, size_t *ret_count, struct troth_err *e);
/* The earliest renew_at of a wanted version; 0 if there is none. */
troth_rc version_row_next_due(struct tx *tx, msec_t *ret_at, struct troth_err *e);

/* -- metadata: what the owner of a version wants kept with it; a row of its own, as only who shows it reads it ------ */
struct metadata_row {
	int64_t id;
	int64_t version_id;        /* unique; the row goes with the version */
	const char *body;          /* a JSON object (service/handout/metadata.h); of nobody's interest here */
};
troth_rc metadata_row_put(struct tx *tx, int64_t version_id, const char *body, struct troth_err *e); /* in place of what was there; NULL: none */
troth_rc metadata_row_of(struct tx *tx, struct arena *a, int64_t version_id, const char **ret_body, struct troth_err *e); /* NULL: none */
/* Of the newest version of a credential; NULL: none. */
troth_rc metadata_row_newest(struct tx *tx, struct arena *a, int64_t credential_id, const char **ret_body, struct troth_err *e);

/* -- ca_request: the key of an external authority's next version, and what its outside CA is to sign ----------- */
struct ca_request_row {
	int64_t id;
	const char *uuid;          /* of the version that it becomes */
	int64_t credential_id;     /* one waits at a time */
	struct bytes key_blob;     /* wrapped by the keeper */
	struct bytes csr;          /* PKCS#10, DER */
	int64_t rotation_id;       /* the rotation that waits for it; 0: it will be the first version */
	msec_t created;            /* asked for since */
};
troth_rc ca_request_row_insert(struct tx *tx, struct ca_request_row *row, struct troth_err *e);
troth_rc ca_request_row_delete(struct tx *tx, int64_t id, struct troth_err *e);
/* The one that waits; *ret_found false, and a row of zeros: none does. */
troth_rc ca_request_row_of(struct tx *tx, struct arena *a, int64_t credential_id, struct ca_request_row *ret, bool *ret_found, struct troth_err *e);

/* -- content: what a document contains: a chain (leaf first) or a trust set ------------------------- */
enum content_kind { CONTENT_CHAIN, CONTENT_SET };
extern const char *const CONTENT_KIND_NAMES[]; /* "chain", "set" */

struct content_row {
	int64_t id;
	enum content_kind kind;
	struct id_list certs;      /* cert ids; a set's are sorted and without doubles */
	int64_t version_id;        /* chain: the version of its leaf; set: 0 */
	struct bytes hash;         /* filled by content_row_put: SHA-256 over kind and certs */
};
/* Finds the row with the same kind and certs or inserts it; row->id is set either way.  A set's list
 * is sorted and made unique in place. */
troth_rc content_row_put(struct tx *tx, struct content_row *row, struct troth_err *e);
troth_rc content_row_get(struct tx *tx, struct arena *a, int64_t id, struct content_row *ret, struct troth_err *e);
troth_rc content_row_list(struct tx *tx, struct arena *a, struct page page, struct content_row **ret_rows, size_t *ret_count, struct troth_err *e);
troth_rc content_row_list_version(struct tx *tx, struct arena *a, int64_t version_id, struct content_row **ret_rows, size_t *ret_count, struct troth_err *e);

/* -- bundle and its members ------------------------------------------------------------------------- */
struct bundle_row {
	int64_t id;
	const char *uuid, *name;   /* name unique */
	int64_t rev;
	msec_t created;
};
troth_rc bundle_row_insert(struct tx *tx, struct bundle_row *row, struct troth_err *e);
troth_rc bundle_row_update(struct tx *tx, const struct bundle_row *row, struct troth_err *e);
troth_rc bundle_row_delete(struct tx *tx, int64_t id, struct troth_err *e); /* its members too; CONFLICT if a template uses it */
troth_rc bundle_row_get(struct tx *tx, struct arena *a, int64_t id, struct bundle_row *ret, struct troth_err *e);
troth_rc bundle_row_by_uuid(struct tx *tx, struct arena *a, const char *uuid, struct bundle_row *ret, struct troth_err *e);
troth_rc bundle_row_by_name(struct tx *tx, struct arena *a, const char *name, struct bundle_row *ret, struct troth_err *e);
troth_rc bundle_row_list(struct tx *tx, struct arena *a, struct page page, struct bundle_row **ret_rows, size_t *ret_count, struct troth_err *e);

struct bundle_member_row {         /* an authority, or a single trusted certificate */
	int64_t id, bundle_id;
	int64_t authority_id;      /* credential, or 0 */
	int64_t cert_id;           /* certificate, or 0; exactly one of the two */
	const char *alias;         /* of a certificate: unique in the bundle; or NULL */
	const char *source;        /* who brought it, or NULL */
	msec_t created;
};
troth_rc bundle_member_row_insert(struct tx *tx, struct bundle_member_row *row, struct troth_err *e);
troth_rc bundle_member_row_delete(struct tx *tx, int64_t id, struct troth_err *e);
troth_rc bundle_member_row_list_bundle(struct tx *tx, struct arena *a, int64_t bundle_id, struct page page, struct bundle_member_row **ret_rows, size_t *ret_count, struct troth_err *e);
troth_rc bundle_member_row_list_authority(struct tx *tx, struct arena *a, int64_t authority_id, struct bundle_member_row **ret_rows, size_t *ret_count, struct troth_err *e);
troth_rc bundle_member_row_list_cert(struct tx *tx, struct arena *a, int64_t cert_id, struct bundle_member_row **ret_rows, size_t *ret_count, struct troth_err *e);
troth_rc bundle_member_row_list(struct tx *tx, struct arena *a, struct page page, struct bundle_member_row **ret_rows, size_t *ret_count, struct troth_err *e);

/* -- deployment, its templates, and which of them meet ------------------------------------------------ */
/* Who is at the other end of a deployment's targets. */
enum party {
	PARTY_AGENT,    /* nodes with an agent */
	PARTY_EXTERNAL, /* who says through the API what he has loaded (service/outside/external.h) */
	PARTY_HOLDER,   /* who took a certificate through the API (service/outside/holder.h); one deployment, made by itself */
	PARTY_BINDING,  /* who was handed a bundle (service/outside/binding.h); one deployment, made by itself */
	PARTY_OWN,      /* troth itself: server and agents among each other (service/ca/own.h); one deployment, made by itself */
};
extern const char *const PARTY_NAMES[]; /* "agent", "external", "holder", "binding", "own" */
/* Has it instances for people to list?  The others are listed as what they are. */
static inline bool party_has_instances(enum party party) { return party == PARTY_AGENT || party == PARTY_EXTERNAL; }

struct deployment_row {
	int64_t id;
	const char *uuid, *name;   /* name unique */
	bool ephemeral;            /* its instances leave by themselves when their lease ends */
	bool ignored;              /* ephemeral only: never admitted, so the promise leaves them out */
	msec_t lease;              /* ephemeral only: from enrolment on */
	enum party party;
	msec_t grace;              /* external only: nothing is withdrawn so long after a switch that rests on its reports */
	int64_t rev;
	msec_t created;
};
troth_rc deployment_row_insert(struct tx *tx, struct deployment_row *row, struct troth_err *e);
troth_rc deployment_row_update(struct tx *tx, const struct deployment_row *row, struct troth_err *e);
/* With its templates, their meets, unused tokens and instances that left; CONFLICT while an instance
 * has not left. */
troth_rc deployment_row_delete(struct tx *tx, int64_t id, struct troth_err *e);
troth_rc deployment_row_get(struct tx *tx, struct arena *a, int64_t id, struct deployment_row *ret, struct troth_err *e);
troth_rc deployment_row_by_uuid(struct tx *tx, struct arena *a, const char *uuid, struct deployment_row *ret, struct troth_err *e);
troth_rc deployment_row_by_name(struct tx *tx, struct arena *a, const char *name, struct deployment_row *ret, struct troth_err *e);
troth_rc deployment_row_list(struct tx *tx, struct arena *a, struct page page, struct deployment_row **ret_rows, size_t *ret_count, struct troth_err *e);

struct rolling_row {               /* how a deployment may change; no row: all at once, at any time, by itself */
	int64_t id;
	int64_t deployment_id;     /* unique */
	int64_t max_unavailable;   /* instances changing or unhealthy at once; 0 no limit */
	int64_t canary;            /* so many first; 0 none */
	msec_t pause;              /* between two batches; 0 none */
	bool stop_on_failure;
	bool manual;               /* each step of a rotation waits for its approval */
	const char *windows;       /* json array of texts (service/policy/window.h); NULL: at any time */
	bool window_open;          /* as the runner last told it ... */
	msec_t window_at;          /* ... at this time */
	msec_t window_until;       /* when it changes next; 0 never */
	msec_t settled_at;         /* an instance ended its change last */
	msec_t stopped_at;         /* an instance failed and nobody has said to go on; 0 no */
	const char *stopped_by;    /* "pg-1/tls: what its agent said", or NULL */
};
troth_rc rolling_row_insert(struct tx *tx, struct rolling_row *row, struct troth_err *e);
troth_rc rolling_row_update(struct tx *tx, const struct rolling_row *row, struct troth_err *e);
/* ret_found false: a row with the deployment's id and nothing else in it. */
troth_rc rolling_row_of(struct tx *tx, struct arena *a, int64_t deployment_id, struct rolling_row *ret, bool *ret_found, struct troth_err *e);
troth_rc rolling_row_list(struct tx *tx, struct arena *a, struct page page, struct rolling_row **ret_rows, size_t *ret_count, struct troth_err *e);
/* Those with windows whose state may have changed: window_until <= now, or told more than a minute after now. */
troth_rc rolling_row_list_due(struct tx *tx, struct arena *a, msec_t now, struct rolling_row **ret_rows, size_t *ret_count, struct troth_err *e);

enum target_kind { TARGET_SLOT, TARGET_STORE };
enum target_role { TARGET_SERVER, TARGET_CLIENT, TARGET_BOTH }; /* what a slot presents as; a store: TARGET_BOTH */
enum key_source { KEY_SOURCE_AGENT, KEY_SOURCE_KEEPER };    /* who makes a slot's key */
extern const char *const TARGET_KIND_NAMES[]; /* "slot", "store" */
extern const char *const TARGET_ROLE_NAMES[]; /* "server", "client", "both" */
extern const char *const KEY_SOURCE_NAMES[];  /* "agent", "keeper" */

struct template_row {              /* every instance of the deployment gets a target like this; a group of the engine */
	int64_t id;
	const char *uuid;
	int64_t deployment_id;
	enum target_kind kind;
	enum party party;          /* the deployment's */
	const char *name;          /* "server-tls": unique in the deployment */
	const char *profile;       /* "nginx" */
	enum target_role role;
	const char *parameters;    /* json object, or NULL */
	const char *credential_pattern; /* slot: "/prod/pg/{instance}/server"; or NULL */
	const char *common_name;   /* slot: pattern; or NULL */
	const char *sans;          /* slot: json array of patterns; or NULL */
	int64_t authority_id;      /* slot: who signs; or 0 */
	int64_t bundle_id;         /* store: what it holds; or 0 */
	enum key_source key_source;
	const char *key_type;      /* slot: "ec-p256"; or NULL */
	msec_t leaf_ttl;           /* slot: life of its leaves; 0: the authority's leaf_ttl */
	bool atomic;               /* store: swapped as one */
	int64_t store_limit;       /* store: at most so many certificates; 0: no limit */
	msec_t created;
};
troth_rc template_row_insert(struct tx *tx, struct template_row *row, struct troth_err *e);
troth_rc template_row_update(struct tx *tx, const struct template_row *row, struct troth_err *e);
troth_rc template_row_delete(struct tx *tx, int64_t id, struct troth_err *e); /* its meets too; CONFLICT while it has targets */
troth_rc template_row_get(struct tx *tx, struct arena *a, int64_t id, struct template_row *ret, struct troth_err *e);
troth_rc template_row_by_uuid(struct tx *tx, struct arena *a, const char *uuid, struct template_row *ret, struct troth_err *e);
troth_rc template_row_by_name(struct tx *tx, struct arena *a, int64_t deployment_id, const char *name, struct template_row *ret, struct troth_err *e);
troth_rc template_row_list(struct tx *tx, struct arena *a, struct page page, struct template_row **ret_rows, size_t *ret_count, struct troth_err *e);
troth_rc template_row_list_deployment(struct tx *tx, struct arena *a, int64_t deployment_id, struct page page, struct template_row **ret_rows, size_t *ret_count, struct troth_err *e);
troth_rc template_row_list_authority(struct tx *tx, struct arena *a, int64_t authority_id, struct template_row **ret_rows, size_t *ret_count, struct troth_err *e);
troth_rc template_row_list_bundle(struct tx *tx, struct arena *a, int64_t bundle_id, struct template_row **ret_rows, size_t *ret_count, struct troth_err *e);

struct meet_row {                  /* slot template x store template; sticky */
	int64_t id;
	int64_t presenter_id, verifier_id; /* templates; the pair is unique */
	bool on;                   /* false: an operator took it out; it is not made again by itself */
	const char *source;        /* "bundle" or the operator's name */
	msec_t since;
};
/* Inserts the pair if it is not there (a pair that is there stays as it is, also when off).
 * ret_new: whether it was made now; may be NULL.  row->id is set either way. */
troth_rc meet_row_put(struct tx *tx, struct meet_row *row, bool *ret_new, struct troth_err *e);
troth_rc meet_row_update(struct tx *tx, const struct meet_row *row, struct troth_err *e);
troth_rc meet_row_by_pair(struct tx *tx, struct arena *a, int64_t presenter_id, int64_t verifier_id, struct meet_row *ret, struct troth_err *e);
troth_rc meet_row_list(struct tx *tx, struct arena *a, struct page page, struct meet_row **ret_rows, size_t *ret_count, struct troth_err *e);
troth_rc meet_row_list_template(struct tx *tx, struct arena *a, int64_t template_id, struct meet_row **ret_rows, size_t *ret_count, struct troth_err *e); /* in either role */

/* -- instance ------------------------------------------------------------------------------------------- */
/* waived: out of every pair until its agent opens a session again, as a joiner.  leaving: its slots count until
 * they are stopped. */
enum instance_state { INSTANCE_ACTIVE, INSTANCE_WAIVED, INSTANCE_LEAVING, INSTANCE_LEFT };
extern const char *const INSTANCE_STATE_NAMES[]; /* "active", "waived", "leaving", "left" */

struct instance_row {
	int64_t id;
	const char *uuid;
	int64_t deployment_id;
	const char *name;          /* unique in the deployment among those that have not left */
	enum instance_state state;
	struct bytes identity_fingerprint; /* SHA-256 of its client certificate; empty before enrolment */
	struct bytes identity_previous;    /* the one before, still accepted; or empty */
	msec_t identity_not_after;
	struct bytes identity_der; /* the certificate itself: recipient of sealed keys; or empty */
	const char *boot_id;       /* or NULL */
	int64_t session;           /* the open one; 0 none */
	msec_t session_opened, last_seen, alive_until;
	int64_t desired_version;   /* grows when anything for this instance changes (see store_sequence_next) */
	const char *agent_version, *alarm; /* or NULL */
	msec_t lease_until;        /* ephemeral only */
	msec_t created, left_at;
};
troth_rc instance_row_insert(struct tx *tx, struct instance_row *row, struct troth_err *e);
troth_rc instance_row_update(struct tx *tx, const struct instance_row *row, struct troth_err *e);
troth_rc instance_row_touch(struct tx *tx, int64_t id, msec_t last_seen, msec_t alive_until, struct troth_err *e); /* cheap heartbeat */
troth_rc instance_row_get(struct tx *tx, struct arena *a, int64_t id, struct instance_row *ret, struct troth_err *e);
troth_rc instance_row_by_uuid(struct tx *tx, struct arena *a, const char *uuid, struct instance_row *ret, struct troth_err *e);
troth_rc instance_row_by_name(struct tx *tx, struct arena *a, int64_t deployment_id, const char *name, struct instance_row *ret, struct troth_err *e); /* not left */
/* The instance (not left) whose present or previous identity this is. */
troth_rc instance_row_by_fingerprint(struct tx *tx, struct arena *a, struct bytes fingerprint, struct instance_row *ret, struct troth_err *e);
troth_rc instance_row_list(struct tx *tx, struct arena *a, struct page page, struct instance_row **ret_rows, size_t *ret_count, struct troth_err *e);
/* Housekeeping, both by id and at most `limit`.  Active ones of which nobody ever admitted a target (troth's own aside) and that were not heard of since
 * `before` (nor made since). */
troth_rc instance_row_list_abandoned(struct tx *tx, struct arena *a, msec_t before, int limit, struct instance_row **ret_rows, size_t *ret_count, struct troth_err *e);
/* Ephemeral ones (they had a lease) that left before `before`. */
troth_rc instance_row_list_over(struct tx *tx, struct arena *a, msec_t before, int limit, struct instance_row **ret_rows, size_t *ret_count, struct troth_err *e);
/* With its targets, their documents and staged chains, and the tokens it used; certificates that were issued to it stay
 * on record.  CONFLICT if it has not left. */
troth_rc instance_row_forget(struct tx *tx, int64_t id, struct troth_err *e);
troth_rc instance_row_list_deployment(struct tx *tx, struct arena *a, int64_t deployment_id, struct page page, struct instance_row **ret_rows, size_t *ret_count, struct troth_err *e);

/* -- target ----------------------------------------------------------------------------------------------- */
enum target_state { TARGET_JOINING, TARGET_COUNTED, TARGET_WAIVED, TARGET_LEAVING, TARGET_LEFT };
enum target_level { LEVEL_NONE, LEVEL_SENT, LEVEL_WRITTEN, LEVEL_LOADED, LEVEL_PROBED };
extern const char *const TARGET_STATE_NAMES[]; /* "joining", "counted", "waived", "leaving", "left" */
extern const char *const TARGET_LEVEL_NAMES[]; /* "none", "sent", "written", "loaded", "probed" */

struct target_row {
	int64_t id;
	const char *uuid;
	int64_t instance_id, template_id;
	int64_t credential_id;     /* slot; 0 for a store */
	enum target_state state;
	int64_t next_generation;   /* the next document's; starts at 1 */
	bool base_known;           /* false: contents unknown (engine-rules section 4) */
	bool strange;              /* unknown though it reported: they are nobody's here */
	int64_t base_content;      /* content last counted; 0: none or unknown */
	int64_t base_generation, high_water;
	enum target_level level;   /* of the newest document; progress for people */
	int64_t level_generation;
	msec_t seen_at;            /* last counted observation */
	const char *last_error;    /* or NULL */
	int64_t failed_content, failures; /* equal contents failing so often in a row */
	int64_t report_seq;        /* last accepted of this session */
	const char *csr_request;   /* uuid of the CSR asked for; NULL: none */
	int64_t csr_ca;            /* version that shall sign it; 0 none */
	msec_t pace;               /* from handed out to settled, lately; 0: not measured */
	const char *found, *drift; /* json, or NULL */
	msec_t created, left_at;
};
troth_rc target_row_insert(struct tx *tx, struct target_row *row, struct troth_err *e);
troth_rc target_row_update(struct tx *tx, const struct target_row *row, struct troth_err *e);
troth_rc target_row_get(struct tx *tx, struct arena *a, int64_t id, struct target_row *ret, struct troth_err *e);
troth_rc target_row_by_uuid(struct tx *tx, struct arena *a, const char *uuid, struct target_row *ret, struct troth_err *e);
troth_rc target_row_list(struct tx *tx, struct arena *a, struct page page, struct target_row **ret_rows, size_t *ret_count, struct troth_err *e);
troth_rc target_row_list_instance(struct tx *tx, struct arena *a, int64_t instance_id, struct target_row **ret_rows, size_t *ret_count, struct troth_err *e);
troth_rc target_row_list_template(struct tx *tx, struct arena *a, int64_t template_id, struct page page, struct target_row **ret_rows, size_t *ret_count, struct troth_err *e);
troth_rc target_row_list_credential(struct tx *tx, struct arena *a, int64_t credential_id, struct target_row **ret_rows, size_t *ret_count, struct troth_err *e);
/* What the targets of a template hold that have not left: so many of them were last counted with these contents. */
struct holding_row {
	int64_t content_id;        /* 0: nothing yet, or nobody knows */
	int64_t members;
};
troth_rc target_row_list_holdings(struct tx *tx, struct arena *a, int64_t template_id, struct holding_row **ret_rows, size_t *ret_count, struct troth_err *e);
/* Targets not left whose csr_request is set. */
troth_rc target_row_list_csr(struct tx *tx, struct arena *a, struct page page, struct target_row **ret_rows, size_t *ret_count, struct troth_err *e);

/* -- document: (target, generation, contents); rows stay after they are settled -------------------------------- */
enum document_state {
	DOCUMENT_PENDING,  /* counts in Seq */
	DOCUMENT_SETTLED,  /* at or below the high-water mark: it became base or was passed over */
	DOCUMENT_REPLACED, /* never handed out, replaced: never counted again */
	DOCUMENT_VOID,     /* pending when its session ended */
};
extern const char *const DOCUMENT_STATE_NAMES[]; /* "pending", "settled", "replaced", "void" */

struct document_row {
	int64_t id;
	int64_t target_id, generation; /* the pair is unique */
	int64_t content_id;
	int64_t version_id;        /* chain: version of its leaf; 0 for a set */
	enum document_state state;
	int64_t session;           /* in which it was handed out; 0 before */
	msec_t created, handed_at; /* handed_at 0: still on the table */
};
troth_rc document_row_insert(struct tx *tx, struct document_row *row, struct troth_err *e);
troth_rc document_row_update(struct tx *tx, const struct document_row *row, struct troth_err *e);
troth_rc document_row_by_generation(struct tx *tx, struct arena *a, int64_t target_id, int64_t generation, struct document_row *ret, struct troth_err *e);
/* The pending one with the highest generation; NOT_FOUND if nothing is pending. */
troth_rc document_row_newest(struct tx *tx, struct arena *a, int64_t target_id, struct document_row *ret, struct troth_err *e);
troth_rc document_row_list_pending(struct tx *tx, struct arena *a, int64_t target_id, struct document_row **ret_rows, size_t *ret_count, struct troth_err *e); /* by generation */
troth_rc document_row_list_target(struct tx *tx, struct arena *a, int64_t target_id, struct page page, struct document_row **ret_rows, size_t *ret_count, struct troth_err *e);
/* Of all targets: all pending ones, by id. */
troth_rc document_row_list_all_pending(struct tx *tx, struct arena *a, struct page page, struct document_row **ret_rows, size_t *ret_count, struct troth_err *e);
/* On their way to counted targets of agents and external instances that do not leave by themselves, in deployments whose name the glob fits. */
troth_rc document_row_count_lasting(struct tx *tx, const char *glob, int64_t *ret_count, struct troth_err *e);
/* Sets handed_at and session where handed_at is 0. */
troth_rc document_row_hand(struct tx *tx, int64_t target_id, int64_t generation, int64_t session, msec_t now, struct troth_err *e);
/* Pending ones with generation <= high_water become settled. */
troth_rc document_row_settle(struct tx *tx, int64_t target_id, int64_t high_water, struct troth_err *e);
/* All pending ones become void. */
troth_rc document_row_void(struct tx *tx, int64_t target_id, struct troth_err *e);
/* One that is not pending, as if it had never been sent: its number stands for other contents. */
troth_rc document_row_delete(struct tx *tx, int64_t target_id, int64_t generation, struct troth_err *e);
/* Housekeeping: deletes those not pending with generation < below. */
troth_rc document_row_forget(struct tx *tx, int64_t target_id, int64_t below, struct troth_err *e);

/* -- staged: chains issued for a slot and not yet sent ----------------------------------------------------------- */
struct staged_row {
	int64_t id;
	int64_t target_id, content_id; /* the pair is unique */
	int64_t version_id;
	const char *csr_request;   /* which request of the agent it answers; NULL: keeper-made key */
	msec_t created;
};
troth_rc staged_row_put(struct tx *tx, struct staged_row *row, struct troth_err *e); /* insert, or replace the same pair */
troth_rc staged_row_delete(struct tx *tx, int64_t target_id, int64_t content_id, struct troth_err *e); /* none is fine */
troth_rc staged_row_clear(struct tx *tx, int64_t target_id, struct troth_err *e); /* all of them */
troth_rc staged_row_list_target(struct tx *tx, struct arena *a, int64_t target_id, struct staged_row **ret_rows, size_t *ret_count, struct troth_err *e);
troth_rc staged_row_list(struct tx *tx, struct arena *a, struct page page, struct staged_row **ret_rows, size_t *ret_count, struct troth_err *e);

/* -- sealed: the key of an uploaded chain, sealed to the agent of one slot that serves it --------------------------- */
struct sealed_row {
	int64_t id;
	int64_t target_id, content_id; /* the pair is unique */
	struct bytes sealed;       /* CMS */
	msec_t created;
};
troth_rc sealed_row_put(struct tx *tx, struct sealed_row *row, struct troth_err *e); /* insert, or replace the same pair */
troth_rc sealed_row_by_pair(struct tx *tx, struct arena *a, int64_t target_id, int64_t content_id, struct sealed_row *ret, struct troth_err *e);

/* -- binding: a relying party outside the fleet that was handed a bundle; it has one target (a store) ------------- */
enum binding_ack { ACK_CONFIRM, ACK_FETCH, ACK_ATTEST };
extern const char *const BINDING_ACK_NAMES[]; /* "confirm", "fetch", "attest" */

struct binding_row {
	int64_t id;
	const char *uuid, *name;   /* name unique among those that have not left */
	int64_t target_id;         /* unique */
	enum binding_ack ack;      /* what counts as loaded */
	msec_t delay;              /* ACK_FETCH: so long after the fetch */
	msec_t renew_by;           /* so long after new contents were offered it is overdue; 0: never */
	msec_t grace;              /* so long nothing is withdrawn after a switch that rests on it */
	msec_t fetched_at;         /* last time something new was fetched; 0 never */
	int64_t fetched_generation;
	msec_t acked_at;           /* 0: nothing was acknowledged yet */
	int64_t acked_generation;
	enum binding_ack acked_how;
	const char *acked_by, *acked_reason; /* principal's name; reason of an attestation; or NULL */
	msec_t overdue_since;      /* renew_by passed; 0: no */
	msec_t created, left_at;
};
troth_rc binding_row_insert(struct tx *tx, struct binding_row *row, struct troth_err *e);
troth_rc binding_row_update(struct tx *tx, const struct binding_row *row, struct troth_err *e);
troth_rc binding_row_by_uuid(struct tx *tx, struct arena *a, const char *uuid, struct binding_row *ret, struct troth_err *e);
troth_rc binding_row_by_name(struct tx *tx, struct arena *a, const char *name, struct binding_row *ret, struct troth_err *e);
troth_rc binding_row_by_target(struct tx *tx, struct arena *a, int64_t target_id, struct binding_row *ret, struct troth_err *e);
troth_rc binding_row_list(struct tx *tx, struct arena *a, struct page page, struct binding_row **ret_rows, size_t *ret_count, struct troth_err *e);

/* -- recovery: an instance whose identity has expired asks for a new one -------------------------------------------- */
enum recovery_state { RECOVERY_PENDING, RECOVERY_APPROVED, RECOVERY_DENIED };
extern const char *const RECOVERY_STATE_NAMES[]; /* "pending", "approved", "denied" */

struct recovery_row {              /* at most one for each instance */
	int64_t id;
	int64_t instance_id;       /* unique */
	enum recovery_state state;
	struct bytes key;          /* SHA-256 of the SPKI that it wants a certificate for */
	const char *peer;          /* the address it asked from last */
	msec_t asked_at, last_at;  /* first, and last */
	msec_t nonce_at;           /* when the newest nonce it used was made: an older or equal one is a replay */
	int64_t rivals;            /* times that somebody proved the same old key with another new one */
	const char *decided_by;    /* or NULL */
	msec_t decided_at, issued_at;
};
troth_rc recovery_row_insert(struct tx *tx, struct recovery_row *row, struct troth_err *e);
troth_rc recovery_row_update(struct tx *tx, const struct recovery_row *row, struct troth_err *e);
troth_rc recovery_row_by_instance(struct tx *tx, struct arena *a, int64_t instance_id, struct recovery_row *ret, struct troth_err *e);
troth_rc recovery_row_list(struct tx *tx, struct arena *a, struct page page, struct recovery_row **ret_rows, size_t *ret_count, struct troth_err *e);
troth_rc recovery_row_clear(struct tx *tx, int64_t instance_id, bool *ret_there, struct troth_err *e); /* none is fine; ret_there may be NULL */

/* -- token: joins an instance once ---------------------------------------------------------------------------------- */
struct token_row {
	int64_t id;
	const char *uuid;
	struct bytes hash;         /* SHA-256 of the token; unique */
	int64_t deployment_id;
	const char *instance_name; /* only this one; or NULL */
	msec_t expires, used_at, revoked, created;
	bool reinstall;            /* for an instance that is there: its node begins anew */
	int64_t used_by;           /* instance; 0 not used */
};
troth_rc token_row_insert(struct tx *tx, struct token_row *row, struct troth_err *e);
troth_rc token_row_update(struct tx *tx, const struct token_row *row, struct troth_err *e);
troth_rc token_row_by_uuid(struct tx *tx, struct arena *a, const char *uuid, struct token_row *ret, struct troth_err *e);
troth_rc token_row_by_hash(struct tx *tx, struct arena *a, struct bytes hash, struct token_row *ret, struct troth_err *e);
troth_rc token_row_list(struct tx *tx, struct arena *a, struct page page, struct token_row **ret_rows, size_t *ret_count, struct troth_err *e);

/* -- principal: who may do what -------------------------------------------------------------------------------------- */
struct principal_row {
	int64_t id;
	const char *uuid, *name;   /* name unique among those not revoked */
	int64_t roles;             /* service's ROLE_ bits */
	const char *scope;         /* glob over names, "*" */
	struct bytes token_hash;   /* SHA-256 of the bearer token; or empty */
	struct bytes cert_fingerprint; /* SHA-256 of the client certificate; or empty */
	int64_t instance_id;       /* developer or agent of an instance; or 0 */
	msec_t created, revoked, last_used;
	msec_t expires;            /* 0: never */
	const char *facade;        /* the API that its credential is good for; NULL: the native one */
	const char *password;      /* as pki keeps it (password.h); or NULL */
	int64_t failures;          /* wrong passwords in a row, the last of them at failed_at */
	msec_t failed_at;
	msec_t locked_until;       /* nobody logs in as it before; 0: not locked */
};
troth_rc principal_row_insert(struct tx *tx, struct principal_row *row, struct troth_err *e);
troth_rc principal_row_update(struct tx *tx, const struct principal_row *row, struct troth_err *e);
troth_rc principal_row_get(struct tx *tx, struct arena *a, int64_t id, struct principal_row *ret, struct troth_err *e);
troth_rc principal_row_by_uuid(struct tx *tx, struct arena *a, const char *uuid, struct principal_row *ret, struct troth_err *e);
troth_rc principal_row_by_name(struct tx *tx, struct arena *a, const char *name, struct principal_row *ret, struct troth_err *e);               /* not revoked */
troth_rc principal_row_by_token_hash(struct tx *tx, struct arena *a, struct bytes hash, struct principal_row *ret, struct troth_err *e);         /* not revoked */
troth_rc principal_row_by_fingerprint(struct tx *tx, struct arena *a, struct bytes fingerprint, struct principal_row *ret, struct troth_err *e); /* not revoked */
troth_rc principal_row_list(struct tx *tx, struct arena *a, struct page page, struct principal_row **ret_rows, size_t *ret_count, struct troth_err *e);

/* -- login: a token that somebody got for a password, and that ends soon ------------------------------------------------ */
struct login_row {
	int64_t id;
	const char *uuid;          /* its jti */
	int64_t principal_id;
	bool refresh;              /* good for getting access tokens, and for nothing else */
	const char *session;       /* all that came of one password; a UUID */
	const char *client;        /* the program that asked: "credhub_cli" */
	struct bytes hash;         /* SHA-256 of the token; unique */
	msec_t created, expires;
};
troth_rc login_row_insert(struct tx *tx, struct login_row *row, struct troth_err *e);
troth_rc login_row_by_hash(struct tx *tx, struct arena *a, struct bytes hash, struct login_row *ret, struct troth_err *e);
troth_rc login_row_by_uuid(struct tx *tx, struct arena *a, const char *uuid, struct login_row *ret, struct troth_err *e);
troth_rc login_row_end_session(struct tx *tx, const char *session, struct troth_err *e);
troth_rc login_row_end_principal(struct tx *tx, int64_t principal_id, struct troth_err *e);
troth_rc login_row_trim(struct tx *tx, int64_t principal_id, int64_t keep, struct troth_err *e); /* the newest `keep` of its stay */
troth_rc login_row_forget(struct tx *tx, msec_t ended_before, int64_t most, struct troth_err *e);

/* -- permission: what a principal without a scope may do, and where -------------------------------------------------------- */
struct permission_row {
	int64_t id;
	const char *uuid;
	int64_t principal_id;
	const char *path;          /* a name, or "/a/" and a star: all below it; one of a kind for its principal */
	const char *actor;         /* the principal, as who made it called it: "uaa-client:app" */
	int64_t operations;        /* service's RIGHT_ bits */
	msec_t created;
};
troth_rc permission_row_insert(struct tx *tx, struct permission_row *row, struct troth_err *e);
troth_rc permission_row_update(struct tx *tx, const struct permission_row *row, struct troth_err *e);
troth_rc permission_row_delete(struct tx *tx, int64_t id, struct troth_err *e);
troth_rc permission_row_by_uuid(struct tx *tx, struct arena *a, const char *uuid, struct permission_row *ret, struct troth_err *e);
troth_rc permission_row_by_path(struct tx *tx, struct arena *a, int64_t principal_id, const char *path, struct permission_row *ret, struct troth_err *e);
/* In the order of their paths. */
troth_rc permission_row_list(struct tx *tx, struct arena *a, int64_t principal_id, struct permission_row **ret_rows, size_t *ret_count, struct troth_err *e);

/* -- rotation and operation ------------------------------------------------------------------------------------------- */
enum rotation_state { ROTATION_RUNNING, ROTATION_PAUSED, ROTATION_DONE, ROTATION_ABORTED };
extern const char *const ROTATION_STATE_NAMES[]; /* "running", "paused", "done", "aborted" */

struct rotation_row {
	int64_t id;
	const char *uuid;
	int64_t credential_id;
	enum rotation_state state;
	int64_t new_version;       /* version introduced; 0: only a retirement */
	struct id_list old_versions; /* versions to retire */
	struct id_list below_new, below_old; /* versions of intermediates that it brought, and that were wanted before */
	struct id_list wanted_before; /* versions that were wanted when it began: an abort goes back to them */
	struct id_list distrusted; /* versions that it distrusts (emergency); nothing brings them back */
	int64_t superseded_by;     /* rotation that took its place while it ran; 0: none */
	bool by_steps;             /* each of its steps waits for its approval, whatever its authority's rollout says */
	int64_t ordered;           /* of one by steps: what the next apply approves (service/rotation/steps.h); bits */
	int64_t operation_id;
	const char *reason;        /* or NULL */
	const char *started_by;    /* principal's name, or NULL */
	msec_t started, finished;
};
troth_rc rotation_row_insert(struct tx *tx, struct rotation_row *row, struct troth_err *e);
troth_rc rotation_row_update(struct tx *tx, const struct rotation_row *row, struct troth_err *e);
troth_rc rotation_row_get(struct tx *tx, struct arena *a, int64_t id, struct rotation_row *ret, struct troth_err *e);
troth_rc rotation_row_by_uuid(struct tx *tx, struct arena *a, const char *uuid, struct rotation_row *ret, struct troth_err *e);
troth_rc rotation_row_list(struct tx *tx, struct arena *a, struct page page, struct rotation_row **ret_rows, size_t *ret_count, struct troth_err *e);
troth_rc rotation_row_list_credential(struct tx *tx, struct arena *a, int64_t credential_id, struct page page, struct rotation_row **ret_rows, size_t *ret_count, struct troth_err *e);
troth_rc rotation_row_list_open(struct tx *tx, struct arena *a, struct rotation_row **ret_rows, size_t *ret_count, struct troth_err *e); /* running or paused */

enum operation_state { OPERATION_RUNNING, OPERATION_SUCCEEDED, OPERATION_FAILED, OPERATION_CANCELLED };
extern const char *const OPERATION_STATE_NAMES[]; /* "running", "succeeded", "failed", "cancelled" */

struct operation_row {
	int64_t id;
	const char *uuid;
	const char *kind;          /* "rotation", "enroll" ... */
	const char *object;        /* name of the thing, or NULL */
	enum operation_state state;
	const char *progress;      /* json, or NULL */
	const char *waits_for;     /* a sentence, or NULL */
	const char *result;        /* json, or NULL */
	const char *started_by;    /* or NULL */
	msec_t created, updated, finished;
};
troth_rc operation_row_insert(struct tx *tx, struct operation_row *row, struct troth_err *e);
troth_rc operation_row_update(struct tx *tx, const struct operation_row *row, struct troth_err *e);
troth_rc operation_row_get(struct tx *tx, struct arena *a, int64_t id, struct operation_row *ret, struct troth_err *e);
troth_rc operation_row_by_uuid(struct tx *tx, struct arena *a, const char *uuid, struct operation_row *ret, struct troth_err *e);
troth_rc operation_row_list(struct tx *tx, struct arena *a, struct page page, struct operation_row **ret_rows, size_t *ret_count, struct troth_err *e);
/* Of one kind, newest first. */
troth_rc operation_row_list_newest(struct tx *tx, struct arena *a, const char *kind, int limit, struct operation_row **ret_rows, size_t *ret_count, struct troth_err *e);
troth_rc operation_row_list_running(struct tx *tx, struct arena *a, struct operation_row **ret_rows, size_t *ret_count, struct troth_err *e);

/* -- rollout and approval: what a person wants to say yes to ------------------------------------------------------------ */
struct rollout_row {               /* of an authority; no row: switch each, automatic */
	int64_t id;
	int64_t credential_id;     /* unique */
	bool switch_all, manual;
};
troth_rc rollout_row_put(struct tx *tx, const struct rollout_row *row, struct troth_err *e); /* both false: the row goes */
troth_rc rollout_row_of(struct tx *tx, struct arena *a, int64_t credential_id, struct rollout_row *ret, struct troth_err *e); /* none: both false */

enum approval_step { APPROVAL_INTRODUCE, APPROVAL_SWITCH, APPROVAL_WITHDRAW };
extern const char *const APPROVAL_STEP_NAMES[]; /* "introduce", "switch", "withdraw" */

struct approval_row {
	int64_t id;
	int64_t rotation_id;
	enum approval_step step;   /* unique with the rotation */
	const char *approved_by;
	msec_t approved_at;
};
troth_rc approval_row_insert(struct tx *tx, struct approval_row *row, struct troth_err *e);
troth_rc approval_row_list_rotation(struct tx *tx, struct arena *a, int64_t rotation_id, struct approval_row **ret_rows, size_t *ret_count, struct troth_err *e);

/* -- freeze: nothing changes until somebody thaws; former ones stay ------------------------------------------------------- */
struct freeze_row {
	int64_t id;
	const char *reason, *frozen_by;
	msec_t frozen_at;
	const char *thawed_by;     /* NULL and 0: it is on; at most one is */
	msec_t thawed_at;
};
troth_rc freeze_row_insert(struct tx *tx, struct freeze_row *row, struct troth_err *e);
troth_rc freeze_row_update(struct tx *tx, const struct freeze_row *row, struct troth_err *e);
troth_rc freeze_row_on(struct tx *tx, struct arena *a, struct freeze_row *ret, bool *ret_on, struct troth_err *e);

/* -- wait: why the engine does not act now; brought up to date after each step ------------------------------------------- */
struct wait_row {
	int64_t id;
	const char *key;           /* the runner's stable name of the wait; unique */
	int64_t authority_id;      /* credential, or 0 */
	int64_t target_id;         /* or 0 */
	msec_t since;              /* kept from the first time the key was put */
	msec_t earliest;           /* or 0 */
	const char *body;          /* json: speaker, rule, reason ... */
	int64_t rank;              /* most blocking first; of equals the oldest row */
};
troth_rc wait_row_put(struct tx *tx, struct wait_row *row, struct troth_err *e); /* insert, or update all but `since` */
troth_rc wait_row_delete(struct tx *tx, int64_t id, struct troth_err *e);        /* also if it has gone with its target */
troth_rc wait_row_list(struct tx *tx, struct arena *a, int limit, struct wait_row **ret_rows, size_t *ret_count, struct troth_err *e); /* by rank */
troth_rc wait_row_list_authority(struct tx *tx, struct arena *a, int64_t authority_id, int limit, struct wait_row **ret_rows, size_t *ret_count, struct troth_err *e);

/* -- outbox: effects that a commit promises and something after it carries out -------------------------------------------- */
struct outbox_row {
	int64_t id;
	const char *kind;
	const char *body;          /* json, or NULL */
	msec_t created, due;       /* not before due */
	int64_t attempts;
	const char *last_error;    /* or NULL */
};
troth_rc outbox_put(struct tx *tx, struct outbox_row *row, struct troth_err *e);
/* Those with due <= now, oldest due first.  They stay until outbox_done: at least once. */
troth_rc outbox_take(struct tx *tx, struct arena *a, msec_t now, int limit, struct outbox_row **ret_rows, size_t *ret_count, struct troth_err *e);
troth_rc outbox_done(struct tx *tx, int64_t id, struct troth_err *e);
troth_rc outbox_retry(struct tx *tx, int64_t id, msec_t due, const char *error, struct troth_err *e);
/* The earliest due of all; 0 if empty. */
troth_rc outbox_next_due(struct tx *tx, msec_t *ret_due, struct troth_err *e);

/* -- webhook: somebody outside who is told each event -------------------------------------------------------------------------- */
struct webhook_row {
	int64_t id;
	const char *uuid;
	const char *name;          /* unique */
	const char *url;           /* may hold a secret of the receiver's: never in audit or events */
	const char *events;        /* patterns of event kinds with blanks between; "*": all */
	const char *ca_pem;        /* whom its certificate must come from, or NULL: the system's CAs */
	struct bytes key_blob;     /* the secret, wrapped by the keeper */
	int64_t cursor;            /* seq of the last event that was delivered, or that it does not want */
	msec_t disabled_at;        /* 0: it is enabled */
	const char *disabled_why;
	int64_t attempts;          /* that failed since the last success */
	msec_t failing_since, due; /* 0: the last one succeeded; when the next try is */
	const char *last_error;    /* or NULL */
	msec_t last_delivered;     /* 0: never */
	int64_t test_operation;    /* a test that was asked for and has not been sent; 0: none */
	const char *created_by;
	msec_t created;
};
troth_rc webhook_row_insert(struct tx *tx, struct webhook_row *row, struct troth_err *e);
troth_rc webhook_row_update(struct tx *tx, const struct webhook_row *row, struct troth_err *e);
troth_rc webhook_row_delete(struct tx *tx, int64_t id, struct troth_err *e);
troth_rc webhook_row_by_uuid(struct tx *tx, struct arena *a, const char *uuid, struct webhook_row *ret, struct troth_err *e);
troth_rc webhook_row_by_name(struct tx *tx, struct arena *a, const char *name, struct webhook_row *ret, struct troth_err *e);
troth_rc webhook_row_list(struct tx *tx, struct arena *a, struct page page, struct webhook_row **ret_rows, size_t *ret_count, struct troth_err *e);
troth_rc webhook_row_count(struct tx *tx, int64_t *ret_count, struct troth_err *e);

/* -- event: a table with a growing sequence is the queue -------------------------------------------------------------------- */
struct event_row {
	int64_t seq;               /* given at append; grows, never reused; a reader never sees a gap that fills later */
	msec_t at;
	const char *kind;          /* "rotation.started" */
	const char *object;        /* name, or NULL */
	const char *within;        /* whose scope has this name may read it; NULL: it is about the whole server */
	const char *topic;         /* "rotation/<uuid>", or NULL */
	const char *body;          /* json, or NULL */
};
troth_rc event_append(struct tx *tx, struct event_row *row, struct troth_err *e);
/* seq > after.seq ascending; topic NULL: all. */
troth_rc event_list(struct tx *tx, struct arena *a, const char *topic, struct page page, struct event_row **ret_rows, size_t *ret_count, struct troth_err *e);
troth_rc event_last_seq(struct tx *tx, int64_t *ret_seq, struct troth_err *e); /* 0: none yet */
/* Housekeeping: the oldest, LIMIT_EVENTS_FORGOTTEN at a time; ret_more: there may be more of them. */
troth_rc event_row_forget(struct tx *tx, msec_t before, bool *ret_more, struct troth_err *e);
troth_rc event_last_forgotten(struct tx *tx, int64_t *ret_seq, struct troth_err *e);    /* all up to this one are; 0: none */

/* -- audit: a hash chain, and heads of it signed by the keeper ----------------------------------------------------------------- */
struct audit_row {
	int64_t seq;               /* 1, 2, 3 ... without gaps */
	msec_t at;
	const char *who, *action;  /* principal's name; "authority.create" */
	const char *object;        /* name, or NULL */
	const char *within;        /* as of an event */
	const char *before, *after; /* json, or NULL */
	struct bytes hash;         /* SHA-256(hash of seq - 1 || the fields above, each with its length) */
};
/* Fills row->seq only; hash is read back by audit_list or audit_last. */
troth_rc audit_append(struct tx *tx, struct audit_row *row, struct troth_err *e);
troth_rc audit_list(struct tx *tx, struct arena *a, struct page page, struct audit_row **ret_rows, size_t *ret_count, struct troth_err *e);
troth_rc audit_list_object(struct tx *tx, struct arena *a, const char *object, struct page page, struct audit_row **ret_rows, size_t *ret_count, struct troth_err *e);
/* Newest first: seq < before (0: from the end). */
troth_rc audit_list_newest(struct tx *tx, struct arena *a, int64_t before, int limit, struct audit_row **ret_rows, size_t *ret_count, struct troth_err *e);
/* The head as it is now; seq 0 and 32 zeros before the first row. */
troth_rc audit_last(struct tx *tx, int64_t *ret_seq, uint8_t ret_hash[32], struct troth_err *e);

struct audit_head_row {            /* the keeper's signature over (seq, hash) */
	int64_t seq;
	struct bytes hash, signature, spki;
	msec_t signed_at;
};
troth_rc audit_head_put(struct tx *tx, const struct audit_head_row *row, struct troth_err *e); /* the same seq again is fine */
troth_rc audit_head_last(struct tx *tx, struct arena *a, struct audit_head_row *ret, struct troth_err *e);

struct audit_check {
	bool holds;
	int64_t rows;              /* read and found good */
	int64_t first_broken;      /* seq; 0 if it holds */
	int64_t signed_up_to;      /* newest head whose signature is good; rows above it are vouched for by nobody yet */
	char text[200];            /* a sentence for people, either way */
};
/* True if head->signature is by the audit key over head->seq and head->hash. */
typedef bool (*audit_signature_fn)(void *self, const struct audit_head_row *head);
/* Recomputes the chain from the first row.  Finds: a changed, removed or inserted row, a cut-off end
 * (a signed head names a row that is gone), a head with another hash, a newest head with a bad
 * signature (it vouches for all rows before it; older signatures are not asked again).  `verify` may
 * be NULL: then no signature is asked for.  A broken chain is a result, not an error. */
troth_rc audit_verify(struct tx *tx, audit_signature_fn verify, void *self, struct audit_check *ret, struct troth_err *e);

/* -- idempotency: the answer to a create that may be sent again -------------------------------------------------------------------- */
struct idempotency_row {
	const char *principal, *key; /* the pair is unique */
	struct bytes body_hash;    /* SHA-256 of method, path, query and body of the first request */
	int64_t status;            /* HTTP */
	const char *headers;       /* of the answer's own, a line each: "ETag: \"1\"\n"; NULL: none */
	struct bytes body;
	msec_t created;
};
troth_rc idempotency_put(struct tx *tx, const struct idempotency_row *row, struct troth_err *e);
troth_rc idempotency_get(struct tx *tx, struct arena *a, const char *principal, const char *key, struct idempotency_row *ret, struct troth_err *e);
troth_rc idempotency_forget(struct tx *tx, msec_t before, struct troth_err *e); /* housekeeping */

/* -- meta: single values --------------------------------------------------------------------------------------------------------------- */
troth_rc meta_get(struct tx *tx, struct arena *a, const char *key, struct bytes *ret_value, struct troth_err *e); /* NOT_FOUND */
troth_rc meta_put(struct tx *tx, const char *key, struct bytes value, struct troth_err *e);
troth_rc meta_get_text(struct tx *tx, struct arena *a, const char *key, const char **ret_text, struct troth_err *e);
troth_rc meta_put_text(struct tx *tx, const char *key, const char *text, struct troth_err *e);
/* Agents compare it: another epoch means the server was restored, and everything is unknown until
 * seen again.  1 in a new store. */
troth_rc store_epoch(struct tx *tx, int64_t *ret_epoch, struct troth_err *e);
troth_rc store_epoch_set(struct tx *tx, int64_t epoch, struct troth_err *e);
/* The next number of a named counter ("session", "desired"): 1, 2, 3 ... */
troth_rc store_sequence_next(struct tx *tx, const char *name, int64_t *ret_number, struct troth_err *e);
/* The next number is above `number` from now on. */
troth_rc store_sequence_raise(struct tx *tx, const char *name, int64_t number, struct troth_err *e);

#endif
