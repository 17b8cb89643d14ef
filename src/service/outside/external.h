/* External instances: members without an agent, of whom somebody reports through the API what they have loaded.
 *
 * For the engine they are members like any other: their targets come from the templates of a deployment (party external),
 * get documents, are admitted, are waited for by name, leave, are waived.  Nothing is sent to them.  Whoever speaks for one (a
 * principal whose scope has the deployment) asks what is wanted, installs it, and reports:
 *
 *     wanted  "what shall it hold?"       documents; taken from here they count as handed out
 *     csr     "sign this key of its slot" a staged chain; the engine says when it is offered
 *     report  "this is loaded now"        by fingerprints or version ids, with a number that grows
 *
 * A report says of each target that it names: new connections use exactly this, and nothing older that was fetched before
 * will be loaded again.  Nobody saw that.  So it is *loaded*, never *probed*; after a switch that rests on it nothing is withdrawn
 * for the deployment's grace, as with a binding (binding_grace.c); and a word that is taken back is believed at once:
 *
 *     unchanged  what it said before
 *     counted    a later document, or contents that we know and did not send
 *     behind     something older than it had reported: believed, with an alarm; what it was handed since counts again
 *     unknown    certificates that nobody here knows: nothing relies on it until it says something else
 *     stale      a number that is not above the last one: changes nothing
 *
 * What else a trust store has besides what its bundle ever gave it is drift: named, and never relied upon.
 * docs/decisions/0054-external.md. */
#ifndef TROTH_SERVICE_EXTERNAL_H
#define TROTH_SERVICE_EXTERNAL_H

#include "model/message.h"
#include "service/nouns.h"

/* -- registering -------------------------------------------------------------------------------------- */
struct instance_add_cmd {
	const char *deployment, *name;
	struct json_texts targets;       /* names of templates that it carries; none: all of them */
};
void instance_add_check(struct arena *a, const struct instance_add_cmd *cmd, struct troth_err *e);
/* One that was waived and is added again comes back as a joiner: no report of it does that. */
extern const struct verb VERB_INSTANCE_ADD;    /* instance_add_cmd -> instance_ret */

/* -- reporting ---------------------------------------------------------------------------------------- */
struct target_report {
	const char *path;                /* "$.targets[0]", for findings */
	const char *target;              /* name of the template */
	int64_t generation;              /* of the document that was loaded, as it was fetched; 0: not said */
	bool has_fingerprints, has_versions; /* one of the two must be there; an empty list: it holds nothing */
	struct json_texts fingerprints;  /* SHA-256 in hex, colons allowed; a slot's leaf first, perhaps alone */
	struct json_texts versions;      /* ids; of a slot's leaf, of a store's authorities */
};
struct instance_report_cmd {
	const char *id;
	int64_t seq;                     /* of the reporter; grows from report to report, gaps are fine */
	struct target_report *targets;
	size_t target_count;
};
void instance_report_check(struct arena *a, const struct instance_report_cmd *cmd, msec_t now, struct troth_err *e);

enum report_outcome { REPORT_UNCHANGED, REPORT_COUNTED, REPORT_BEHIND, REPORT_UNKNOWN, REPORT_STALE, REPORT_STOPPED };
extern const char *const REPORT_OUTCOME_NAMES[]; /* "unchanged" "counted" "behind" "unknown" "stale" "stopped" */
struct report_result {
	const char *target;
	enum report_outcome outcome;
	int64_t generation;              /* that it counts as running; 0: none of ours */
	struct json_texts extra;         /* fingerprints that are not of its bundle or credential */
	const char *text;                /* what to know about it, or NULL */
};
struct instance_report_ret {
	struct instance_row instance;
	int64_t seq;                     /* the last one accepted: the next must be above */
	struct report_result *results;
	size_t result_count;
};
extern const struct verb VERB_INSTANCE_REPORT; /* instance_report_cmd -> instance_report_ret */

/* -- what is wanted ------------------------------------------------------------------------------------- */
struct instance_wanted_cmd {
	const char *id;
	int64_t after;                   /* the version seen last; 0 at the start */
};
struct wanted_target {
	const struct msg_target *m;      /* name, kind, generation (0: nothing is wanted), certificates, csr, leaving */
	struct json_texts fingerprints;  /* of that document */
	bool loaded;                     /* it was reported already */
};
struct instance_wanted_ret {
	struct instance_row instance;
	int64_t version, seq;            /* seq: of the last report */
	struct wanted_target *targets;
	size_t target_count;
};
/* Nothing newer than `after`: held on "instance/<uuid>".  Goes on as INSTANCE_TAKE where something was never handed out. */
extern const struct verb VERB_INSTANCE_WANTED; /* instance_wanted_cmd -> instance_wanted_ret */
extern const struct verb VERB_INSTANCE_TAKE;

struct instance_csr_cmd {
	const char *id, *target;         /* target: its name */
	const char *request;             /* as `wanted` says; NULL: the one that is open */
	const char *csr;                 /* PEM */
};
struct instance_csr_ret { const char *request; }; /* also the id of the version that was issued */
extern const struct verb VERB_INSTANCE_CSR;    /* instance_csr_cmd -> instance_csr_ret */

#endif
