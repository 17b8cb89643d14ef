/* What the core's files share: a target as it is kept, the session, one step.  Inside agent/ only;
 * core.h is what others see.  Everything here is pure: no clock, no randomness, no I/O. */
#ifndef TROTH_AGENT_CORE_PARTS_H
#define TROTH_AGENT_CORE_PARTS_H

#include "agent/core.h"

enum target_state {
	T_LOOK, T_FOUND, T_IDLE,
	T_STAGE, T_REFUSE, T_QUEUE, T_SWAP, T_RELOAD, T_VERIFY, T_DRAIN, T_SETTLE,
	T_PUT_BACK, T_BACK_RELOAD, T_BACK_VERIFY, T_BACK_DRAIN, T_BACK_DONE,
	T_CHECK, T_WATCH, T_PROVE, T_PROVE_VERIFY, T_PROVE_DRAIN,
	T_STUCK, T_FORGET,
	T_COUNT
};

enum {
	RETRY_MS = 1000, /* a step of the hand that failed for want of disk or a lock */
	STOPPED_LOOKS = 3, /* AGENT_CHECK_MS apart: a service that starts again is back by then */
	RETRY_MAX_MS = 60000, /* what goes on failing: 1 s, 2 s, 4 s ... a minute */
	REASON_BYTES = MSG_REASON_BYTES + 1,
};

enum csr_state { CSR_NONE, CSR_MAKING, CSR_READY, CSR_SENT };

struct target {
	char id[UUID_LEN];
	struct arena *mem;            /* spec and place */
	struct target_spec spec;
	struct place place;
	bool placed;                  /* place is filled in */
	char trouble[REASON_BYTES];   /* why there is no place; "" if there is */
	struct arena *next_mem;       /* a changed spec, until the target is idle */
	struct target_spec next_spec;
	bool known, look_failed, gone; /* the hand has looked; it cannot; the server took the target away */
	bool leaving, stopped;        /* it shall go; nobody answered at its addresses for STOPPED_LOOKS looks */
	int unanswered;               /* looks in a row */

	enum target_state state, after_queue, stuck_in, came_from;
	bool waiting, entered;        /* for a reply or a look; the state's action was begun */
	uint32_t ticket;
	msec_t wake_at, verify_until, check_at, retry_ms;

	int64_t loaded, high_water, doing; /* l, h, and the one under way */
	int64_t staging, stuck_doing;
	bool begun;                   /* doing is durable in the hand: it will be seen through */
	bool has_files, settled, down;
	bool no_way_back;             /* what doing replaces is distrusted: a failure keeps doing */
	struct arena *seen_mem, *doing_mem, *found_mem;
	struct json_texts loaded_fps, doing_fps;
	int streak;
	char reload_why[REASON_BYTES], reason[REASON_BYTES]; /* of the reload; of the failure */

	struct arena *want_mem;       /* the newest document of the present session */
	struct msg_target want;
	bool wants;

	bool report_due;
	uint32_t report_serial;       /* counts what is new to report */
	int64_t failed_generation;
	bool has_found, looked_at_service;
	struct json_texts found_fps;
	const char *found_text;
	char drift[WIRE_DRIFT_LINES][256];
	size_t drift_count;

	enum csr_state csr;
	char csr_request[UUID_LEN];
	uint32_t csr_ticket;
	msec_t csr_at, csr_retry_ms;
	struct arena *csr_mem;
	const char *csr_type, *csr_name, *csr_pem;
};

/* The built-in store: the CAs by which the server is believed.  No profile, no service: it is loaded when it is saved, as
 * the link then speaks to the server by it (core_own.c). */
struct own_trust {
	char id[UUID_LEN];            /* "": the server has not named it yet */
	int64_t generation;           /* l and h */
	struct arena *mem, *want_mem;
	struct json_texts fps;
	int64_t want, saving;         /* generations; 0: none */
	struct json_texts certificates;
	bool busy, report_due;
	uint32_t ticket, report_serial;
	msec_t retry_at;
};

struct lane { bool busy; uint32_t ticket; msec_t not_before; int failures; msec_t asked_at; };

struct agent_core {
	struct agent_config config;
	uint64_t random;
	uint32_t tickets, start_ticket;
	bool started;
	msec_t start_at;
	char boot_id[MSG_EPOCH_BYTES + 1], epoch[MSG_EPOCH_BYTES + 1];
	int64_t session, version, seq;
	bool marking;                         /* the hand marks what is begun as of another epoch: nothing is said until it did */
	struct lane lanes[ASK_COUNT];
	struct own_trust own;
	bool reporting_own;                   /* its report is under way */
	struct target *reporting, *answering; /* whose report, whose csr is under way */
	uint32_t reporting_serial;
	char answering_request[UUID_LEN];     /* which request of it: another one may be made meanwhile */
	struct target *targets[LIMIT_TARGETS_PER_INSTANCE];
	size_t target_count;
};

struct step { /* of one call */
	struct agent_core *core;
	msec_t now;
	struct arena *a;
	struct agent_effects *out;
	struct agent_effect spill; /* a step never fills the array; if it did, timers would ask again */
};

/* -- core_target.c: what is said, made and remembered ---------------------------------------------------- */
struct agent_effect *core_emit(struct step *s, enum agent_effect_kind kind);
void core_note(struct step *s, const struct target *t, const char *event, const char *text, int64_t generation);
msec_t core_back_off(struct agent_core *core, int failures);
struct json_texts core_copy_texts(struct arena *a, struct json_texts in);
struct arena *core_fresh(struct arena **a, size_t max);
/* A copy in an arena of its own that replaces *mem; `in` may lie in the old one. */
void core_keep_fps(struct arena **mem, struct json_texts *out, struct json_texts in);
void core_report(struct target *t); /* something is to be reported */
void core_add_drift(struct target *t, const char *line);
void core_set_reason(struct target *t, const char *text);
struct target *core_target_by_id(struct agent_core *core, const char *id);
struct target *core_target_add(struct agent_core *core, const char *id); /* NULL: too many */
void core_target_free(struct target *t);
void core_target_remove(struct agent_core *core, struct target *t);
struct target_spec core_copy_spec(struct arena *a, const char *id, const struct target_spec *in);
bool core_same_spec(const struct target_spec *a, const struct target_spec *b);
void core_find_place(struct agent_core *core, struct target *t);

/* -- core.c: states ------------------------------------------------------------------------------------------ */
void core_go(struct target *t, enum target_state state);
/* The state's action ended: does what its end means and goes where the table says. */
void core_finish(struct step *s, struct target *t, bool ok);
/* The files are in place, and no process is there to have loaded them: not settled, tried again. */
void core_wait_for_process(struct step *s, struct target *t);
void core_settle(struct step *s, struct target *t);
bool core_verifies(enum target_state state);
bool core_retries(enum target_state state); /* a failure means: the same again after a while */

/* -- core_own.c: the built-in store ---------------------------------------------------------------------------- */
void core_own_hello(struct agent_core *core, const struct hand_reply *r);
void core_own_opened(struct agent_core *core);
/* true: this target is the built-in store, and is seen to. */
bool core_own_take(struct step *s, const struct msg_target *m);
void core_own_gone(struct agent_core *core, const char *id);
void core_own_saved(struct step *s, const struct hand_reply *r);
void core_own_advance(struct step *s);
/* What a session says of it; false: nothing. */
bool core_own_loaded(const struct agent_core *core, struct msg_loaded *ret);
/* true: *ret is to be reported. */
bool core_own_report(struct step *s, struct msg_report *ret);
void core_own_reported(struct agent_core *core, bool done);
void core_own_free(struct agent_core *core);

/* -- core_seen.c, core_session.c: events ------------------------------------------------------------------------ */
void core_on_probed(struct step *s, const struct agent_probed *p);
void core_on_hand(struct step *s, const struct hand_reply *r);
void core_on_answer(struct step *s, const struct agent_answer *m);
void core_ask_all(struct step *s);

#endif
