/* Inside the room: what the files of external instances share. */
#ifndef TROTH_SERVICE_EXTERNAL_PARTS_H
#define TROTH_SERVICE_EXTERNAL_PARTS_H

#include "service/outside/external.h"

#define ROLES_REPORT (ROLES_CHANGE | ROLE_DEVELOPER) /* who may speak for one */

/* An external instance in the principal's scope.  NOT_FOUND; CONFLICT if it has an agent, or was waived. */
troth_rc external_find(struct verb_ctx *ctx, const char *id, struct instance_row *ret, struct deployment_row *ret_deployment,
		       struct troth_err *e);
/* Its target of this name; id 0: it has none. */
troth_rc external_target(struct verb_ctx *ctx, const struct instance_row *instance, const char *name, struct target_row *ret,
			 struct template_row *ret_template, struct troth_err *e);

/* What a report says of one target, in our own things (external_match.c). */
struct said {
	enum target_kind kind;
	bool known;                      /* false: nobody here knows what it is */
	bool alone;                      /* slot: only the leaf was named, not what is served behind it */
	struct json_texts fingerprints;  /* lower case; of a store: only what its bundle ever gave it */
	struct json_texts extra;         /* the others */
	int64_t content;                 /* 0: nothing, or more than one thing could be meant */
};
/* Findings are left in e: of version ids that nobody knows. */
troth_rc external_read(struct verb_ctx *ctx, const struct target_row *t, const struct template_row *template,
		       const struct target_report *r, struct said *ret, struct troth_err *e);

/* Where that stands among what the target was sent. */
struct place {
	enum report_outcome outcome;     /* unchanged, counted, behind, unknown */
	int64_t content, generation;     /* generation 0: no document says it */
	const char *text;                /* or NULL */
};
troth_rc external_place(struct verb_ctx *ctx, const struct target_row *t, const struct said *said, int64_t generation,
			struct place *ret, struct troth_err *e);

#endif
