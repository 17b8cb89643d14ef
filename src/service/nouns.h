/* The nouns' half of the service's door: every verb of it, and the plain structs that go in and out.
 *
 * Conventions that hold for all of them:
 *  - cmd: texts are NULL when absent, lengths of time 0.  x_check() is pure: it adds one finding for each
 *    thing that is wrong, with the JSON path it has in docs/api/native.md, so that a facade can report it
 *    together with what its own parse found; the verbs call it again.
 *  - ids are UUIDs in text.  An object outside the principal's scope does not exist for it (NOT_FOUND);
 *    making one outside it is FORBIDDEN.
 *  - lists: `next` is the page.after of the next page, 0 at the end.  Rows outside the scope are left
 *    out, so a page may be shorter than its limit.
 *  - ret: rows as the store has them plus the names that belong to them; no private key, ever.
 *  - each WRITE writes one audit row and one event of the verb's name (record.h). */
#ifndef TROTH_SERVICE_NOUNS_H
#define TROTH_SERVICE_NOUNS_H

#include "base/json.h"
#include "model/message.h"
#include "service/ca/issue.h"
#include "service/ca/renewal.h"
#include "service/verb.h"
#include "store/store.h"

struct service;

struct id_cmd { const char *id; };  /* a path's {id}; the principal must have the object in scope */
struct list_cmd {
	struct page page;
	const char *name;           /* only this one; NULL: all */
	const struct list_filter *filter; /* of authorities and credentials only; NULL: all of them, by age */
};
struct list_filter {                /* what is NULL or 0 is not asked for; the rest holds together */
	const char *name_prefix;
	const char *issuer;         /* name of the authority that signs them */
	const char *san;            /* they are for this name: "pg-1.example", "ip:10.0.0.1" */
	const char *fingerprint;    /* of one of their versions, hex */
	msec_t expires_before;      /* the first of their wanted versions ends before */
	const char *sort;           /* "name", "-name", "expires", "-expires" */
};
void list_filter_check(struct arena *a, const struct list_cmd *cmd, struct troth_err *e);
struct no_cmd { char unused; };
struct no_ret { char unused; };

/* -- authorities and credentials (authority.c, credential.c) ----------------------------------- */
struct authority_create_cmd {
	const char *name, *key_type, *common_name, *organization, *organizational_unit;
	struct cert_place place;
	const char *issuer;         /* name of an authority; NULL: a root */
	msec_t ttl, leaf_ttl;       /* 0: 3650d (root) or 1825d, and 90d */
	int64_t path_len;           /* AUTHORITY_PATH_LEN_DEFAULT: any number (root), 0 (intermediate) */
	struct json_texts permitted_dns;
	bool exportable, clamp;
	bool external;              /* somebody else signs its certificate: a request is made (external_ca.h); `issuer`, if said, is
	                               an imported authority (imported.h) */
	struct renewal_cmd renew, leaf_renew; /* of itself; of the leaves it signs that say nothing */
	const char *on_deadline;    /* "shed" (NULL too) or "hold" */
};
enum { AUTHORITY_PATH_LEN_DEFAULT = -2 }; /* -1 says "any number" */
void authority_create_check(struct arena *a, const struct authority_create_cmd *cmd, struct troth_err *e);

struct version_view {
	struct version_row row;
	struct cert_row cert;
	const char *signed_by;      /* uuid of the issuing version, or NULL */
};
struct credential_view {
	struct rollout_row rollout; /* of an authority */
	struct credential_row row;
	const char *issuer;         /* name, or NULL */
	struct credential_spec spec;
	msec_t expires;             /* when the first of its wanted versions ends; 0: it has none */
	struct ca_request_row request; /* external, and it waits for a certificate: since when, for which version; else id 0 */
	msec_t next_renewal;        /* by itself; 0: never, or the versions were not asked for */
	struct version_view *versions; /* newest first, those of version_row_list_recent */
	size_t version_count;
};
struct credential_ret {
	struct credential_view credential;
	const char *chain;          /* PEM of what a new leaf is served with; "" if nothing; NULL if none was issued now */
	struct json_texts asked;    /* renew: ids of the targets that will get a new key */
};
struct credential_list_ret {
	struct credential_view *items; /* without versions for credentials; with them for authorities */
	size_t count;
	int64_t next;
};
extern const struct verb VERB_AUTHORITY_CREATE; /* authority_create_cmd -> credential_ret */
extern const struct verb VERB_AUTHORITY_LIST;   /* list_cmd -> credential_list_ret */
extern const struct verb VERB_AUTHORITY_SHOW;   /* id_cmd -> credential_ret */

struct credential_create_cmd {
	const char *name, *authority, *common_name, *organization, *organizational_unit, *role, *key_type;
	struct cert_place place;
	const char *csr;            /* PEM; NULL: only the definition */
	struct json_texts sans;
	msec_t ttl;
	bool clamp;
	struct renewal_cmd renew;
};
void credential_create_check(struct arena *a, const struct credential_create_cmd *cmd, struct troth_err *e);
struct credential_renew_cmd { const char *id, *csr; };
extern const struct verb VERB_CREDENTIAL_CREATE;   /* credential_create_cmd -> credential_ret */
extern const struct verb VERB_CREDENTIAL_LIST;     /* list_cmd -> credential_list_ret */
extern const struct verb VERB_CREDENTIAL_SHOW;     /* id_cmd -> credential_ret */
extern const struct verb VERB_CREDENTIAL_VERSIONS; /* id_cmd -> credential_ret */
extern const struct verb VERB_CREDENTIAL_RENEW;    /* credential_renew_cmd -> credential_ret */

/* Rows into views; for other nouns of this floor. */
troth_rc credential_view_load(struct tx *tx, struct arena *a, const struct credential_row *row, bool versions,
			      struct credential_view *ret, struct troth_err *e);
troth_rc version_view_load(struct tx *tx, struct arena *a, const struct version_row *row, struct version_view *ret, struct troth_err *e);
/* "server", "client", "both" to EKU bits; 0 for another word.  NULL is server. */
unsigned credential_role_eku(const char *role);
const char *credential_role_name(unsigned eku);

/* -- bundles (bundle.c) --------------------------------------------------------------------------- */
struct bundle_certificate { const char *alias, *pem, *source, *path; /* path: JSON path for findings */ };
struct bundle_create_cmd {
	const char *name;
	struct json_texts authorities;
	struct bundle_certificate *certificates;
	size_t certificate_count;
};
struct bundle_add_cmd {
	const char *id;
	const char *authority;      /* name; or */
	struct bundle_certificate certificate;
};
struct bundle_remove_cmd { const char *id, *member; /* decimal id of the member */ };
void bundle_create_check(struct arena *a, const struct bundle_create_cmd *cmd, struct troth_err *e);
void bundle_add_check(struct arena *a, const struct bundle_add_cmd *cmd, struct troth_err *e);

struct bundle_member_view {
	struct bundle_member_row row;
	const char *authority;      /* name, or NULL */
	struct cert_row cert;       /* if row.cert_id */
};
struct bundle_view {
	struct bundle_row row;
	struct bundle_member_view *members;
	size_t member_count;
};
struct bundle_ret {
	struct bundle_view bundle;
	struct json_texts next;     /* remove, dry run: what the engine would do first */
};
struct bundle_list_ret {
	struct bundle_view *items;
	size_t count;
	int64_t next;
};
extern const struct verb VERB_BUNDLE_CREATE; /* bundle_create_cmd -> bundle_ret */
extern const struct verb VERB_BUNDLE_LIST;   /* list_cmd -> bundle_list_ret */
extern const struct verb VERB_BUNDLE_SHOW;   /* id_cmd -> bundle_ret */
extern const struct verb VERB_BUNDLE_ADD;    /* bundle_add_cmd -> bundle_ret */
extern const struct verb VERB_BUNDLE_REMOVE; /* bundle_remove_cmd -> bundle_ret */

/* -- deployments, their templates, meets (deployment.c, meet.c) ------------------------------------ */
struct parameter { const char *name, *value; };
struct slot_template {
	const char *path;           /* "$.slots[0]", for findings */
	const char *name, *profile, *role, *credential, *authority, *common_name, *key_type, *key_source;
	struct json_texts sans;
	msec_t ttl;
	struct parameter *parameters;
	size_t parameter_count;
};
struct store_template {
	const char *path;           /* "$.stores[0]" */
	const char *name, *profile, *bundle;
	struct parameter *parameters;
	size_t parameter_count;
};
struct deployment_create_cmd {
	const char *name;
	struct slot_template *slots;
	size_t slot_count;
	struct store_template *stores;
	size_t store_count;
	bool ephemeral;             /* its instances leave by themselves `ttl` after they enrolled */
	msec_t ttl;
	bool external;              /* its instances have no agent (external.h) */
	msec_t grace;               /* external: as a binding's; 0 is LIMIT_BINDING_GRACE_S unless no_grace */
	bool no_grace;
	bool ignore;                /* ephemeral: never counted, so never waited for and never protected */
};
struct deployment_extend_cmd { /* more templates for an existing one */
	const char *id;
	struct slot_template *slots;
	size_t slot_count;
	struct store_template *stores;
	size_t store_count;
};
void deployment_create_check(struct arena *a, const struct deployment_create_cmd *cmd, struct troth_err *e);
void deployment_extend_check(struct arena *a, const struct deployment_extend_cmd *cmd, struct troth_err *e);

struct template_view {
	struct template_row row;
	const char *authority, *bundle; /* names, or NULL */
	struct json_texts sans;
};
struct deployment_view {
	struct deployment_row row;
	struct template_view *templates;
	size_t template_count;
	size_t instance_count;      /* that have not left */
	struct rolling_row rolling; /* its policy ... */
	struct json_texts windows;  /* ... and its windows as they were written */
};
struct deployment_ret { struct deployment_view deployment; };
struct deployment_list_ret {
	struct deployment_view *items;
	size_t count;
	int64_t next;
};
extern const struct verb VERB_DEPLOYMENT_CREATE; /* deployment_create_cmd -> deployment_ret */
extern const struct verb VERB_DEPLOYMENT_EXTEND; /* deployment_extend_cmd -> deployment_ret */
extern const struct verb VERB_DEPLOYMENT_LIST;   /* list_cmd -> deployment_list_ret */
extern const struct verb VERB_DEPLOYMENT_SHOW;   /* id_cmd -> deployment_ret */
struct deployment_policy_cmd {      /* what is absent stays as it is */
	const char *id;
	int64_t max_unavailable, canary; /* -1 absent; 0 none */
	msec_t pause;               /* -1 absent */
	int stop_on_failure;        /* -1 absent; else false or true */
	const char *rollout;        /* "automatic" "manual"; NULL absent */
	bool set_windows;           /* false: they stay; true with none: at any time */
	struct json_texts windows;
};
void deployment_policy_check(struct arena *a, const struct deployment_policy_cmd *cmd, struct troth_err *e);
extern const struct verb VERB_DEPLOYMENT_POLICY; /* deployment_policy_cmd -> deployment_ret */
extern const struct verb VERB_DEPLOYMENT_DELETE; /* id_cmd -> no_ret */

struct meet_cmd { const char *slot, *store; }; /* templates: ids, or "pg/server" */
struct meet_side { const char *deployment, *template, *id; };
struct meet_view {
	struct meet_row row;
	struct meet_side slot, store;
};
struct meet_list_ret {
	struct meet_view *items;
	size_t count;
	int64_t next;
};
struct meet_ret { struct meet_view meet; };
extern const struct verb VERB_MEET_LIST;   /* list_cmd (name unused) -> meet_list_ret */
extern const struct verb VERB_MEET_ADD;    /* meet_cmd -> meet_ret */
struct meet_removed_ret {
	struct meet_view meet;
	int64_t slots, stores;      /* counted members of each side: so many pairs, times each other, lose their cover */
	struct json_texts frees;    /* what the engine does at once because of it, in words */
};
extern const struct verb VERB_MEET_REMOVE; /* meet_cmd -> meet_removed_ret */

/* -- instances and targets (instance.c, target.c) ---------------------------------------------------- */
struct generation_view {            /* a document, or the base */
	struct document_row row;    /* of a base: only generation and content */
	struct json_texts fingerprints; /* hex; a chain's leaf first */
};
struct target_view {
	struct target_row row;
	struct template_row template;
	const char *instance_id, *instance, *deployment, *credential; /* credential NULL for a store */
	struct generation_view wanted;     /* the newest document; generation 0: none yet */
	struct generation_view *documents; /* pending ones, ascending */
	size_t document_count;
	struct generation_view loaded;     /* row.base_known false: what it was, nobody knows what it is */
};
struct target_list_cmd {
	struct page page;
	const char *instance;       /* id of one; or NULL */
	const char *deployment;     /* name of one; or NULL */
	const char *state;          /* or NULL: all but "left" */
};
void target_list_check(struct arena *a, const struct target_list_cmd *cmd, struct troth_err *e);
struct target_list_ret {
	struct target_view *items;
	size_t count;
	int64_t next;
};
struct target_ret { struct target_view target; };
extern const struct verb VERB_TARGET_LIST; /* target_list_cmd -> target_list_ret */
extern const struct verb VERB_TARGET_SHOW; /* id_cmd -> target_ret */

struct instance_view {
	struct instance_row row;
	const char *deployment;
	enum party party;            /* an agent's, or external (external.h) */
	struct target_view *targets; /* show only */
	size_t target_count;
};
struct instance_list_cmd {
	struct page page;
	const char *name, *deployment; /* or NULL */
};
struct instance_list_ret {
	struct instance_view *items;
	size_t count;
	int64_t next;
};
struct instance_ret { struct instance_view instance; };
extern const struct verb VERB_INSTANCE_LIST;   /* instance_list_cmd -> instance_list_ret */
extern const struct verb VERB_INSTANCE_SHOW;   /* id_cmd -> instance_ret */
struct instance_delete_cmd {
	const char *id;
	bool now;                   /* its services are stopped: nothing of it counts any more */
};
/* instance_delete_cmd -> no_ret.  Its state is "leaving": slots that may serve something count until
 * their agent says that nobody answers there any more, or until it is said again with `now`; else it has
 * left. */
extern const struct verb VERB_INSTANCE_DELETE;

/* -- waivers (waive.c) ---------------------------------------------------------------------------------
 * An instance that is away, and shall be waited for no longer: out of every pair in both roles, for good.
 * No report of it counts; when its agent opens a session again it is a joiner like any other. */
struct waive_cmd { const char *id, *reason; };
struct waived_pair {
	const char *target;         /* its own: "tls" */
	const char *deployment, *template; /* whom it meets */
	int64_t members;            /* so many of them counted now */
};
struct waive_ret {
	struct instance_view instance; /* without targets */
	struct waived_pair *pairs;  /* that lose their cover */
	size_t pair_count;
	struct json_texts frees;    /* what the engine does at once because of it, in words; empty: nothing */
};
extern const struct verb VERB_WAIVE;       /* waive_cmd -> waive_ret.  CONFLICT if it is waived, or leaves, already */

/* -- a restored server (epoch.c) ---------------------------------------------------------------------------
 * Said once at start, before anybody is answered: what the server had noted beside its database. */
struct epoch_cmd { int64_t epoch, audit_seq; };
struct epoch_ret {
	int64_t epoch, audit_seq;   /* as they are now: to be noted */
	bool raised;                /* the database is older than the note: a new epoch has begun */
};
extern const struct verb VERB_EPOCH;       /* epoch_cmd -> epoch_ret; system */

/* -- putting away (sweep.c) ------------------------------------------------------------------------------
 * Each minute: who enrolled and never came leaves; rows of ephemerals that left are forgotten. */
struct sweep_ret { int64_t abandoned, forgotten; };
extern const struct verb VERB_SWEEP;       /* no_cmd -> sweep_ret; system */

/* -- joining (token.c, enroll.c, identity.c) ------------------------------------------------------------- */
struct token_create_cmd {
	const char *deployment, *instance;
	bool reinstall;             /* `instance` is there: its node was made anew, or its identity expired while it was away.
	                               Used, it is a joiner, and what it held before counts no more */
	msec_t ttl;                 /* 0: a day */
};
void token_create_check(struct arena *a, const struct token_create_cmd *cmd, struct troth_err *e);
struct token_view {
	struct token_row row;
	const char *deployment;
	const char *state;          /* "open", "used", "expired", "revoked" */
};
struct token_ret {
	struct token_view token;
	const char *secret;         /* shown this once */
	const char *ca_fingerprint; /* hex: of the root by which the node will know the server */
};
struct token_list_cmd {
	struct page page;
	const char *deployment;     /* name, or NULL */
};
struct token_list_ret {
	struct token_view *items;
	size_t count;
	int64_t next;
};
extern const struct verb VERB_TOKEN_CREATE; /* token_create_cmd -> token_ret */
extern const struct verb VERB_TOKEN_LIST;   /* token_list_cmd -> token_list_ret */
extern const struct verb VERB_TOKEN_REVOKE; /* id_cmd -> no_ret */

extern const struct verb VERB_ENROLL;         /* msg_enroll -> msg_enrolled */
extern const struct verb VERB_IDENTITY_RENEW; /* msg_identity -> msg_renewed; agents, for themselves */

/* -- who (caller.c, principal.c) ---------------------------------------------------------------------------------------- */
struct principal_resolve_cmd {
	const char *bearer;         /* NULL if absent; counts before the certificate */
	struct bytes peer_cert;     /* DER that TLS has verified against /troth/agents; len 0 if absent */
	const char *facade;         /* the API that is called; NULL: the native one */
};
struct principal_ret {
	struct principal principal;
	bool used_long_ago;         /* a principal's row: time to say VERB_PRINCIPAL_USED */
};
#define ACCESS_TOKEN_EXPIRED "type:access-token-expired" /* clause of the error: who refreshes may go on */
/* Neither given: PRINCIPAL_ANONYMOUS.  Given and not known, or good for another API: UNAUTHENTICATED. */
extern const struct verb VERB_PRINCIPAL_RESOLVE; /* principal_resolve_cmd -> principal_ret; run it as anybody */
extern const struct verb VERB_PRINCIPAL_SELF;    /* no_cmd -> principal_ret */
/* It was used now.  Said by the server about a principal that has not been used for PRINCIPAL_USED_EVERY. */
#define PRINCIPAL_USED_EVERY (10 * MSEC_MIN)
extern const struct verb VERB_PRINCIPAL_USED;    /* id_cmd -> no_ret; system */

struct principal_add_cmd {
	const char *name, *role, *scope; /* role: admin, operator, developer, auditor; scope NULL: everything,
	                                    SCOPE_NONE: what permissions say */
	const char *csr;            /* PEM: a client certificate for this key instead of a token; or NULL */
	msec_t expires;             /* from now; 0: never */
	const char *password;       /* this one; or NULL */
	bool generate_password;     /* or one that is made, and shown once */
	const char *facade;         /* the API that the credential is good for (FACADES); NULL: the native one */
	const char *app;            /* UUID: of CredHub's, instead of a name; its certificate (csr) says OU=app:<uuid> */
};
void principal_add_check(struct arena *a, const struct principal_add_cmd *cmd, struct troth_err *e);
struct principal_rotate_cmd {
	const char *id;             /* uuid or name */
	const char *csr;            /* as above; a principal changes from one to the other in this way */
	const char *password;
	bool generate_password;     /* nothing of all that: a new password for who has one, a token for the others */
};
void principal_rotate_check(struct arena *a, const struct principal_rotate_cmd *cmd, struct troth_err *e);
struct principal_view {
	struct principal_row row;
	const char *state;          /* "active", "locked", "expired", "revoked" */
};
struct principal_view_ret {
	struct principal_view principal;
	const char *token, *password; /* made, and shown this once; or NULL */
	const char *certificate, *chain; /* PEM; or NULL */
	struct permission_row *permissions; /* of one that is shown (server/permission.h) */
	size_t permission_count;
};
struct principal_list_ret {
	struct principal_view *items;
	size_t count;
	int64_t next;
};
/* Only an administrator whose scope is everything. */
extern const struct verb VERB_PRINCIPAL_ADD;    /* principal_add_cmd -> principal_view_ret */
extern const struct verb VERB_PRINCIPAL_LIST;   /* list_cmd -> principal_list_ret; without revoked ones, whom the audit keeps */
extern const struct verb VERB_PRINCIPAL_SHOW;   /* id_cmd (uuid or name) -> principal_view_ret */
extern const struct verb VERB_PRINCIPAL_ROTATE; /* principal_rotate_cmd -> principal_view_ret: the old one is refused at once */
/* CONFLICT for the last administrator. */
extern const struct verb VERB_PRINCIPAL_REVOKE; /* id_cmd (uuid or name) -> no_ret */
extern const struct verb VERB_PRINCIPAL_UNLOCK; /* id_cmd (uuid or name) -> principal_view_ret: who was locked out may log in */
const char *principal_credential_name(const struct principal_row *row); /* "token", "certificate", "password" */
/* The APIs that a credential can be good for, the native one first; the last is NULL. */
extern const char *const FACADES[];
const char *facade_name(const char *facade); /* "native" for NULL */
#define FACADE_ANY "*"                       /* of a route: every API's credentials */
/* Bits of enum role to words; NULL for another set. */
const char *principal_role_name(int64_t roles);

/* "troth-join-" or another prefix, and 256 random bits in hex; in the context's arena.  A secret: said once, and only its hash kept. */
const char *token_make(const struct verb_ctx *ctx, const char *prefix);
/* SHA-256 of a bearer or join token: what the store keeps of it. */
void token_hash(const char *secret, uint8_t out[SHA256_LEN]);

/* -- the server's own (init.c) ------------------------------------------------------------------------------------ */
struct init_cmd {
	const char *csr;            /* PEM: of the server's TLS key */
	struct json_texts sans;     /* what clients call the server */
};
struct init_ret {
	const char *admin_token;
	const char *certificate, *chain, *server_ca; /* PEM */
};
/* Fills an empty store: /troth/server, /troth/agents, audit key, principal "admin" with a token, the server's
 * certificate.  Runs several verbs through verb_run on this thread; if it was interrupted, run it again: it
 * goes on where it stopped.  CONFLICT once it is complete. */
troth_rc init_run(struct service *svc, struct arena *a, const struct server_port *port, msec_t now,
		  const struct verb_keeper *keeper, const struct init_cmd *cmd, struct init_ret *ret, struct troth_err *e);

struct server_certificate_cmd {
	const char *csr;
	struct json_texts sans;     /* none: those of the last one */
	struct json_texts more;     /* beside those */
};
struct server_certificate_ret {
	const char *certificate, *chain, *server_ca; /* PEM */
	const char *bridge;         /* PEM, to be shown behind the chain: its root once more, as certified by the root before, and
	                               that one.  Who knows only the older (a copied CA file, a fingerprint) verifies by it.  "": none */
	msec_t not_after, renew_at;
};
extern const struct verb VERB_SERVER_CERTIFICATE; /* admin and system */
/* /troth/server and /troth/agents: one whose signing root has expired, or will in LIMIT_RECERTIFY_S, gets the same key
 * certified anew.  Said before the server's certificate is renewed; usually there is nothing to do (recertify.c). */
struct recertify_ret { int64_t count; };
extern const struct verb VERB_SERVER_RECERTIFY;   /* no_cmd -> recertify_ret; system */
/* What TLS needs to verify callers and to be verified: PEM bundles. */
struct server_trust_ret {
	const char *agents_ca, *server_ca;
	bool observed;              /* what the listener shows and believes is to be said: VERB_SERVER_SEEN */
	int64_t generation;         /* of agents_ca; 0 before its first change */
	const char *signer;         /* PEM: the CA that shall have signed what the listener shows */
	int64_t brought;            /* a number for what somebody brought for it; 0: nothing (VERB_BROUGHT_LOAD, brought.h) */
};
extern const struct verb VERB_SERVER_TRUST;       /* no_cmd -> server_trust_ret; system */
/* The listener shows this certificate to whoever connects from now on, and believes these (own.c). */
struct server_seen_cmd {
	const char *certificate;    /* PEM: the leaf */
	int64_t generation;         /* server_trust_ret's */
	bool started;               /* the first word of this process: it has no other certificate that it could show */
};
extern const struct verb VERB_SERVER_SEEN;        /* server_seen_cmd -> no_ret; system */

/* -- audit, operations, events, health (audit.c, operation.c, event.c, health.c) ------------------------------------ */
struct audit_list_cmd {
	struct page page;
	const char *object;         /* or NULL */
};
struct audit_list_ret {
	struct audit_row *items;
	size_t count;
	int64_t next;
};
struct audit_verify_ret {
	struct audit_check check;
	int64_t head_seq;           /* newest row */
};
extern const struct verb VERB_AUDIT_LIST;   /* audit_list_cmd -> audit_list_ret */
extern const struct verb VERB_AUDIT_VERIFY; /* no_cmd -> audit_verify_ret */
/* Has the keeper sign the newest row, if nothing newer is signed: each minute, and after a use of a CA. */
extern const struct verb VERB_AUDIT_SIGN;   /* no_cmd -> no_ret; system */

struct operation_list_cmd {
	struct page page;
	const char *kind, *state;   /* or NULL */
};
struct operation_list_ret {
	struct operation_row *items;
	size_t count;
	int64_t next;
};
struct operation_ret { struct operation_row operation; };
extern const struct verb VERB_OPERATION_LIST; /* operation_list_cmd -> operation_list_ret */
extern const struct verb VERB_OPERATION_SHOW; /* id_cmd -> operation_ret; holds while it runs */

struct event_list_cmd { struct page page; };
struct event_list_ret {
	struct event_row *items;
	size_t count;
	int64_t next;               /* always: where to go on */
	bool more;                  /* the page was full */
};
extern const struct verb VERB_EVENT_LIST; /* event_list_cmd -> event_list_ret; holds while there is none */

struct health_ret {
	const char *epoch;
	int64_t event_seq;
};
struct version_ret { const char *version; int schema; };
extern const struct verb VERB_HEALTH;  /* no_cmd -> health_ret */
extern const struct verb VERB_VERSION; /* no_cmd -> version_ret */
extern const struct verb VERB_API_DESCRIBE; /* no_cmd -> no_ret */

#endif
