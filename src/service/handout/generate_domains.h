/* A certificate with its key for whoever says which domains it is for: nothing else is asked, and no name is given.
 *
 * It is named after what its holder knows (docs/decisions/0084): the root that signs, and its domains, in alphabetical order.
 *
 *     /prod/ca, {"*.apps.example.org", "api.example.org"}     /prod/ca/generated/_wildcard.apps.example.org/api.example.org
 *
 * So the same domains again, in whatever order, are its next version, other domains are another holder, whoever may use the root may
 * name it, and a rotation of the root waits for it by that name.  Its key is made by the keeper, given once and not kept. */
#ifndef TROTH_SERVICE_GENERATE_DOMAINS_H
#define TROTH_SERVICE_GENERATE_DOMAINS_H

#include "service/handout/generate.h"

struct generate_domains_cmd { struct json_texts domains; }; /* DNS names, *.example.org, IP addresses; some may be said twice */
/* INVALID: what is no domain. */
void generate_domains_check(struct arena *a, const struct generate_domains_cmd *cmd, struct troth_err *e);
/* Signed by the one root in the caller's scope whose key is here, or the version of it that rule 1b lets sign.  CONFLICT: no such
 * root, or more than one; slots serve what has this name. */
extern const struct verb VERB_CREDENTIAL_GENERATE_DOMAINS; /* generate_domains_cmd -> generate_ret: one version, with its key */

/* The name, as above; lives in a.  Domains that make too long a name are counted, with a digest of all of them:
 * /prod/ca/generated/a.example.org/_and-30-more-<32 hex>.  NULL: the root's own name leaves no room. */
const char *generate_domains_name(struct arena *a, const char *root, struct json_texts domains);

#endif
