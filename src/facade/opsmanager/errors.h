/* Ops Manager's errors, and the shapes that several of its answers share. */
#ifndef TROTH_FACADE_OPSMANAGER_ERRORS_H
#define TROTH_FACADE_OPSMANAGER_ERRORS_H

#include "edge/route.h"

/* {"errors":["..."]}, within another "errors" for 400, 401 and 403.  What is refused for what it asks is 422. */
void opsman_problem(struct arena *a, const struct http_request *r, const struct troth_err *e, struct http_reply *reply);
/* {"errors":["text"]} with this status. */
void opsman_error(struct http_reply *reply, int status, const char *text);

#endif
