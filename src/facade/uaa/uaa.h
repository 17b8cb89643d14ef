/* Logging in as clients of Cloud Foundry's UAA do: POST /oauth/token, and what other facades say of a token that is not good. */
#ifndef TROTH_FACADE_UAA_H
#define TROTH_FACADE_UAA_H

#include "edge/route.h"

extern const struct route_table UAA_ROUTES;

/* The word for an error of the kind UNAUTHENTICATED: "access_token_expired" (a client then refreshes and tries again),
 * "invalid_token", or "access_denied" when nothing was shown. */
const char *uaa_auth_word(const struct http_request *r, const struct troth_err *e);
/* {"error":<word>,"error_description":<text>} with the error's status: a route's `problem`, or a part of one. */
void uaa_problem(struct arena *a, const struct http_request *r, const struct troth_err *e, struct http_reply *reply);

#endif
