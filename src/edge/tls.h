/* TLS contexts for both ends: TLS 1.2 and later, and the settings that keep a connection at 26 KiB. */
#ifndef TROTH_EDGE_TLS_H
#define TROTH_EDGE_TLS_H

#include <openssl/ssl.h>

#include "edge/client.h"
#include "edge/server.h"

/* Caller releases with SSL_CTX_free. */
troth_rc tls_server_context(const struct edge_tls *tls, SSL_CTX **ret, struct troth_err *e);
/* `pin` counts if config->pinned; the context keeps the pointer. */
troth_rc tls_client_context(const struct http_client_config *config, const uint8_t *pin, SSL_CTX **ret, struct troth_err *e);
/* A connection's SSL of that context, with the name or address that the server's certificate must carry; `host` must
 * outlive it. */
troth_rc tls_client_connection(SSL_CTX *ctx, const char *host, bool is_address, SSL **ret, struct troth_err *e);
/* Why a handshake failed, for people: the verification's words if it was that. */
troth_rc tls_handshake_error(const SSL *ssl, unsigned long openssl_error, struct troth_err *e);

#endif
