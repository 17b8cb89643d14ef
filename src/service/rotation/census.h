/* Who takes part in a rotation.  Used by rotate.c. */
#ifndef TROTH_SERVICE_CENSUS_H
#define TROTH_SERVICE_CENSUS_H

#include "service/rotation/rotation.h"
#include "store/store.h"

/* Fills name, kind, stores, slots, instances, waiting, outside and steps. */
troth_rc census_take(struct verb_ctx *ctx, const struct credential_row *c, struct rotate_ret *ret, struct troth_err *e);

/* Fills outside alone: who holds a certificate under the authority that is valid still; at most a page. */
troth_rc census_outside(struct verb_ctx *ctx, const struct credential_row *c, struct rotate_ret *ret, struct troth_err *e);

#endif
