/* What the edge's socket tests share: certificates, a server with toy routes, and a client that writes bytes as told. */
#ifndef TROTH_TESTS_EDGE_FIXTURE_H
#define TROTH_TESTS_EDGE_FIXTURE_H

#include <openssl/ssl.h>
#include <stdatomic.h>

#include "edge/client.h"
#include "edge/server.h"
#include "pki/pki.h"

struct issued { struct bytes der; const char *pem; struct buf key; };

struct world {
	struct arena *a;
	struct issued ca, server, client, other_ca; /* server: 127.0.0.1 and localhost, chain with its root */
	const char *chain_pem;
	struct key *ca_key;
	struct edge_server *edge;
	int port;
	atomic_int handled, finished, resumed, dropped;
};

struct world *world_new(void);               /* certificates only */
void world_serve(struct world *w, struct edge_config config); /* zeros: 2 loops, 2 s deadlines */
void world_free(struct world *w);
struct edge_tls world_tls(const struct world *w, struct bytes *room_for_one_ca);
struct issued world_leaf(struct world *w, const char *cn, unsigned eku, msec_t from_now);
const char *world_file(struct world *w, const char *name, const void *data, size_t len); /* in a temporary directory */
struct http_client_config world_client(const struct world *w); /* trusts the CA, 127.0.0.1 */

/* Toy routes: GET /echo (method, path, name, body), POST /echo, GET /hold (topic "news"), GET /away (another thread
 * answers), GET /big (1 MiB), GET /fail, PUT /only-put */
extern const struct route_table TOY_ROUTES;

/* A raw TLS connection, blocking with a 5 s timeout. */
struct raw { int fd; SSL_CTX *ctx; SSL *ssl; };
struct raw raw_connect(const struct world *w, bool with_client_cert);
struct raw raw_connect_plain(const struct world *w); /* TCP only */
void raw_send(struct raw *r, const char *text);
/* Reads one reply (head, and body by Content-Length); text in the world's arena; "" at the end of the stream. */
const char *raw_reply(struct world *w, struct raw *r);
bool raw_ended(struct raw *r, msec_t within);   /* the peer closes within that time, after whatever it still says */
void raw_close(struct raw *r);
int status_of(const char *reply);

msec_t mono(void);
bool await_int(atomic_int *value, int at_least); /* within 5 s */

#endif
