/* The oracle: given what a server truly presents and what a client truly trusts, do they shake hands?
 *
 * It knows certificates as bytes and asks OpenSSL, as a TLS library would: path, purpose, name, dates.
 * It includes nothing of src/, so that it cannot share a mistake with the engine.  Contents are told
 * once and named by a small number afterwards.  OpenSSL is asked once for each distinct chain, set, name
 * and span of time in which none of their certificates begins or ends; the answer is remembered. */
#ifndef TROTH_SIM_ORACLE_H
#define TROTH_SIM_ORACLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct oracle;

struct oracle *oracle_new(void);
void oracle_free(struct oracle *o);
/* A chain (PEM, leaf first) with its key, as a service loads them; 0: it would refuse (no certificate,
 * key of another leaf). */
int oracle_chain(struct oracle *o, const char *pem, size_t len, const char *key_pem, size_t key_len);
/* A set of anchors; 0: none in it. */
int oracle_set(struct oracle *o, const char *pem, size_t len);
/* host NULL: the presenter is a client.  now in milliseconds since 1970. */
bool oracle_shake(struct oracle *o, int chain, int set, const char *host, int64_t now);
/* Is the leaf in its dates? */
bool oracle_valid(struct oracle *o, int chain, int64_t now);
/* The first moment at which one of its certificates is over. */
int64_t oracle_until(const struct oracle *o, int content);
int64_t oracle_from(const struct oracle *o, int content); /* and when its first begins */
/* How many handshakes OpenSSL itself was asked for; all others were equal to one of these. */
uint64_t oracle_verified(const struct oracle *o);
/* SHA-256 of the i-th certificate in hex; NULL: no more. */
const char *oracle_fingerprint(const struct oracle *o, int content, size_t i);
/* "leaf 12ab34cd", "{12ab34cd 99887766}" */
const char *oracle_name(const struct oracle *o, int content);

#endif
