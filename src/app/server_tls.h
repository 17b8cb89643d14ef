/* What the listener shows and whom it believes, kept up to date with the store.
 *
 * The server's certificate comes from /troth/server and is renewed at half its life; client certificates
 * are believed if a trusted version of /troth/agents signed them.  Both change while the server runs: a
 * fresh TLS context replaces the old one for new connections. */
#ifndef TROTH_APP_SERVER_TLS_H
#define TROTH_APP_SERVER_TLS_H

#include "app/pipeline.h"
#include "app/server.h"

struct server_tls;

/* Reads key and certificate from the directory, the trusted CAs from the store. */
troth_rc server_tls_new(struct arena *a, const struct datadir *d, struct store *store, struct pipeline *p, struct server_tls **ret,
			struct troth_err *e);
void server_tls_free(struct server_tls *t); /* accepts NULL */
/* For edge_server_new; borrowed until the next refresh. */
troth_rc server_tls_context(struct server_tls *t, struct edge_tls *ret, struct troth_err *e);
/* More names for its certificate: a new one is asked for at the next refresh if one is missing.  INVALID for what is no name. */
troth_rc server_tls_names(struct server_tls *t, const struct option_values *names, struct troth_err *e); /* kept */
void server_tls_serve(struct server_tls *t, struct edge_server *edge);
/* On the writer's thread after each commit: new CAs into the listener and ca.pem; asks for a new certificate when it is
 * time.  Cheap when nothing changed. */
void server_tls_refresh(struct server_tls *t, struct tx *snapshot, msec_t now);

#endif
