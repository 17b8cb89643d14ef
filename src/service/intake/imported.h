/* Imported authorities: roots whose key never was here.  They are trusted (bundles, stores), and CAs below them are
 * signed by whoever has the key.
 *
 * The next root is imported under the same name: it is wanted beside the old one, each external authority below asks for
 * a certificate under it, and when the last of those came the old one is no longer wanted (engine-rules 7, "bring your
 * own": the old one stays until what hangs on it came). */
#ifndef TROTH_SERVICE_IMPORTED_H
#define TROTH_SERVICE_IMPORTED_H

#include "service/nouns.h"
#include "store/store.h"

struct authority_import_cmd {
	const char *name;           /* of a new authority, or of one that was imported before: its next version */
	const char *certificate;    /* PEM: the root, and nothing else */
};
struct authority_import_ret {
	struct credential_view credential;
	bool created;               /* false: a version of one that was there */
	const char *rotation;       /* uuid; NULL: created */
	struct json_texts asked;    /* external authorities below it that now wait for a certificate under it */
};
void authority_import_check(struct arena *a, const struct authority_import_cmd *cmd, struct troth_err *e);
extern const struct verb VERB_AUTHORITY_IMPORT; /* authority_import_cmd -> authority_import_ret */

/* May this root become one of ours: no verifier takes it for another CA (rule N; findings), and it is no version of one yet. */
troth_rc imported_check_root(struct verb_ctx *ctx, const struct cert *root, struct troth_err *e);
/* A new one, with this root as its first version; the root was judged (certify_root_judge). */
troth_rc imported_make(struct verb_ctx *ctx, const char *name, const struct cert *root, struct credential_row *ret,
		       struct version_row *ret_version, struct troth_err *e);
/* Its older versions are no longer wanted, as soon as every external authority below hangs on the newest. */
troth_rc imported_settle(struct verb_ctx *ctx, int64_t authority_id, struct troth_err *e);
/* The stores that trust it, by name or by this certificate, meet the slots below it. */
troth_rc imported_meets(struct verb_ctx *ctx, int64_t authority_id, int64_t cert_id, struct troth_err *e);

#endif
