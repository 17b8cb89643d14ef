/* What the writer keeps between two transactions.
 *
 * The view is only an index: whenever it may differ from the rows (a failed commit, a verb that
 * failed after it had touched it) it is thrown away here and made again from the rows at the next
 * service_begin.  Topics wait in an arena until the commit is durable. */
#include "service/inside.h"

enum { PENDING_TOPICS_BYTES = 64 << 20 }; /* one batch on 100,000 instances: 10 MiB */

static troth_rc note_epoch(struct service *svc, struct tx *tx, struct troth_err *e)
{
	int64_t epoch;
	TRY(store_epoch(tx, &epoch, e));
	(void)snprintf(svc->epoch, sizeof svc->epoch, "%lld", (long long)epoch);
	return RC_OK;
}

static troth_rc read_epoch(struct service *svc, struct troth_err *e)
{
	struct tx *tx;
	TRY(service_read_begin(svc, &tx, e));
	troth_rc rc = note_epoch(svc, tx, e);
	store_read_end(tx);
	return rc;
}

troth_rc service_new(struct store *store, const struct server_port *port, struct service **ret,
		     struct troth_err *e)
{
	struct service *svc = calloc(1, sizeof *svc);
	ENSURE(svc, e, TROTH_UNAVAILABLE, "no memory for the service");
	svc->store = store;
	svc->port = port;
	svc->pending = arena_new(PENDING_TOPICS_BYTES);
	troth_rc rc = store_reader_open(store, &svc->reader, e);
	if (rc_ok(rc))
		rc = read_epoch(svc, e);
	if (rc_failed(rc)) {
		service_free(svc);
		return rc;
	}
	*ret = svc;
	return RC_OK;
}

void service_free(struct service *svc)
{
	if (!svc)
		return;
	service_drop_view(svc);
	store_reader_close(svc->reader);
	arena_free(svc->pending);
	free(svc);
}

void service_freep(struct service **svc)
{
	service_free(*svc);
	*svc = NULL;
}

struct store *service_store(struct service *svc) { return svc->store; }
const char *service_epoch(const struct service *svc) { return svc->epoch; }
const struct view *service_view(const struct service *svc) { return svc->view; }

troth_rc service_read_begin(struct service *svc, struct tx **ret_tx, struct troth_err *e)
{
	return store_read_begin(svc->reader, ret_tx, e);
}

troth_rc service_begin(struct service *svc, struct tx *tx, struct troth_err *e)
{
	if (svc->view)
		return RC_OK;
	struct view *view = view_new();
	troth_rc rc = facts_rebuild(tx, view, e);
	if (rc_ok(rc))
		rc = note_epoch(svc, tx, e); /* a new one may have begun */
	if (rc_failed(rc)) {
		view_free(view);
		return rc;
	}
	svc->view = view;
	return RC_OK;
}

void service_drop_view(struct service *svc)
{
	view_free(svc->view);
	svc->view = NULL;
	svc->waits.known = false;
}

static void topics_clear(struct service *svc)
{
	arena_reset(svc->pending);
	svc->topics = NULL;
	svc->topic_count = 0;
	svc->effects = false;
}

void service_drop(struct service *svc)
{
	service_drop_view(svc);
	topics_clear(svc);
}

troth_rc service_check_view(struct service *svc, struct tx *tx, struct troth_err *e)
{
	if (!svc->view)
		return RC_OK;
	struct view *fresh = view_new();
	char why[300] = "";
	troth_rc rc = facts_rebuild(tx, fresh, e);
	if (rc_ok(rc) && !view_equal(svc->view, fresh, why, sizeof why))
		rc = err_set(e, TROTH_INTERNAL, "the engine's view differs from the rows: %s", why);
	view_free(fresh);
	return rc;
}

/* -- topics --------------------------------------------------------------------------------------- */
void service_topic(struct service *svc, const char *topic)
{
	struct verb_topic *t = ARENA_NEW(svc->pending, struct verb_topic);
	(void)text_copy(t->name, sizeof t->name, topic); /* made by verb_publish: it fits */
	t->next = svc->topics;
	svc->topics = t;
	svc->topic_count++;
}

void service_committed(struct service *svc, struct arena *a, struct service_committed *ret)
{
	const char **all = ARENA_ARRAY(a, const char *, svc->topic_count + 1);
	size_t n = 0, kept = 0;
	for (const struct verb_topic *t = svc->topics; t; t = t->next)
		all[n++] = arena_text(a, t->name);
	qsort(all, n, sizeof *all, text_order);
	for (size_t i = 0; i < n; i++)
		if (kept == 0 || strcmp(all[kept - 1], all[i]) != 0)
			all[kept++] = all[i];
	*ret = (struct service_committed){ .topics = all, .topic_count = kept, .effects = svc->effects };
	topics_clear(svc);
}
