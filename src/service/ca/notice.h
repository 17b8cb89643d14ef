/* Told before its end: of certificates that nobody here can renew alone. */
#ifndef TROTH_SERVICE_NOTICE_H
#define TROTH_SERVICE_NOTICE_H

#include "base/json.h"
#include "service/verb.h"

/* Its owner will be told 60, 30, 14, 7 and 1 days before, by an event ("credential.expires", of an authority
 * "authority.expires"), unless the next one has come by then. */
troth_rc notice_promise(struct verb_ctx *ctx, int64_t version_id, msec_t not_after, struct troth_err *e);

/* The effect. */
#define EFFECT_NOTICE "notice" /* {"version","days"} */
troth_rc notice_is_due(struct verb_ctx *ctx, const struct json *body, struct troth_err *e);

#endif
