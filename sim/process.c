/* What runs on a node and uses the files: TLS servers, clients, and whatever trusts a bundle.
 *
 * A process is a list of workers, newest last.  Each has the contents it loaded and a time from which
 * it answers nobody any more; until then a handshake may meet it, old beside new.  It reads its
 * files a while after the signal, refuses a pair that does not fit (and keeps the old one), sometimes
 * does not notice the signal at all where a probe or an attest file would tell, and starts again by
 * itself at any moment, with what is on disk then. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "pki/pki.h"
#include "policy.h"
#include "side_agent.h"

enum { RELOAD_MS = 2000, LINGER_MS = 7500 }; /* together below the profiles' drain */

static const char *file_of(char out[160], const struct place_state *p, const char *name)
{
	snprintf(out, 160, "/srv/%s/current/%s", p->t->name, name);
	return out;
}

static int load_chain(struct sim *s, struct node *n, const struct place_state *p)
{
	char path[160];
	CLEANUP(buf_release) struct buf chain = { 0 };
	CLEANUP(buf_release) struct buf key = { 0 };
	if (!nodefs_read(n->fs, file_of(path, p, "cert.pem"), &chain) || !nodefs_read(n->fs, file_of(path, p, "key.pem"), &key))
		return 0;
	if (text_equal(s->o.mutant, "leak"))
		world_log(s, arena_text_n(s->look_a, (const char *)key.data, key.len));
	return oracle_chain(s->oracle, (const char *)chain.data, chain.len, (const char *)key.data, key.len);
}

static int load_set(struct sim *s, struct node *n, const struct place_state *p, char attest[SHA256_HEX_LEN])
{
	char path[160];
	uint8_t hash[SHA256_LEN];
	CLEANUP(buf_release) struct buf set = { 0 };
	if (!nodefs_read(n->fs, file_of(path, p, "ca.pem"), &set))
		return 0;
	pki_sha256(buf_bytes(&set), hash);
	hex_encode(hash, sizeof hash, attest);
	return oracle_set(s->oracle, (const char *)set.data, set.len);
}

static void attest(struct node *n, const struct place_state *p)
{
	char path[64];
	CLEANUP(buf_release) struct buf text = buf_make(4096);
	if (p->t->profile != PROFILE_ATTEST)
		return;
	snprintf(path, sizeof path, "/run/%s.loaded", p->t->name);
	for (size_t i = 0; i < p->worker_count; i++)
		buf_printf(&text, "%s\n", p->workers[i].attest);
	if (p->worker_count)
		nodefs_write(n->fs, path, buf_bytes(&text));
	else
		nodefs_remove(n->fs, path);
}

void process_sweep(struct sim *s, struct place_state *p)
{
	size_t kept = 0;
	for (size_t i = 0; i < p->worker_count; i++)
		if (p->workers[i].until > s->now)
			p->workers[kept++] = p->workers[i];
	p->worker_count = kept;
}

static void on_linger_over(struct sim *s, struct event *x)
{
	struct place_state *p = &x->node->places[x->place];
	process_sweep(s, p);
	attest(x->node, p);
}

/* The others answer for a while yet. */
static void retire_workers(struct sim *s, struct node *n, struct place_state *p)
{
	for (size_t i = 0; i < p->worker_count; i++) {
		struct worker *w = &p->workers[i];
		msec_t until = s->now + dice_in(&n->dice, 0, LINGER_MS);
		if (w->until <= until)
			continue;
		w->until = until;
		event_add(s, until, on_linger_over, n)->place = (int)(p - n->places);
	}
}

void process_add(struct sim *s, struct node *n, struct place_state *p, const struct worker *w)
{
	if (n->stopped)
		return; /* nobody starts it again */
	process_sweep(s, p);
	if (p->worker_count == SIM_WORKERS) { /* a service has a limit, too: the oldest goes */
		memmove(p->workers, p->workers + 1, (SIM_WORKERS - 1) * sizeof *p->workers);
		p->worker_count--;
	}
	p->workers[p->worker_count++] = *w;
	p->ran = true;
	attest(n, p);
	tell(s, "%s/%s runs %s (of %zu workers)", n->name, p->t->name, oracle_name(s->oracle, w->content), p->worker_count);
	policy_presents(s, n, p, w->content);
	check_cover(s, n, p);
	check_node(s, n);
}

static bool load(struct sim *s, struct node *n, struct place_state *p, struct worker *ret)
{
	*ret = (struct worker){ .until = SIM_FOREVER };
	ret->content = p->t->kind == MSG_SLOT ? load_chain(s, n, p) : load_set(s, n, p, ret->attest);
	return ret->content != 0;
}

static void on_reload(struct sim *s, struct event *x)
{
	struct place_state *p = &x->node->places[x->place];
	struct worker w;
	if (p->reload_at != x->at)
		return; /* it was started anew meanwhile */
	p->reload_at = 0;
	if (!load(s, x->node, p, &w)) {
		tell(s, "%s/%s refuses its files", x->node->name, p->t->name);
		return;
	}
	process_sweep(s, p);
	retire_workers(s, x->node, p);
	process_add(s, x->node, p, &w);
}

void process_stop(struct sim *s, struct node *n, struct place_state *p)
{
	p->worker_count = 0;
	p->reload_at = 0;
	attest(n, p);
}

void process_restart(struct sim *s, struct node *n, struct place_state *p)
{
	struct worker w;
	process_stop(s, n, p);
	if (load(s, n, p, &w))
		process_add(s, n, p, &w);
	else if (p->counted && p->ran && p->excuse != EXCUSE_RESTORED && !n->stopped)
		violation(s, "%s/%s started and has nothing to run", n->name, p->t->name);
}

/* -- how the hand reaches it ------------------------------------------------------------------------ */
static struct place_state *place_by_pid(struct node *n, pid_t pid)
{
	for (size_t i = 0; i < n->place_count; i++)
		if (n->places[i].pid == pid)
			return &n->places[i];
	return NULL;
}

int process_signal(struct sim *s, struct node *n, pid_t pid)
{
	struct place_state *p = place_by_pid(n, pid);
	CHECK(p);
	bool seen = p->t->profile == PROFILE_ATTEST || (p->t->kind == MSG_SLOT && !p->t->client);
	if (seen && (n->broken || fault_hits(s, FAULT_HEED, n, 60))) {
		tell(s, "%s/%s does not heed its signal", n->name, p->t->name);
		return 0;
	}
	if (n->broken) {
		tell(s, "%s/%s cannot be signalled", n->name, p->t->name);
		errno = EPERM;
		return -1;
	}
	if (p->reload_at) /* one on its way: it reads the files as they will be then, and again */
		return 0;
	p->reload_at = s->now + dice_in(&n->dice, 1, RELOAD_MS);
	event_add(s, p->reload_at, on_reload, n)->place = (int)(p - n->places);
	return 0;
}

int process_run_restart(struct sim *s, struct node *n, const char *name)
{
	for (size_t i = 0; i < n->place_count; i++) {
		struct place_state *p = &n->places[i];
		if (!text_equal(p->t->name, name))
			continue;
		if (n->broken || fault_hits(s, FAULT_HEED, n, 60)) {
			tell(s, "%s/%s could not be restarted", n->name, name);
			return 1;
		}
		if (!text_equal(s->o.mutant, "start-only"))
			process_restart(s, n, p);
		return 0;
	}
	return 127;
}

/* -- how a probe sees it ------------------------------------------------------------------------------- */
void process_look(struct sim *s, struct node *n, const char *target, struct agent_probed *ret, struct arena *a)
{
	struct place_state *p = NULL;
	for (size_t i = 0; i < n->place_count; i++)
		if (text_equal(n->places[i].id, target))
			p = &n->places[i];
	CHECK(p);
	process_sweep(s, p);
	if (fault_hits(s, FAULT_PROBE, n, 20)) {
		ret->at[0].why = "timed out";
		return;
	}
	if (p->worker_count == 0) {
		ret->at[0].refused = true;
		ret->at[0].why = "refused";
		return;
	}
	int content = p->workers[dice_in(&n->dice, 0, (int64_t)p->worker_count - 1)].content;
	const char **chain = ARENA_ARRAY(a, const char *, 16);
	const char *hex;
	for (size_t i = 0; i < 16 && (hex = oracle_fingerprint(s->oracle, content, i)); i++)
		chain[ret->at[0].shown.count++] = arena_text(a, hex);
	ret->at[0].shown.items = chain;
}
