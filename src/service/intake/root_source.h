/* A root that was made elsewhere, with its key: what a rotation that is given one as its new version needs to know of it, and asks; and
 * what that has in common with a new authority (adopt.h).
 *
 * The key passes once through this process, in memory that is wiped with the request; it is looked at by the keeper alone,
 * which says whose it is, and is kept wrapped. */
#ifndef TROTH_SERVICE_ROOT_SOURCE_H
#define TROTH_SERVICE_ROOT_SOURCE_H

#include "keeper/keeper.h"
#include "pki/cert.h"
#include "service/check.h"
#include "service/rotation/rotation.h"
#include "store/store.h"

/* The one certificate in it, of a key that could be made here; NULL, or findings at `path`. */
const struct cert *root_source_pem(const struct checker *c, const char *path, const char *pem);
/* Reads the certificate and judges it: good for itself, able to do what stands below this authority, taken for no other CA
 * (rule N).  INVALID with findings at source->path; CONFLICT if it is a version of an authority. */
troth_rc root_source_read(struct verb_ctx *ctx, const struct credential_row *authority, const struct rotate_source *source,
			  const struct cert **ret, struct troth_err *e);
/* Asks the keeper to put its key away, as that of this version (uuid) of the authority. */
troth_rc root_source_need(struct verb_ctx *ctx, const struct credential_row *authority, const char *private_key, const struct cert *root,
			  const char *version, struct troth_err *e);
/* INVALID with CLAUSE_OTHER_KEY (adopt.h) unless the key that was put away is the certificate's. */
troth_rc root_source_check_key(const struct keeper_reply *wrapped, const struct cert *root, struct troth_err *e);
/* Audit and event: this authority has it from now on, as this version. */
troth_rc root_source_record(struct verb_ctx *ctx, const struct credential_row *authority, const struct cert *root, const char *version,
			    struct troth_err *e);
/* The row, with its audit row: `uuid` as asked for.  UNSAFE if its key was distrusted.  Whoever trusts the certificate by itself meets what it signs. */
troth_rc root_source_insert(struct verb_ctx *ctx, const struct credential_row *authority, const struct keeper_reply *wrapped,
			    const struct cert *root, const char *uuid, struct version_row *ret, struct troth_err *e);

#endif
