/* What the files of the rotating half share and nobody else sees: the service's insides.
 *
 * The nouns next door (authority, bundle, enroll ...) do not include this: they write rows and call
 * verb_changed().  Here is where rows become facts and acts become rows. */
#ifndef TROTH_SERVICE_INSIDE_H
#define TROTH_SERVICE_INSIDE_H

#include "service/names.h"
#include "service/service.h"
#include "store/store.h"

struct verb_change {
	enum verb_noun noun;
	int64_t id, id2;
	struct verb_change *next;
};

struct verb_topic {
	char name[TOPIC_LEN];
	struct verb_topic *next;
};

/* What the table `wait` holds (waits.c): a number for the name and one for the content of each row. */
struct written_wait { uint64_t name, content; int64_t id; bool kept; };
struct written_waits { bool known; size_t count; struct written_wait items[LIMIT_PAGE]; };

struct service {
	struct store *store;
	struct store_reader *reader;     /* verb_run's own snapshots */
	const struct server_port *port;
	char epoch[32];                  /* decimal */
	struct view *view;               /* NULL: rebuild before use */
	bool touched;                    /* the running verb has changed the view */
	struct arena *pending;           /* topics until the commit */
	struct verb_topic *topics;
	size_t topic_count;
	bool effects;                    /* the outbox was written to */
	struct written_waits waits;
};

/* A reader transaction on the service's own connection. */
troth_rc service_read_begin(struct service *svc, struct tx **ret_tx, struct troth_err *e);
void service_drop_view(struct service *svc); /* the view only; topics of good verbs stay */
void service_topic(struct service *svc, const char *topic);

/* Applies what verb_changed() noted so far; a verb calls it when it must ask the view before it ends
 * (admission).  If the verb fails later the view is dropped. */
troth_rc verb_apply_changes(struct verb_ctx *ctx, struct troth_err *e);

/* -- facts.c: rows -> facts ------------------------------------------------------------------ */
troth_rc facts_apply_change(struct service *svc, struct tx *tx, struct arena *a, const struct verb_change *change,
			    struct troth_err *e);
/* Everything, in an order that the engine accepts, into an empty view. */
troth_rc facts_rebuild(struct tx *tx, struct view *view, struct troth_err *e);
/* One target from its rows: itself, base, pending documents, staged chains, what it was asked for. */
troth_rc facts_target(struct tx *tx, struct arena *a, struct view *view, int64_t target_id, struct troth_err *e);
/* A chain or a set; before a document that names it. */
troth_rc facts_content(struct tx *tx, struct arena *a, struct view *view, int64_t content_id, struct troth_err *e);
/* How a deployment may change. */
troth_rc facts_rolling(struct tx *tx, struct arena *a, struct view *view, int64_t deployment_id, struct troth_err *e);
/* All versions of an authority and what depends on their labels; of a leaf its chains. */
troth_rc facts_credential(struct tx *tx, struct arena *a, struct view *view, int64_t credential_id, struct troth_err *e);
/* The authority of a rotation, and what its steps hold besides. */
troth_rc facts_rotation(struct tx *tx, struct arena *a, struct view *view, const struct rotation_row *rotation, struct troth_err *e);

#endif
