/* Permissions: what a principal whose scope is SCOPE_NONE may do, and on which names (CredHub's words: actor, path, operations).
 *
 * A principal has a scope or permissions, never both: so what a permission is taken from is gone.  Its role still says which
 * verbs there are for it at all.  Who is no administrator of everything keeps permissions where one of his own says write_acl,
 * gives no operation that he has not, and none to himself. */
#ifndef TROTH_SERVICE_SERVER_PERMISSION_H
#define TROTH_SERVICE_SERVER_PERMISSION_H

#include "service/nouns.h"

#define PERMISSIONS_FACADE "credhub" /* whose principals have them */

/* Clauses of errors, for facades that have words of their own for them. */
#define CLAUSE_NO_PERMISSION "type:no-permission"             /* NOT_FOUND, also where it may not be seen */
#define CLAUSE_PERMISSION_UNSEEN "type:permission-unseen"     /* the same, asked for by path and actor */
#define CLAUSE_PERMISSION_THERE "type:permission-there"       /* CONFLICT: that path of that actor */
#define CLAUSE_PERMISSION_OWN "type:permission-own"           /* INVALID: the caller's own */
#define CLAUSE_PERMISSION_OTHER "type:permission-other"       /* INVALID: not of this path and actor */
#define CLAUSE_PERMISSION_OPERATION "type:permission-operation" /* INVALID: no such operation */

struct permission_cmd {
	const char *id;              /* uuid; NULL for add, and for show by path and actor */
	const char *path, *actor;    /* path: a name, or a folder and a star, "/app/" "*"; actor: "uaa-client:NAME", "uaa-user:UUID", "mtls-app:UUID".
	                                With change both may be NULL; else they must be its own */
	struct json_texts operations; /* add, change: read, write, delete, read_acl, write_acl; all that it shall have */
};
struct permission_ret { struct permission_row permission; };

extern const struct verb VERB_PERMISSION_ADD;    /* permission_cmd -> permission_ret */
extern const struct verb VERB_PERMISSION_SHOW;   /* id, or path and actor */
extern const struct verb VERB_PERMISSION_CHANGE; /* id, operations [, path, actor] */
extern const struct verb VERB_PERMISSION_REMOVE; /* id; ret: what it was */

/* "read", "write" ... of the bits, in the order in which they are shown; NULL above the last. */
const char *permission_operation(int64_t operations, size_t i);

/* The permissions of one that calls (struct principal), in ctx->a. */
troth_rc permission_load(struct verb_ctx *ctx, int64_t principal_id, struct principal *who, struct troth_err *e);
/* The caller as the store has it now, for the transaction that writes: between that and letting it in lie the keeper's answers, a
 * minute for hundreds of keys.  UNAUTHENTICATED if it was revoked since; else ctx->who has the permissions of now. */
troth_rc permission_again(struct verb_ctx *ctx, struct troth_err *e);
/* All of a principal's go, each with its audit row. */
troth_rc permission_end_all(struct verb_ctx *ctx, const struct principal_row *of, struct troth_err *e);

#endif
