/* A queue, a few threads, a list of results, an eventfd. */
#include "agent/probes.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "pki/pki.h"
#include "probe/probe.h"

enum { JOBS_MAX = 2 * LIMIT_TARGETS_PER_INSTANCE, LOOK_ARENA = 4 << 20 };

struct sight {
	char shown[LIMIT_CHAIN_CERTS][SHA256_HEX_LEN];
	size_t shown_count;
	bool refused;
	char why[320];
};

struct look {
	struct look *next;
	uint32_t ticket;
	char host[PROFILE_ADDRESSES][256], name[256];
	size_t count;
	int port;
	enum probe_starttls starttls;
	struct sight at[PROFILE_ADDRESSES];
};

struct list { struct look *first, **last; };

struct probes {
	pthread_mutex_t mutex;
	pthread_cond_t more;
	pthread_t threads[PROBES_THREADS];
	int thread_count, fd;
	bool ending;
	size_t jobs;
	struct list todo, done;
};

static void list_add(struct list *l, struct look *x)
{
	x->next = NULL;
	*l->last = x;
	l->last = &x->next;
}

static struct look *list_take(struct list *l)
{
	struct look *x = l->first;
	if (x && (l->first = x->next) == NULL)
		l->last = &l->first;
	return x;
}

static void look_one(struct arena *a, struct look *x, size_t i)
{
	struct probe_request r = { x->host[i], x->port, x->starttls, x->name, PROBES_LOOK_MS };
	struct probe_seen seen;
	struct troth_err e = { 0 };
	uint8_t hash[SHA256_LEN];
	if (rc_failed(probe_tls(a, &r, &seen, &e))) {
		x->at[i].refused = e.kind == TROTH_UNAVAILABLE;
		(void)text_copy(x->at[i].why, sizeof x->at[i].why, e.primary); /* same size */
		return;
	}
	for (size_t k = 0; k < seen.chain_count; k++) {
		pki_sha256(seen.chain[k], hash);
		hex_encode(hash, sizeof hash, x->at[i].shown[x->at[i].shown_count++]);
	}
}

static void look_all(struct look *x)
{
	struct arena *a = arena_new(LOOK_ARENA);
	for (size_t i = 0; i < x->count; i++) {
		arena_reset(a);
		look_one(a, x, i);
	}
	arena_free(a);
}

static void *work(void *self)
{
	struct probes *p = self;
	pthread_mutex_lock(&p->mutex);
	while (!p->ending) {
		struct look *x = list_take(&p->todo);
		if (!x) {
			pthread_cond_wait(&p->more, &p->mutex);
			continue;
		}
		pthread_mutex_unlock(&p->mutex);
		look_all(x);
		pthread_mutex_lock(&p->mutex);
		list_add(&p->done, x);
		uint64_t one = 1;
		ssize_t n = write(p->fd, &one, sizeof one); /* the counter does not overflow */
		(void)n;
	}
	pthread_mutex_unlock(&p->mutex);
	return NULL;
}

troth_rc probes_new(struct probes **ret, struct troth_err *e)
{
	struct probes *p = calloc(1, sizeof *p);
	ENSURE(p, e, TROTH_UNAVAILABLE, "out of memory");
	p->todo.last = &p->todo.first;
	p->done.last = &p->done.first;
	pthread_mutex_init(&p->mutex, NULL);
	pthread_cond_init(&p->more, NULL);
	p->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	int why = p->fd < 0 ? errno : 0;
	while (!why && p->thread_count < PROBES_THREADS)
		if ((why = pthread_create(&p->threads[p->thread_count], NULL, work, p)) == 0)
			p->thread_count++;
	if (why) {
		probes_free(p);
		return err_errno(e, why, "could not start the threads that look at services");
	}
	*ret = p;
	return RC_OK;
}

void probes_free(struct probes *p)
{
	if (!p)
		return;
	pthread_mutex_lock(&p->mutex);
	p->ending = true;
	pthread_cond_broadcast(&p->more);
	pthread_mutex_unlock(&p->mutex);
	for (int i = 0; i < p->thread_count; i++)
		pthread_join(p->threads[i], NULL);
	for (struct look *x; (x = list_take(&p->todo)) != NULL || (x = list_take(&p->done)) != NULL;)
		free(x);
	if (p->fd >= 0)
		close(p->fd);
	pthread_cond_destroy(&p->more);
	pthread_mutex_destroy(&p->mutex);
	free(p);
}

int probes_fd(const struct probes *p) { return p->fd; }

static troth_rc look_fill(struct look *x, const struct place *place, struct troth_err *e)
{
	x->count = place->address_count;
	x->port = place->port;
	x->starttls = place->starttls;
	bool fits = text_copy(x->name, sizeof x->name, place->server_name);
	for (size_t i = 0; i < x->count; i++)
		fits = fits && text_copy(x->host[i], sizeof x->host[i], place->addresses[i]);
	ENSURE(fits, e, TROTH_INVALID, "a probe address is too long");
	return RC_OK;
}

troth_rc probes_look(struct probes *p, uint32_t ticket, const struct place *place, struct troth_err *e)
{
	ENSURE(p->jobs < JOBS_MAX, e, TROTH_BUSY, "too many looks at services at once");
	struct look *x = calloc(1, sizeof *x);
	ENSURE(x, e, TROTH_UNAVAILABLE, "out of memory");
	x->ticket = ticket;
	troth_rc rc = look_fill(x, place, e);
	if (rc_failed(rc)) {
		free(x);
		return rc;
	}
	p->jobs++;
	pthread_mutex_lock(&p->mutex);
	list_add(&p->todo, x);
	pthread_cond_signal(&p->more);
	pthread_mutex_unlock(&p->mutex);
	return RC_OK;
}

bool probes_take(struct probes *p, struct arena *a, struct agent_probed *ret)
{
	uint64_t count;
	pthread_mutex_lock(&p->mutex);
	struct look *x = list_take(&p->done);
	if (!x) {
		ssize_t n = read(p->fd, &count, sizeof count); /* back to zero; EAGAIN if it is */
		(void)n;
	}
	pthread_mutex_unlock(&p->mutex);
	if (!x)
		return false;
	p->jobs--;
	*ret = (struct agent_probed){ .ticket = x->ticket };
	for (size_t i = 0; i < x->count; i++) {
		const struct sight *seen = &x->at[i];
		struct json_texts shown = { ARENA_ARRAY(a, const char *, seen->shown_count + 1), seen->shown_count };
		for (size_t k = 0; k < shown.count; k++)
			shown.items[k] = arena_text(a, seen->shown[k]);
		ret->at[i] = (struct agent_sight){ shown, seen->refused, arena_text(a, seen->why) };
	}
	free(x);
	return true;
}
