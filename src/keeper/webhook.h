/* What a signature on a message to a webhook covers, as receivers of Standard Webhooks check it:
 *
 *     HMAC-SHA256(secret, id "." timestamp "." body)          https://www.standardwebhooks.com, "Signature scheme"
 *
 * The id has no '.', so that two different messages never have the same bytes. */
#ifndef TROTH_KEEPER_WEBHOOK_H
#define TROTH_KEEPER_WEBHOOK_H

#include "keeper/request.h"

/* INVALID for an id that is empty, too long or has another character than letters, digits, '_' and '-'. */
troth_rc keeper_webhook_mac(struct bytes secret, const char *id, int64_t timestamp, struct bytes body, uint8_t out[SHA256_LEN],
			    struct troth_err *e);

#endif
