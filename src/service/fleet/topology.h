/* The whole picture: which authority signed what, who trusts it, and who serves it.
 *
 * A list of named certificates, each with its versions, and at each version the places that were last
 * seen to hold it and the moment when the first certificate of its chain ends.  A tree is made of it by
 * following `signed_by`; that is left to who draws it.  Read only, a page at a time. */
#ifndef TROTH_SERVICE_TOPOLOGY_H
#define TROTH_SERVICE_TOPOLOGY_H

#include "service/nouns.h"

struct topology_cmd {
	struct page page;
	const char *name;           /* only what is above and below this one; NULL: all */
	bool all;                   /* versions that are put away too, the newest LIMIT_TOPOLOGY_HISTORY of each */
};
struct topology_use {
	const char *deployment, *target; /* names; the target's is that of its template; NULL for a holder, who is outside */
	const char *instance;       /* of a slot; NULL for a store: all of its kind are one line */
	enum target_kind kind;
	enum party party;
	int64_t members, of;        /* so many of so many were last seen to hold it */
};
struct topology_version {
	struct version_view view;
	msec_t chain_not_after;     /* the earliest end in its chain, its own included */
	const char *chain_ends;     /* whose that is: a name, or the subject of a certificate that has none */
	struct topology_use *uses;
	size_t use_count;
};
struct topology_item {
	struct credential_view credential; /* without versions */
	struct topology_version *versions; /* newest first */
	size_t version_count;
	bool rotating;                     /* an authority: its rotation is open ... */
	struct json_texts approved;        /* ... and somebody approved these steps of it */
};
struct topology_ret {
	struct topology_item *items;
	size_t count;
	int64_t next;
};
/* NOT_FOUND: no credential or authority of that name in scope. */
extern const struct verb VERB_TOPOLOGY; /* topology_cmd -> topology_ret */

#endif
