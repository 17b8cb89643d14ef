/* One room for the nouns' tests: a real store in a temporary directory, a real keeper core, the service,
 * all on this thread and with a clock that the test moves. */
#ifndef TEST_SERVICE_ROOM_H
#define TEST_SERVICE_ROOM_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "keeper/keeper.h"
#include "service/nouns.h"
#include "service/service.h"

struct room {
	char dir[64], path[96];
	struct arena *a;
	msec_t now;
	struct server_port port;
	struct store *store;
	struct service *svc;
	struct keeper_state *keeper;
	struct verb_keeper line;
	size_t keeper_dies_at;          /* the request with this number, from 1, fails with UNAVAILABLE; 0: none */
	void (*before_keeper)(struct room *r); /* called once, between prepare and the keeper's answer */
	size_t keeper_calls;
	struct principal admin, auditor, narrow; /* narrow: operator of /prod/pg/ and below only */
	struct verb_ctx ctx;            /* of the last verb */
	struct troth_err e;             /* of the last verb */
	bool dry_run;                   /* options of the next verbs */
	const char *if_match;
	msec_t wait;
	bool last_chance;
};

struct room *room_new_empty(void);  /* no init */
struct room *room_new(void);        /* init done */
void room_free(struct room *r);

/* Runs a verb as somebody; what went wrong is in r->e.  ret is emptied first. */
troth_rc room_try(struct room *r, const struct principal *who, const struct verb *verb, const void *cmd, void *ret);
/* As admin; fails the test with the error's text. */
void room_do(struct room *r, const struct verb *verb, const void *cmd, void *ret);
/* Runs as `who` and must fail with this kind and a text (primary, hint or a finding) that has `part`. */
void room_refused(struct room *r, const struct principal *who, const struct verb *verb, const void *cmd,
		  enum troth_kind kind, const char *part);
/* The last error has a finding at this JSON path whose text has `part`. */
void room_finding(struct room *r, const char *path, const char *part);
size_t room_findings(const struct room *r);

/* -- things that many tests want ------------------------------------------------------------------- */
struct json_texts room_texts(struct room *r, const char *a, const char *b); /* b may be NULL */
const char *room_csr(struct room *r, enum key_type type);
struct credential_view room_authority(struct room *r, const char *name, const char *issuer);
struct bundle_view room_bundle(struct room *r, const char *name, const char *authority);
/* Slot "tls" (/prod/pg/{instance}/server, {instance}.pg.example) of /prod/pg/ca, store "trust" of
 * /prod/pg/trust; makes authority and bundle if they are not there. */
struct deployment_view room_deployment(struct room *r, const char *name);
const char *room_token(struct room *r, const char *deployment, const char *instance);
/* An instance joins; its principal. */
struct msg_enrolled room_enroll(struct room *r, const char *deployment, const char *name);
struct principal room_agent(struct room *r, const struct msg_enrolled *m);
/* The newest audit row's action. */
const char *room_last_audit(struct room *r);
size_t room_audit_count(struct room *r);
/* A snapshot for looking at rows. */
struct tx *room_read(struct room *r);
void room_read_end(struct room *r, struct tx *tx);

#endif
