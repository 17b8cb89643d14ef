/* Native routes of the nouns.  In words: docs/api/native.md. */
#ifndef TROTH_FACADE_NATIVE_NOUNS_H
#define TROTH_FACADE_NATIVE_NOUNS_H

#include "edge/route.h"

extern const struct route_table NATIVE_AUTHORITY_ROUTES;
extern const struct route_table NATIVE_CREDENTIAL_ROUTES;
extern const struct route_table NATIVE_BUNDLE_ROUTES;
extern const struct route_table NATIVE_BINDING_ROUTES;
extern const struct route_table NATIVE_DEPLOYMENT_ROUTES; /* and meets */
extern const struct route_table NATIVE_POLICY_ROUTES;     /* freeze */
extern const struct route_table NATIVE_INSTANCE_ROUTES;   /* and targets */
extern const struct route_table NATIVE_EXTERNAL_ROUTES;   /* instances that report through the API */
extern const struct route_table NATIVE_TOKEN_ROUTES;
extern const struct route_table NATIVE_TOPOLOGY_ROUTES;
extern const struct route_table NATIVE_ENROLL_ROUTES;     /* the agent's enrolment and identity */
extern const struct route_table NATIVE_RECOVERY_ROUTES;   /* identities that have expired */
extern const struct route_table NATIVE_AUDIT_ROUTES;
extern const struct route_table NATIVE_OPERATION_ROUTES;  /* and events */
extern const struct route_table NATIVE_WEBHOOK_ROUTES;
extern const struct route_table NATIVE_PRINCIPAL_ROUTES;
extern const struct route_table NATIVE_METRICS_ROUTES;    /* /metrics: for Prometheus */
extern const struct route_table NATIVE_OPENAPI_ROUTES;
extern const struct route_table NATIVE_SERVER_ROUTES;     /* health, version, who am I, the server's certificate */

/* An instance with its targets: ret is a struct instance_ret. */
void instance_render(struct arena *a, const struct http_request *r, const void *cmd, const void *ret, struct http_reply *reply);

/* An operation as an object. */
struct json_writer;
struct operation_row;
void operation_write(struct json_writer *w, const struct operation_row *row);

#endif
