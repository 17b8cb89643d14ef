/* Webhooks: somebody outside is told each event, at least once and in order, by POST.
 *
 * The cursor of a webhook is the last event that its receiver has confirmed (2xx) or does not want; it moves in the same
 * transaction that notes the answer, so what was not confirmed is sent again, after a crash too.
 *
 *     event table ── cursor ──> WEBHOOK_NEXT: the next one, signed ──> app sends it ──> WEBHOOK_RESULT: the cursor moves,
 *                                                                                       or the next try is put off
 *
 * Who may have one sees every event there is, so only admins and operators whose scope is everything may.  The secret of a
 * webhook is with the keeper (keeper/webhook.h); the row holds it wrapped. */
#ifndef TROTH_SERVICE_WEBHOOK_H
#define TROTH_SERVICE_WEBHOOK_H

#include "service/nouns.h"

/* -- for people (webhook.c) ------------------------------------------------------------------------------ */
struct webhook_add_cmd {
	const char *name, *url;
	struct json_texts events;   /* patterns of kinds ("rotation.*"); none: all */
	const char *ca_pem;         /* NULL: the system's CAs */
};
void webhook_add_check(struct arena *a, const struct webhook_add_cmd *cmd, struct troth_err *e);
struct webhook_view {
	struct webhook_row row;
	const char *state;          /* "working", "failing", "disabled" */
	int64_t waiting;            /* events behind the cursor, wanted or not */
};
struct webhook_ret {
	struct webhook_view webhook;
	const char *secret;         /* shown this once; or NULL */
};
struct webhook_list_ret {
	struct webhook_view *items;
	size_t count;
	int64_t next;
};
extern const struct verb VERB_WEBHOOK_ADD;    /* webhook_add_cmd -> webhook_ret; from now on: its first event is its own webhook.add */
extern const struct verb VERB_WEBHOOK_LIST;   /* list_cmd -> webhook_list_ret */
extern const struct verb VERB_WEBHOOK_SHOW;   /* id_cmd (uuid or name) -> webhook_ret */
extern const struct verb VERB_WEBHOOK_REMOVE; /* id_cmd -> no_ret */
extern const struct verb VERB_WEBHOOK_ENABLE; /* id_cmd -> webhook_ret: at once, from where it stood */
extern const struct verb VERB_WEBHOOK_TEST;   /* id_cmd -> operation_ret: a message of its own, at once, even to a disabled one */

/* -- for the sender, as the system (webhook_deliver.c) ----------------------------------------------------- */
struct webhook_due {
	const char *uuid;
	msec_t due;                 /* 0: now */
};
struct webhook_due_ret {
	struct webhook_due *items;  /* those only that have something to send or to look at */
	size_t count;
};
extern const struct verb VERB_WEBHOOK_DUE;    /* no_cmd -> webhook_due_ret; READ */

struct webhook_next_cmd { const char *uuid; };
struct webhook_next_ret {
	bool message;               /* false: nothing to send now; the rest is empty */
	const char *name, *url, *ca_pem; /* ca_pem NULL: the system's CAs */
	const char *id, *body;
	int64_t timestamp;          /* seconds */
	const char *signature;      /* "v1,<base64>" */
	int64_t seq;                /* to be said with the result */
	int64_t test;               /* likewise: id of the operation; 0: it is no test */
};
extern const struct verb VERB_WEBHOOK_NEXT;   /* webhook_next_cmd -> webhook_next_ret; passes over what it does not want */

struct webhook_result_cmd {
	const char *uuid;
	int64_t seq, test;
	int status;                 /* of the answer; 0: there was none */
	const char *error;          /* why there was none */
	msec_t took;
};
/* 2xx: the cursor moves.  410: disabled.  Anything else: again later, and after LIMIT_WEBHOOK_GIVE_UP_S disabled. */
extern const struct verb VERB_WEBHOOK_RESULT; /* webhook_result_cmd -> no_ret */

/* -- pure ----------------------------------------------------------------------------------------------------- */
/* webhook_url.c.  "https://host[:port]/path?query"; "http://" only for loopback.  Returns NULL, or what is wrong with it as
 * the end of a sentence. */
enum { WEBHOOK_HOST_BYTES = 256 };
struct webhook_url {
	bool plain;                 /* http */
	bool v6;                    /* host stands in brackets */
	char host[WEBHOOK_HOST_BYTES];
	int port;
	const char *target;         /* "/path?query"; points into the text, "/" if it has none */
};
const char *webhook_url_parse(const char *text, struct webhook_url *ret);
/* "https://host:port": what may be written down about it. */
const char *webhook_url_server(struct arena *a, const struct webhook_url *url);

/* webhook_retry.c.  How long to wait after the attempt with this number (from 1) has failed: LIMIT_WEBHOOK_FIRST_S, doubled each
 * time up to LIMIT_WEBHOOK_PAUSE_S, and a quarter more or less by `random`. */
msec_t webhook_pause(int64_t attempts, uint32_t random);
/* It has failed for LIMIT_WEBHOOK_GIVE_UP_S, and often enough in that time. */
bool webhook_gives_up(int64_t attempts, msec_t failing_since, msec_t now);

/* webhook_message.c.  What is sent. */
struct webhook_message {
	const char *id;             /* the same for each try of the same event: "msg_" and 32 hex digits */
	const char *body;           /* {"id","seq","type","time","object","data"} */
};
/* Data that does not fit LIMIT_WEBHOOK_BODY_BYTES is null, and "truncated" is true. */
void webhook_message_event(struct arena *a, const struct event_row *event, struct webhook_message *ret);
/* Events `after`+1 to `up_to` were forgotten before they were delivered. */
void webhook_message_gap(struct arena *a, const struct webhook_row *row, int64_t up_to, msec_t now, struct webhook_message *ret);
void webhook_message_ping(struct arena *a, const struct webhook_row *row, const char *operation, msec_t now, struct webhook_message *ret);
/* Does it want events of this kind? */
bool webhook_wants(struct arena *a, const char *patterns, const char *kind);

/* -- inside --------------------------------------------------------------------------------------------------- */
troth_rc webhook_record(struct verb_ctx *ctx, const char *action, const struct webhook_row *row, struct troth_err *e);
/* Its pending test ends without having been sent. */
troth_rc webhook_test_end(struct verb_ctx *ctx, struct webhook_row *row, enum operation_state state, const char *result, struct troth_err *e);

#endif
