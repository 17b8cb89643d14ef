/* The four verbs of an agent after it has enrolled: session, desired, report, csr.
 *
 *     session  "this is what I hold"           -> a session number; what changed behind our back is unknown
 *     desired  "what shall I hold?"            -> documents; held until there is something newer
 *     report   "this is what runs now"         -> counted only when settled; matched by generation
 *     csr      "sign this key of mine"         -> a staged chain; the engine says when it is sent
 *
 * All are said by a principal with ROLE_AGENT about its own instance; another instance's target is
 * FORBIDDEN.  A session that is not the open one is CONFLICT with clause "type:stale-session": the agent
 * opens a new one.  Messages are those of model/message.h. */
#ifndef TROTH_SERVICE_AGENT_H
#define TROTH_SERVICE_AGENT_H

#include "model/message.h"
#include "service/verb.h"

/* cmd msg_session, ret msg_opened.  Raises the session number whatever it is told. */
extern const struct verb VERB_AGENT_SESSION;

struct desired_cmd {
	int64_t session, after;   /* after: the version seen last, 0 at the start */
};
struct desired_ret {
	bool stale;               /* answer with agent_stale(): a session that is not the open one */
	struct msg_desired desired;
};
/* Looks on a snapshot: nothing newer than `after` -> hold on "instance/<uuid>"; something that was never
 * handed out, or a heartbeat that is due -> goes on as VERB_AGENT_TAKE, which marks it handed out before
 * the reply's first byte leaves (so that it is never withdrawn as unseen afterwards). */
extern const struct verb VERB_AGENT_DESIRED;
extern const struct verb VERB_AGENT_TAKE;
/* The words of a stale session. */
troth_rc agent_stale(struct troth_err *e);

struct report_ret {
	bool counted;             /* false: progress only, or said before */
};
extern const struct verb VERB_AGENT_REPORT; /* cmd msg_report */

struct csr_ret {
	const char *version;      /* uuid of the version that was issued (equals the request's) */
};
extern const struct verb VERB_AGENT_CSR;    /* cmd msg_csr */

#endif
