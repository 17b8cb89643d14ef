/* The server's side of the world. */
#ifndef TROTH_SIM_SIDE_SERVER_H
#define TROTH_SIM_SIDE_SERVER_H

#include "keeper/keeper.h"
#include "service/agent.h"
#include "service/explain.h"
#include "service/holder.h"
#include "service/nouns.h"
#include "service/rotation.h"
#include "service/service.h"
#include "sim.h"
#include "store/store.h"
#include "vfs.h"

enum { SIM_HELD = 4096 };

struct held { struct node *n; uint32_t node_life, ticket; int64_t session, after; msec_t until; char topic[TOPIC_LEN]; };

struct server {
	struct sim_vfs *disk;
	struct store *store;
	struct store_reader *reader;
	struct service *svc;
	struct keeper_state *keeper;
	struct server_port port;
	struct verb_keeper line;
	struct principal admin;
	bool up, effects;
	bool restoring;       /* when it starts again, it is from its backup */
	bool was_restored;    /* once at least */
	int64_t note_epoch, note_audit; /* the note beside the database, as app/note.c keeps it: every ten seconds */
	msec_t noted;
	uint32_t life;
	struct held held[SIM_HELD];
	size_t held_count;
};

/* Runs a verb; UNAVAILABLE if the server is down or dies meanwhile.  ctx: zeros, or options.wait and last_chance. */
troth_rc server_do(struct sim *s, struct arena *a, const struct principal *who, const struct verb *verb, const void *cmd,
		   void *ret, struct verb_ctx *ctx, struct troth_err *e);
/* A deployment with the templates of that name; lease 0: not of ephemerals. */
troth_rc server_deployment(struct sim *s, struct arena *a, const char *name, msec_t lease, struct troth_err *e);
/* A snapshot of the rows; NULL if there is none to be had now. */
struct tx *server_read(struct sim *s);
void server_read_end(struct tx *tx);

#endif
