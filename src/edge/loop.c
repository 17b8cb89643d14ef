/* A loop: one thread, one event base, its connections, and the queue through which others reach it. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <netinet/in.h>
#include <signal.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/text.h"
#include "edge/internal.h"

enum { ACCEPT_PAUSE_MS = 100 };

void loop_signal(struct edge_loop *loop)
{
	uint64_t one = 1;
	ssize_t n = write(loop->eventfd, &one, sizeof one);
	(void)n; /* a full counter is a signal too */
}

/* -- accepting ------------------------------------------------------------------------------------ */
static void peer_text(const struct sockaddr_storage *ss, char out[64])
{
	char host[INET6_ADDRSTRLEN] = "?";
	if (ss->ss_family == AF_INET6) {
		const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)ss;
		inet_ntop(AF_INET6, &in6->sin6_addr, host, sizeof host);
		snprintf(out, 64, "[%s]:%d", host, ntohs(in6->sin6_port));
	} else {
		const struct sockaddr_in *in = (const struct sockaddr_in *)ss;
		inet_ntop(AF_INET, &in->sin_addr, host, sizeof host);
		snprintf(out, 64, "%s:%d", host, ntohs(in->sin_port));
	}
}

static bool start_accepting(struct edge_loop *loop)
{
	for (int i = 0; i < EDGE_LISTENERS; i++)
		if (loop->accept[i] && event_add(loop->accept[i], NULL) != 0)
			return false;
	return true;
}

static void stop_accepting(struct edge_loop *loop)
{
	for (int i = 0; i < EDGE_LISTENERS; i++)
		if (loop->accept[i])
			event_del(loop->accept[i]);
}

/* No descriptors left: a level-triggered listener would spin, so look away for a moment. */
static void pause_accepting(struct edge_loop *loop)
{
	struct timeval tv = msec_timeval(ACCEPT_PAUSE_MS);
	stop_accepting(loop);
	event_add(loop->accept_pause, &tv);
}

static void on_accept_pause(evutil_socket_t fd, short what, void *self)
{
	struct edge_loop *loop = self;
	if (!loop->stopping)
		(void)start_accepting(loop); /* it was added before */
}

/* A few at a time, so that a storm of handshakes leaves turns for those who are in. */
static void on_accept(evutil_socket_t listener, short what, void *self)
{
	struct edge_loop *loop = self;
	struct edge_server *s = loop->server;
	for (int i = 0; i < LOOP_ACCEPTS; i++) {
		struct sockaddr_storage ss;
		socklen_t len = sizeof ss;
		char peer[64];
		int fd = accept4(listener, (struct sockaddr *)&ss, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd < 0) {
			if (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS)
				pause_accepting(loop);
			return;
		}
		if (atomic_fetch_add(&s->connections, 1) >= s->connections_most) {
			atomic_fetch_sub(&s->connections, 1);
			close(fd);
			continue;
		}
		peer_text(&ss, peer);
		edge_conn_accept(loop, fd, listener == s->fds[EDGE_LISTEN_PLAIN], peer);
	}
}

/* -- holding ---------------------------------------------------------------------------------------- */
static unsigned topic_bucket(const char *name)
{
	uint32_t h = 2166136261u; /* FNV-1a */
	for (; *name; name++)
		h = (h ^ (uint8_t)*name) * 16777619u;
	return h % TOPIC_BUCKETS;
}

static struct edge_topic **topic_find(struct edge_loop *loop, const char *name)
{
	struct edge_topic **at = &loop->topics[topic_bucket(name)];
	while (*at && strcmp((*at)->name, name) != 0)
		at = &(*at)->next;
	return at;
}

/* Topics that nobody of the bucket waits for any longer go when the next one comes. */
static void topics_sweep(struct edge_topic **at)
{
	while (*at) {
		struct edge_topic *t = *at;
		if (t->held) {
			at = &t->next;
			continue;
		}
		*at = t->next;
		free(t);
	}
}

void loop_hold(struct edge_loop *loop, struct edge_conn *c, const char *topic)
{
	topics_sweep(&loop->topics[topic_bucket(topic)]);
	struct edge_topic **at = topic_find(loop, topic), *t = *at;
	if (!t) {
		t = calloc(1, sizeof *t);
		CHECK(t);
		snprintf(t->name, sizeof t->name, "%s", topic);
		*at = t;
	}
	c->topic = t;
	c->held_at = &t->held;
	c->held_next = t->held;
	if (c->held_next)
		c->held_next->held_at = &c->held_next;
	t->held = c;
}

static void wake_topic(struct edge_loop *loop, const char *name)
{
	struct edge_topic *t = *topic_find(loop, name);
	while (t && t->held) {
		struct edge_conn *c = t->held;
		t->held = c->held_next;
		if (t->held)
			t->held->held_at = &t->held;
		c->held_at = NULL;
		c->topic = NULL;
		c->resumed = true;
		c->wake_next = NULL;
		*loop->wake_last = c;
		loop->wake_last = &c->wake_next;
	}
}

/* evhttp's lesson (limits.md 5): nothing is written before a callback returns, so wake in slices. */
static void on_wake(evutil_socket_t fd, short what, void *self)
{
	struct edge_loop *loop = self;
	for (int i = 0; i < LIMIT_FANOUT_SLICE && loop->wake_first; i++)
		edge_conn_resume(loop->wake_first, false); /* takes itself off the list */
	if (loop->wake_first)
		event_active(loop->wake_event, EV_TIMEOUT, 0);
}

/* -- the queue ---------------------------------------------------------------------------------------- */
static void on_grace(evutil_socket_t fd, short what, void *self)
{
	struct edge_loop *loop = self;
	event_base_loopbreak(loop->base);
}

static void begin_stop(struct edge_loop *loop)
{
	struct timeval tv = msec_timeval(atomic_load(&loop->server->grace));
	loop->stopping = true;
	stop_accepting(loop);
	event_add(loop->grace, &tv);
	for (struct edge_conn *c = loop->conns, *next; c; c = next) {
		next = c->next;
		edge_conn_stop(c);
	}
}

static void on_queue(evutil_socket_t fd, short what, void *self)
{
	struct edge_loop *loop = self;
	uint64_t count;
	ssize_t n = read(fd, &count, sizeof count);
	(void)n;
	pthread_mutex_lock(&loop->lock);
	struct edge_call *calls = loop->queue;
	struct edge_topic_list topics = loop->published;
	bool stop = loop->stop;
	loop->queue = NULL;
	loop->queue_last = &loop->queue;
	loop->published = (struct edge_topic_list){ 0 };
	pthread_mutex_unlock(&loop->lock);
	while (calls) {
		struct edge_call *next = calls->next;
		edge_conn_returned(calls);
		calls = next;
	}
	for (size_t i = 0; i < topics.count; i++)
		wake_topic(loop, topics.names[i]);
	free(topics.names);
	if (loop->wake_first)
		event_active(loop->wake_event, EV_TIMEOUT, 0);
	if (stop && !loop->stopping)
		begin_stop(loop);
}

void edge_return(struct edge_server *s, struct edge_call *call)
{
	struct edge_loop *loop = &s->loops[call->loop];
	pthread_mutex_lock(&loop->lock);
	call->next = NULL;
	*loop->queue_last = call;
	loop->queue_last = &call->next;
	pthread_mutex_unlock(&loop->lock);
	loop_signal(loop);
}

static void topics_add(struct edge_topic_list *list, const char *const *topics, size_t count)
{
	if (list->count + count > list->room) {
		size_t room = (list->count + count) * 2;
		void *more = realloc(list->names, room * sizeof list->names[0]);
		CHECK(more);
		list->names = more;
		list->room = room;
	}
	for (size_t i = 0; i < count; i++)
		snprintf(list->names[list->count++], EDGE_TOPIC, "%s", topics[i]);
}

void edge_publish(struct edge_server *s, const char *const *topics, size_t count)
{
	for (unsigned i = 0; count && i < s->config.loops; i++) {
		struct edge_loop *loop = &s->loops[i];
		pthread_mutex_lock(&loop->lock);
		topics_add(&loop->published, topics, count);
		pthread_mutex_unlock(&loop->lock);
		loop_signal(loop);
	}
}

/* -- life ------------------------------------------------------------------------------------------- */
static bool events_make(struct edge_loop *loop)
{
	struct event_base *b = loop->base;
	bool listening = true;
	for (int i = 0; i < EDGE_LISTENERS; i++) {
		int fd = loop->server->fds[i];
		loop->accept[i] = fd >= 0 ? event_new(b, fd, EV_READ | EV_PERSIST, on_accept, loop) : NULL;
		listening = listening && (fd < 0 || loop->accept[i]);
	}
	loop->accept_pause = event_new(b, -1, 0, on_accept_pause, loop);
	loop->queue_event = event_new(b, loop->eventfd, EV_READ | EV_PERSIST, on_queue, loop);
	loop->wake_event = event_new(b, -1, 0, on_wake, loop);
	loop->grace = event_new(b, -1, 0, on_grace, loop);
	return listening && loop->accept_pause && loop->queue_event && loop->wake_event && loop->grace &&
	       start_accepting(loop) && event_add(loop->queue_event, NULL) == 0;
}

/* What came in or goes out passes through libevent's buffers, and a private key may be in it: none of its memory is given back as it is. */
static void wiping_free(void *p)
{
	if (p)
		secret_wipe(p, malloc_usable_size(p));
	free(p);
}

static void wipe_events(void) { event_set_mem_functions(malloc, realloc, wiping_free); }

/* EV_CLOSED needs epoll; its timers need no system call each. */
static struct event_base *base_make(void)
{
	struct event_config *cfg = event_config_new();
	if (!cfg)
		return NULL;
	event_config_require_features(cfg, EV_FEATURE_EARLY_CLOSE);
	event_config_set_flag(cfg, EVENT_BASE_FLAG_NOLOCK | EVENT_BASE_FLAG_EPOLL_USE_CHANGELIST);
	struct event_base *b = event_base_new_with_config(cfg);
	event_config_free(cfg);
	return b;
}

troth_rc loop_init(struct edge_loop *loop, struct edge_server *s, unsigned index, struct troth_err *e)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	pthread_once(&once, wipe_events);
	loop->server = s;
	loop->index = index;
	loop->queue_last = &loop->queue;
	loop->wake_last = &loop->wake_first;
	pthread_mutex_init(&loop->lock, NULL);
	loop->eventfd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	loop->base = base_make();
	ENSURE(loop->eventfd >= 0 && loop->base && events_make(loop), e, TROTH_UNAVAILABLE, "could not make an event loop");
	return RC_OK;
}

static void event_release(struct event *ev)
{
	if (ev)
		event_free(ev);
}

void loop_release(struct edge_loop *loop)
{
	if (!loop->server)
		return;
	while (loop->queue) { /* calls that came back after the loop had ended */
		struct edge_call *call = loop->queue;
		loop->queue = call->next;
		if (call->conn)
			call->conn->away = false; /* edge_conn_close below frees it */
		else
			arena_free(call->a);
	}
	while (loop->conns)
		edge_conn_close(loop->conns);
	for (int i = 0; i < EDGE_LISTENERS; i++)
		event_release(loop->accept[i]);
	event_release(loop->accept_pause);
	event_release(loop->queue_event);
	event_release(loop->wake_event);
	event_release(loop->grace);
	for (int i = 0; i < TOPIC_BUCKETS; i++)
		topics_sweep(&loop->topics[i]);
	free(loop->published.names);
	if (loop->base) {
		event_base_loop(loop->base, EVLOOP_NONBLOCK); /* libevent frees bufferevents in a turn of the loop */
		event_base_free(loop->base);
	}
	if (loop->eventfd >= 0)
		close(loop->eventfd);
	pthread_mutex_destroy(&loop->lock);
}

/* Ends at the grace's end, or when it stops and the last connection has gone. */
void *loop_main(void *self)
{
	struct edge_loop *loop = self;
	sigset_t all;
	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, NULL); /* signals are the main thread's */
	while (!event_base_got_break(loop->base) && !(loop->stopping && !loop->conns))
		if (event_base_loop(loop->base, EVLOOP_ONCE) != 0)
			break;
	return NULL;
}
