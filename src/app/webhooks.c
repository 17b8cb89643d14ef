/* The sender's thread.  A hook is one webhook with something to send, while it has: asking for its next message, sending it,
 * telling what came of it, and again; when there is nothing more it is forgotten.
 *
 * Verbs end on the pipeline's threads: their answers are copied there, under the lock, and handed to this thread by its eventfd.
 * What this thread asks of the pipeline and the store it asks inside the gate, which webhooks_stop closes: after that nothing of
 * theirs is touched, whatever this thread is still waiting for. */
#include "app/webhooks.h"

#include <errno.h>
#include <event2/event.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "edge/client.h"
#include "service/webhook/webhook.h"

enum { LOOK_AGAIN_S = 60, SULK_MS = 5000, JOIN_MS = 500, HOOK_BYTES = 4 << 20 };

struct hook {
	struct hook *next;
	struct webhooks *w;
	char uuid[UUID_LEN];
	struct arena *a;                 /* of one message */
	struct webhook_next_ret message; /* lives in a */
	struct http_client *client;      /* kept from one message to the next */
	msec_t sent;
	struct hook *next_ended;         /* in the list of those whose verb has ended */
	bool telling;                    /* that verb was the result, else the next message */
	troth_rc rc;                     /* how it ended */
	struct troth_err err;
};

struct webhooks {
	struct pipeline *pipeline;
	struct store_reader *reader;
	const struct port_clock *clock;
	struct event_base *base;
	struct event *woken, *timer;
	int eventfd;
	pthread_t thread;
	bool started, lost;              /* lost: it waits for a name and was not waited for */
	struct hook *hooks;
	msec_t sulk_until;               /* monotonic: a verb has failed; what is wrong is not made better by haste */
	pthread_mutex_t gate;
	bool closed;                     /* inside the gate */
	pthread_mutex_t lock;
	struct hook *ended;              /* under the lock */
};

static void look(struct webhooks *w);

/* -- hooks ------------------------------------------------------------------------------------------------------ */
static struct hook *hook_find(struct webhooks *w, const char *uuid)
{
	for (struct hook *h = w->hooks; h; h = h->next)
		if (strcmp(h->uuid, uuid) == 0)
			return h;
	return NULL;
}

static struct hook *hook_new(struct webhooks *w, const char *uuid)
{
	struct hook *h = calloc(1, sizeof *h);
	CHECK(h);
	h->w = w;
	h->a = arena_new(HOOK_BYTES);
	(void)text_copy(h->uuid, sizeof h->uuid, uuid); /* a UUID fits a UUID */
	h->next = w->hooks;
	w->hooks = h;
	return h;
}

static void hook_free(struct hook *h)
{
	struct hook **at = &h->w->hooks;
	while (*at != h)
		at = &(*at)->next;
	*at = h->next;
	http_client_free(h->client);
	arena_free(h->a);
	free(h);
}

static void wake(struct webhooks *w)
{
	uint64_t one = 1;
	ssize_t n = write(w->eventfd, &one, sizeof one);
	(void)n; /* a full counter wakes as well */
}

/* -- verbs --------------------------------------------------------------------------------------------------------- */
static void copy_message(struct hook *h, const struct webhook_next_ret *n)
{
	h->message = *n;
	h->message.name = arena_text(h->a, n->name);
	h->message.url = arena_text(h->a, n->url);
	h->message.ca_pem = arena_text(h->a, n->ca_pem);
	h->message.id = arena_text(h->a, n->id);
	h->message.body = arena_text(h->a, n->body);
	h->message.signature = arena_text(h->a, n->signature);
}

/* On a thread of the pipeline, or on ours when it does not take the verb. */
static void on_verb(void *self, troth_rc rc, const void *ret, const struct troth_err *e)
{
	struct hook *h = self;
	h->rc = rc;
	if (rc_failed(rc))
		h->err = *e;
	else if (!h->telling)
		copy_message(h, ret);
	h->err.findings = NULL; /* they live in the job's arena */
	pthread_mutex_lock(&h->w->lock);
	h->next_ended = h->w->ended;
	h->w->ended = h;
	pthread_mutex_unlock(&h->w->lock);
	wake(h->w);
}

/* false: the gate is closed, and h is not to be heard of again before webhooks_free. */
static bool submit(struct hook *h, const struct verb *verb, const void *cmd, struct arena *a)
{
	struct webhooks *w = h->w;
	pthread_mutex_lock(&w->gate);
	bool open = !w->closed;
	if (open)
		pipeline_submit(w->pipeline, verb, a, cmd, on_verb, h);
	pthread_mutex_unlock(&w->gate);
	if (!open)
		arena_free(a);
	return open;
}

static void ask(struct hook *h)
{
	struct arena *a = arena_new(LIMIT_REQUEST_ARENA_BYTES);
	struct webhook_next_cmd cmd = { arena_text(a, h->uuid) };
	arena_reset(h->a);
	h->telling = false;
	(void)submit(h, &VERB_WEBHOOK_NEXT, &cmd, a); /* refused: the server stops */
}

static void tell(struct hook *h, int status, const char *error)
{
	struct arena *a = arena_new(LIMIT_REQUEST_ARENA_BYTES);
	struct webhook_result_cmd cmd = { .uuid = arena_text(a, h->uuid), .seq = h->message.seq, .test = h->message.test, .status = status,
					  .error = arena_text(a, error), .took = port_mono(h->w->clock) - h->sent };
	h->telling = true;
	LOG(status >= 200 && status < 300 ? LOG_LEVEL_DEBUG : LOG_LEVEL_INFO, "webhook.sent", LOG_S("name", h->message.name), LOG_I("seq", h->message.seq),
	    LOG_I("status", status), LOG_S("why", error));
	(void)submit(h, &VERB_WEBHOOK_RESULT, &cmd, a);
}

/* -- one POST -------------------------------------------------------------------------------------------------------- */
static void on_answer(void *self, troth_rc rc, const struct http_answer *answer, struct arena *a, const struct troth_err *e)
{
	struct hook *h = self;
	if (rc_failed(rc))
		tell(h, 0, e->primary);
	else
		tell(h, answer->status, NULL);
}

/* Made at the first message; URL and CAs of a webhook never change. */
static troth_rc client_make(struct hook *h, const struct webhook_url *url, struct troth_err *e)
{
	if (h->client)
		return RC_OK;
	const struct http_client_config config = {
		.server = webhook_url_server(h->a, url), .plain = url->plain, .ca_pem = bytes_of_text(h->message.ca_pem ? h->message.ca_pem : ""),
		.foreign = true, .system_anchors = !h->message.ca_pem, .may_dial = url->plain ? webhook_may_dial_plain : webhook_may_dial,
		.head_suffices = true, .max_reply_bytes = LIMIT_WEBHOOK_REPLY_BYTES, .timeout = LIMIT_WEBHOOK_TIMEOUT_S * MSEC_S,
	};
	return http_client_new(h->w->base, &config, &h->client, e);
}

static troth_rc post(struct hook *h, struct troth_err *e)
{
	const struct webhook_next_ret *m = &h->message;
	struct webhook_url url;
	const char *fault = webhook_url_parse(m->url, &url);
	ENSURE(!fault, e, TROTH_INVALID, "the URL %s", fault);
	TRY(client_make(h, &url, e));
	const struct http_pair headers[] = { { "webhook-id", m->id },
					     { "webhook-timestamp", arena_printf(h->a, "%lld", (long long)m->timestamp) },
					     { "webhook-signature", m->signature } };
	const struct http_outgoing out = { .method = HTTP_POST, .target = url.target, .body = bytes_of_text(m->body),
					   .headers = { headers, ARRAY_LEN(headers) } };
	h->sent = port_mono(h->w->clock);
	return http_client_send(h->client, &out, on_answer, h, NULL, e);
}

/* -- what a verb's end means --------------------------------------------------------------------------------------------- */
static void sulk(struct hook *h)
{
	log_err(LOG_LEVEL_WARN, "webhook.stuck", &h->err); /* the keeper or the disk: everybody has that trouble now */
	h->w->sulk_until = port_mono(h->w->clock) + SULK_MS;
	hook_free(h);
}

static void go_on(struct hook *h)
{
	struct troth_err e = { 0 };
	if (rc_failed(h->rc))
		sulk(h);
	else if (h->telling)
		ask(h);
	else if (!h->message.message)
		hook_free(h);
	else if (rc_failed(post(h, &e)))
		tell(h, 0, e.primary);
}

static void take_ended(struct webhooks *w)
{
	pthread_mutex_lock(&w->lock);
	struct hook *list = w->ended;
	w->ended = NULL;
	pthread_mutex_unlock(&w->lock);
	while (list) {
		struct hook *next = list->next_ended;
		go_on(list);
		list = next;
	}
}

/* -- who is due ------------------------------------------------------------------------------------------------------------ */
static troth_rc read_due(struct webhooks *w, struct arena *a, struct webhook_due_ret *ret, struct troth_err *e)
{
	struct no_cmd none = { 0 };
	struct tx *tx;
	TRY(store_read_begin(w->reader, &tx, e));
	troth_rc rc = pipeline_read(w->pipeline, tx, a, &VERB_WEBHOOK_DUE, &none, ret, e);
	store_read_end(tx);
	return rc;
}

/* false: the gate is closed, or the store cannot be read. */
static bool find_due(struct webhooks *w, struct arena *a, struct webhook_due_ret *ret)
{
	struct troth_err e = { 0 };
	troth_rc rc = RC_OK;
	pthread_mutex_lock(&w->gate);
	bool open = !w->closed;
	if (open)
		rc = read_due(w, a, ret, &e);
	pthread_mutex_unlock(&w->gate);
	if (rc_failed(rc))
		log_err(LOG_LEVEL_WARN, "webhook.stuck", &e);
	return open && rc_ok(rc);
}

static void look_again_in(struct webhooks *w, msec_t ms)
{
	msec_t most = LOOK_AGAIN_S * MSEC_S; /* the wall clock may be set meanwhile */
	ms = ms < 0 ? 0 : ms > most ? most : ms;
	struct timeval tv = { ms / MSEC_S, (ms % MSEC_S) * 1000 };
	event_add(w->timer, &tv);
}

static void look(struct webhooks *w)
{
	CLEANUP(arena_freep) struct arena *a = arena_new(LIMIT_REQUEST_ARENA_BYTES);
	struct webhook_due_ret due = { 0 };
	msec_t now = port_now(w->clock), sulking = w->sulk_until - port_mono(w->clock), soonest = LOOK_AGAIN_S * MSEC_S;
	if (sulking > 0) {
		look_again_in(w, sulking);
		return;
	}
	bool found = find_due(w, a, &due);
	for (size_t i = 0; found && i < due.count; i++) {
		msec_t in = due.items[i].due - now;
		if (hook_find(w, due.items[i].uuid))
			continue;
		if (in <= 0)
			ask(hook_new(w, due.items[i].uuid));
		else
			soonest = in < soonest ? in : soonest;
	}
	look_again_in(w, found ? soonest : SULK_MS);
}

static bool is_closed(struct webhooks *w)
{
	pthread_mutex_lock(&w->gate);
	bool closed = w->closed;
	pthread_mutex_unlock(&w->gate);
	return closed;
}

static void on_woken(evutil_socket_t fd, short what, void *self)
{
	struct webhooks *w = self;
	uint64_t count;
	ssize_t n = read(w->eventfd, &count, sizeof count);
	(void)n; /* nobody else reads it; EAGAIN is as good */
	if (is_closed(w)) {
		event_base_loopbreak(w->base);
		return;
	}
	take_ended(w);
	look(w);
}

static void on_timer(evutil_socket_t fd, short what, void *self) { look(self); }

/* -- life --------------------------------------------------------------------------------------------------------------------- */
static void *webhooks_main(void *self)
{
	struct webhooks *w = self;
	sigset_t all;
	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, NULL);
	look(w);
	event_base_loop(w->base, EVLOOP_NO_EXIT_ON_EMPTY);
	for (struct hook *h = w->hooks; h; h = h->next) { /* on this thread, as their connections are its own */
		http_client_free(h->client);
		h->client = NULL;
	}
	return NULL;
}

troth_rc webhooks_new(struct pipeline *p, struct store *store, const struct port_clock *clock, struct webhooks **ret, struct troth_err *e)
{
	struct webhooks *w = calloc(1, sizeof *w);
	CHECK(w);
	*ret = w; /* the caller frees it either way */
	w->pipeline = p;
	w->clock = clock;
	pthread_mutex_init(&w->gate, NULL);
	pthread_mutex_init(&w->lock, NULL);
	w->eventfd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (w->eventfd < 0)
		return err_errno(e, errno, "could not make an event descriptor");
	w->base = event_base_new();
	CHECK(w->base);
	w->woken = event_new(w->base, w->eventfd, EV_READ | EV_PERSIST, on_woken, w);
	w->timer = event_new(w->base, -1, 0, on_timer, w);
	CHECK(w->woken && w->timer);
	event_add(w->woken, NULL);
	return store_reader_open(store, &w->reader, e);
}

troth_rc webhooks_start(struct webhooks *w, struct troth_err *e)
{
	int why = pthread_create(&w->thread, NULL, webhooks_main, w);
	if (why)
		return err_errno(e, why, "could not start the thread of the webhooks");
	w->started = true;
	return RC_OK;
}

void webhooks_wake(struct webhooks *w)
{
	if (w)
		wake(w);
}

void webhooks_stop(struct webhooks *w)
{
	struct timespec until;
	if (!w)
		return;
	pthread_mutex_lock(&w->gate);
	w->closed = true;
	pthread_mutex_unlock(&w->gate);
	wake(w);
	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_nsec += JOIN_MS * 1000000;
	until.tv_sec += until.tv_nsec / 1000000000;
	until.tv_nsec %= 1000000000;
	if (w->started)
		w->lost = pthread_clockjoin_np(w->thread, NULL, CLOCK_MONOTONIC, &until) != 0;
	w->started = false;
	store_reader_close(w->reader); /* nobody is inside the gate any more */
	w->reader = NULL;
}

void webhooks_free(struct webhooks *w)
{
	if (!w)
		return;
	webhooks_stop(w);
	if (w->lost)
		return;
	while (w->hooks)
		hook_free(w->hooks);
	if (w->woken)
		event_free(w->woken);
	if (w->timer)
		event_free(w->timer);
	if (w->base)
		event_base_free(w->base);
	if (w->eventfd >= 0)
		close(w->eventfd);
	pthread_mutex_destroy(&w->gate);
	pthread_mutex_destroy(&w->lock);
	free(w);
}
