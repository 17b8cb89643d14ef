/* The agent's mind: events in, effects out, nothing done here.
 *
 * agent_step is a function of its state, one event and the time; what it wants done comes back as
 * data.  The link does it (asks the server, looks at services, hands work to the hand) and brings
 * the result as the next event.  So the simulator and the unit tests run this very code, with any
 * order of events, any crash, any lie of the server.
 *
 * What it keeps true is the agent's contract (A1-A5, docs/decisions/0004-agent-core-in-link.md):
 *   A1 a document is applied only if it came in the present session and its generation is above
 *      high-water h and above what was begun;  h, l and what was begun are durable in the hand;
 *   A2 a counting report goes out only when nothing is staged, swapped or unproven;
 *   A3 first proven and remembered, then reported; put back before any counting report;
 *   A4 loaded means all processes: as the profile's proof says;
 *   A5 settled only after `drain`. */
#ifndef TROTH_AGENT_CORE_H
#define TROTH_AGENT_CORE_H

#include "agent/profile.h"
#include "agent/wire.h"

struct agent_core;

struct agent_config {
	const struct profile *const *profiles; /* live as long as the core */
	size_t profile_count;
	const struct settings *settings;
	uint64_t seed;                         /* of the jitter */
};

/* -- events ---------------------------------------------------------------------------------------- */
enum agent_ask { ASK_OPEN, ASK_POLL, ASK_REPORT, ASK_CSR, ASK_COUNT };

struct agent_sight {               /* of one address */
	struct json_texts shown;   /* fingerprints of the chain as it was sent, leaf first; none: nothing seen */
	bool refused;              /* nobody listens there */
	const char *why;           /* nothing seen: why */
};
struct agent_probed {
	uint32_t ticket;
	struct agent_sight at[PROFILE_ADDRESSES]; /* in the order of place.addresses */
};
struct agent_answer {
	enum agent_ask ask;
	uint32_t ticket;
	bool ok, stale;                     /* stale: the session is not the open one any more */
	enum troth_kind kind;               /* if not ok */
	const struct msg_opened *opened;    /* OPEN */
	const struct msg_desired *desired;  /* POLL */
};

enum agent_event_kind { EVENT_START, EVENT_HAND, EVENT_PROBED, EVENT_ANSWER, EVENT_TIMER };
struct agent_event {
	enum agent_event_kind kind;
	union {
		const struct hand_reply *hand;
		const struct agent_probed *probed;
		const struct agent_answer *answer;
	};
};

/* -- effects ---------------------------------------------------------------------------------------- */
enum agent_effect_kind {
	EFFECT_ASK,   /* of the server; one of a kind at a time */
	EFFECT_HAND,  /* of the hand */
	EFFECT_PROBE, /* look at all addresses of the place, once each */
	EFFECT_TIMER, /* EVENT_TIMER not before `at`; replaces the timer before it */
	EFFECT_NOTE,  /* a line for the log */
};
struct agent_effect {
	enum agent_effect_kind kind;
	uint32_t ticket;
	union {
		struct hand_request hand;
		struct {
			const char *target;
			const struct place *place;
		} probe;
		struct {
			enum agent_ask ask;
			struct msg_session open;
			struct { int64_t session, after; } poll;
			struct msg_report report;
			struct msg_csr csr;
		} ask;
		msec_t at;
		struct { const char *event, *target, *text; int64_t generation; } note;
	};
};

enum { AGENT_EFFECTS = 6 * LIMIT_TARGETS_PER_INSTANCE + 16 }; /* of one step: a handful a target */
struct agent_effects { /* texts live in the step's arena or in the core until its next step */
	struct agent_effect items[AGENT_EFFECTS];
	size_t count;
};

enum { AGENT_CHECK_MS = 10000, /* how often files and service are compared with what they should be */
       AGENT_HOLD_S = LIMIT_HOLD_S };

struct agent_core *agent_core_new(const struct agent_config *config);
void agent_core_free(struct agent_core *core);
void agent_core_freep(struct agent_core **core);
void agent_step(struct agent_core *core, const struct agent_event *event, msec_t now, struct arena *a,
		struct agent_effects *ret);

/* For tests and status: the state's name of a target, NULL if it is not known. */
const char *agent_core_state(const struct agent_core *core, const char *target_id);
int64_t agent_core_session(const struct agent_core *core);

#endif
