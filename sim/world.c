/* The queue, the clock, the network and the story; and one run from its beginning to its end. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "shrink.h"
#include "sim.h"
#include "base/log.h"

enum { SHORT_NODES = 30 };
enum { SETTLE_MS = 25 * 60 * 1000, ASK_MS = 5000, ARENA_BYTES = 256 << 20 };

/* -- dice: splitmix64 ------------------------------------------------------------------------------ */
uint64_t dice_roll(struct dice *d)
{
	uint64_t z = (d->state += UINT64_C(0x9e3779b97f4a7c15));
	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

int64_t dice_in(struct dice *d, int64_t from, int64_t to) { return from + (int64_t)(dice_roll(d) % (uint64_t)(to - from + 1)); }
bool dice_chance(struct dice *d, int per_mille) { return dice_in(d, 0, 999) < per_mille; }

/* -- randomness: of the ports and of OpenSSL, both from the seed ---------------------------------------- */
static struct sim *world; /* OpenSSL's method has no self */

static void fill(void *self, void *out, size_t len)
{
	uint8_t *p = out;
	for (size_t i = 0; i < len; i++)
		p[i] = (uint8_t)dice_roll(self);
}

static int rand_bytes(unsigned char *out, int len)
{
	fill(&world->entropy, out, (size_t)len);
	secret_drawn(world, out, (size_t)len);
	return 1;
}
static int rand_seed(const void *data, int len) { return 1; }
static int rand_add(const void *data, int len, double bits) { return 1; }
static int rand_status(void) { return 1; }

void randomness_seed(struct sim *s)
{
	static const RAND_METHOD method = { rand_seed, rand_bytes, NULL, rand_add, rand_bytes, rand_status };
	world = s;
	CHECK(RAND_set_rand_method(&method) == 1);
	s->random = (struct port_random){ &s->entropy, fill };
}

/* -- the story -------------------------------------------------------------------------------------------- */
void tell(struct sim *s, const char *fmt, ...)
{
	char *line = s->story[s->story_len++ % SIM_STORY];
	va_list ap;
	int n = snprintf(line, SIM_LINE, "%9.3f  ", (double)(s->now - s->began) / 1000);
	va_start(ap, fmt);
	(void)vsnprintf(line + n, (size_t)(SIM_LINE - n), fmt, ap);
	va_end(ap);
	for (const char *c = line; *c; c++)
		s->trace = (s->trace ^ (uint8_t)*c) * UINT64_C(1099511628211);
	if (s->o.verbose)
		printf("%s\n", line);
}

_Noreturn void violation(struct sim *s, const char *fmt, ...)
{
	va_list ap;
	if (!s->o.verbose)
		for (size_t i = s->story_len > SIM_STORY ? s->story_len - SIM_STORY : 0; i < s->story_len; i++)
			printf("  %s\n", s->story[i % SIM_STORY]);
	char text[400];
	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	printf("VIOLATION seed %llu at %.3f s: %s\nreplay: scripts/sim --one %llu --nodes %d%s%s\n", (unsigned long long)s->o.seed,
	       (double)(s->now - s->began) / 1000, text, (unsigned long long)s->o.seed, s->o.nodes, s->o.mutant ? " --mutant " : "",
	       s->o.mutant ? s->o.mutant : "");
	if (s->o.found)
		found_violation(s->o.found, fmt, text);
	fflush(stdout);
	_exit(3);
}

void must(struct sim *s, troth_rc rc, const struct troth_err *e, const char *what)
{
	if (rc_failed(rc))
		violation(s, "%s: %s (%s)", what, e->primary, e->hint);
}

/* -- the queue: a binary heap ----------------------------------------------------------------------------------- */
static bool before(const struct event *a, const struct event *b)
{
	return a->at != b->at ? a->at < b->at : a->order < b->order;
}

static void swap_events(struct sim *s, size_t i, size_t k)
{
	struct event *x = s->queue[i];
	s->queue[i] = s->queue[k];
	s->queue[k] = x;
}

struct event *event_add(struct sim *s, msec_t at, void (*happen)(struct sim *, struct event *), struct node *n)
{
	struct event *x = calloc(1, sizeof *x);
	CHECK(x);
	*x = (struct event){ .at = at, .order = ++s->order, .happen = happen, .node = n };
	if (s->queue_len == s->queue_room) {
		s->queue_room = s->queue_room ? s->queue_room * 2 : 1024;
		s->queue = realloc(s->queue, s->queue_room * sizeof *s->queue);
		CHECK(s->queue);
	}
	size_t i = s->queue_len++;
	for (s->queue[i] = x; i > 0 && before(s->queue[i], s->queue[(i - 1) / 2]); i = (i - 1) / 2)
		swap_events(s, i, (i - 1) / 2);
	return x;
}

void event_data(struct event *x, struct bytes data)
{
	x->data = malloc(data.len + 1);
	CHECK(x->data);
	if (data.len)
		memcpy(x->data, data.data, data.len);
	x->len = data.len;
}

static struct event *event_take(struct sim *s)
{
	struct event *x = s->queue[0];
	s->queue[0] = s->queue[--s->queue_len];
	for (size_t i = 0;;) {
		size_t least = i;
		for (size_t k = 2 * i + 1; k <= 2 * i + 2 && k < s->queue_len; k++)
			if (before(s->queue[k], s->queue[least]))
				least = k;
		if (least == i)
			return x;
		swap_events(s, i, least);
		i = least;
	}
}

static void event_free(struct event *x)
{
	free(x->data);
	free(x);
}

/* -- the network ---------------------------------------------------------------------------------------------------- */
void trouble(struct sim *s, struct node *n, msec_t time) { calm_ends(n ? &n->calm : &s->calm, s->now, s->now + time); }

msec_t net_delay(struct sim *s, struct node *n)
{
	if (fault_hits(s, FAULT_DELAY, n, 30))
		return fault_in(s, 500, 8000); /* and others overtake it */
	return dice_in(&n->dice, 1, 30);
}

bool net_loses(struct sim *s, const struct node *n) { return s->now < n->cut_off_until || fault_hits(s, FAULT_LOSS, n, 25); }

/* -- a run -------------------------------------------------------------------------------------------------------------- */
static msec_t world_mono(void *self) { return ((struct sim *)self)->now; }
static msec_t world_clock(void *self) { return server_now(self); }

static void world_make(struct sim *s, const struct sim_options *o)
{
	memset(s, 0, sizeof *s);
	s->o = *o;
	s->dice.state = o->seed * UINT64_C(0x2545f4914f6cdd1d);
	s->entropy.state = ~s->dice.state;
	s->now = s->began = INT64_C(1795000000000); /* 2026-11-18 */
	s->skew_at = s->now - MSEC_HOUR;
	s->trace = UINT64_C(14695981039346656037);
	s->pids = 100;
	struct dice kind = { fault_seed(s, fault_name(FAULT_ACT, -2, 1)) };
	s->short_lives = o->nodes <= SHORT_NODES && dice_chance(&kind, 200);
	s->calm.trouble_until = s->now;
	s->life_a = arena_new(ARENA_BYTES);
	s->step_a = arena_new(ARENA_BYTES);
	s->call_a = arena_new(ARENA_BYTES);
	s->ask_a = arena_new(ARENA_BYTES);
	s->look_a = arena_new(ARENA_BYTES);
	s->oracle = oracle_new();
	s->clock = (struct port_clock){ s, world_clock, world_mono };
	s->log_fd = memfd_create("log", MFD_CLOEXEC);
	log_setup(s->log_fd, LOG_LEVEL_DEBUG, LOG_FORMAT_LOGFMT, "sim");
	secrets_make(s);
	randomness_seed(s);
	agents_make(s);
	server_start(s);
}

static void run_until(struct sim *s, msec_t at)
{
	while (s->queue_len && s->queue[0]->at <= at) {
		struct event *x = event_take(s);
		s->now = x->at;
		s->count.events++;
		x->happen(s, x);
		event_free(x);
	}
	s->now = at;
}

/* No more faults: it must come to rest, in bounded time, with every rotation done. */
static void settle(struct sim *s)
{
	char why[400];
	msec_t end = s->now + SETTLE_MS;
	do {
		if (s->now >= end) {
			check_tell(s);
			violation(s, "it does not settle: %s", why);
		}
		run_until(s, s->now + ASK_MS);
		operator_heal(s);
	} while (!check_settled(s, why, sizeof why));
	s->over = true;
	tell(s, "settled");
	check_rows(s);
	for (int i = 0; i < s->node_count; i++)
		check_node(s, s->nodes[i]);
	emergency_settled(s);
	check_secrets(s);
	s->count.verified = oracle_verified(s->oracle);
}

void world_log(struct sim *s, const char *line)
{
	if (write(s->log_fd, line, strlen(line)) < 0 || write(s->log_fd, "\n", 1) < 0)
		violation(s, "the log cannot be written");
}

void sim_run(struct sim *s, const struct sim_options *o)
{
	static const char *const kinds[] = { "web", "app", "db", "batch", "peer" };
	world_make(s, o);
	struct dice length = { fault_seed(s, fault_name(FAULT_ACT, -2, 0)) };
	int pace = s->short_lives ? SHORT_PACE : 1;
	for (int i = 0; i < o->nodes; i++) {
		struct dice d = { fault_seed(s, fault_name(FAULT_NODE, -1, (uint32_t)i)) };
		if (fault_named(s, FAULT_NODE, (uint32_t)i))
			(void)node_new(s, kinds[i < 5 ? i : dice_in(&d, 0, 4)]); /* nothing fails yet */
		else
			(void)node_none(s);
	}
	run_until(s, s->now + 30000);
	s->faults = true;
	operator_begin(s);
	run_until(s, s->now + dice_in(&length, 90, 300) * 1000 * pace);
	s->faults = false;
	tell(s, "no more faults");
	settle(s);
}

void sim_free(struct sim *s)
{
	while (s->queue_len)
		event_free(event_take(s));
	for (int i = 0; i < s->node_count; i++)
		node_free(s->nodes[i]);
	server_free(s);
	agents_free(s);
	oracle_free(s->oracle);
	free(s->queue);
	free(s->seen);
	arena_free(s->life_a);
	arena_free(s->step_a);
	arena_free(s->call_a);
	arena_free(s->ask_a);
	arena_free(s->look_a);
	secrets_free(s);
	fault_list_free(&s->happened);
	close(s->log_fd);
}
