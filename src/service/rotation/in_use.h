/* Which versions of a root are in use: by what slots were last seen to serve, whoever signed it in between; and by what
 * those without an agent say that they trust, if that is one version alone.
 *
 * Judging whether a step makes sense needs to know who decides: members that last.  One with a lease and an agent comes
 * and goes, and is sent what is wanted like any other; it never decides.  One without an agent always does: nobody can
 * send it anything. */
#ifndef TROTH_SERVICE_IN_USE_H
#define TROTH_SERVICE_IN_USE_H

#include "store/store.h"
#include "service/verb.h"

struct in_use {                 /* one deployment, one version */
	const char *deployment;
	int64_t version;        /* of the root */
	const char *version_uuid;
	bool decides;
	bool ephemeral;
	msec_t since;           /* its first member came */
	msec_t lease_until;     /* the last of its leases; 0: none */
	int64_t members;
	const char *instance;   /* uuid of one of them: when it changes, its topic says so */
};
struct in_use_list { struct in_use *items; size_t count; };

/* Versions of this root authority in use now, in the order in which they are found.  A target of which nobody knows what it
 * holds is left out, and so is who left. */
troth_rc in_use_load(struct verb_ctx *ctx, int64_t authority_id, struct in_use_list *ret, struct troth_err *e);
/* The same of who took certificates of it through the API, by the newest that each took: `deployment` is the credential's name,
 * `lease_until` the end of that certificate.  They never decide: nobody sees what they use. */
troth_rc in_use_held(struct verb_ctx *ctx, int64_t authority_id, struct in_use_list *ret, struct troth_err *e);
/* How many versions those who decide use. */
size_t in_use_versions(const struct in_use_list *list);
/* Those who decide and use another than `expected`. */
struct in_use_list in_use_others(struct arena *a, const struct in_use_list *list, int64_t expected);
/* Those who use this one: who decides, or (`all`) everybody. */
struct in_use_list in_use_of(struct arena *a, const struct in_use_list *list, int64_t version, bool all);

#endif
