/* Which certificate a server shows that has two: its own, and one that somebody brought (struct edge_tls).
 *
 *     the caller names the CA of its own one (RFC 8446 4.2.4, certificate_authorities)   its own
 *     the brought one is for the name that the caller asked for (SNI, RFC 6066 3)        the brought one
 *     its own one is for that name                                                       its own
 *     else                                                                               the brought one
 *
 * Who asks for no name came by an address: then that counts.  Agents and the CLI name the CAs that they believe
 * (tls_choice_ask), so they are shown what they can verify, whatever else is shown to others under the same name. */
#ifndef TROTH_EDGE_TLS_CHOICE_H
#define TROTH_EDGE_TLS_CHOICE_H

#include "edge/tls.h"

/* `ctx` shows tls->cert_pem already; from now on tls->brought_pem too.  Nothing to do if there is none.
 * INVALID: they are no certificate and key that fit. */
troth_rc tls_choice_offer(SSL_CTX *ctx, const struct edge_tls *tls, struct troth_err *e);
/* A client's context names the CAs that it believes: those of its store, or of who knows only a fingerprint the name that
 * the CA of every server has.  More than LIMIT_TLS_CAS_NAMED are somebody's whole collection, and not named. */
troth_rc tls_choice_ask(SSL_CTX *ctx, bool pinned, struct troth_err *e);

#endif
