/* Outside the fleet: somebody with a key of his own who takes certificates through the API.
 *
 * No agent, no report.  He may show any certificate he ever took, until he says that he shows only the
 * newest (attest); so all of them are its workers, each for ever.  He renews when he likes, which is why what has
 * expired here is nobody's fault (check.c). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pki/pki.h"
#include "side_server.h"

static const struct template KINDS[] = {
	{ "holder", "server", MSG_SLOT, PROFILE_WEB, 0, 0, false, false },
	{ "holder", "client", MSG_SLOT, PROFILE_WEB, 0, 0, true, false },
	{ "holder", "server-b", MSG_SLOT, PROFILE_WEB, 1, 0, false, false },
};

static const char *make_key(struct sim *s, const char *name, struct buf *pem)
{
	struct troth_err e = { 0 };
	const char *csr;
	CLEANUP(key_releasep) struct key *key = NULL;
	must(s, key_generate(KEY_EC_P256, &key, &e), &e, "key");
	must(s, csr_build(s->ask_a, key, name, &csr, &e), &e, "csr");
	must(s, key_write(key, KEY_PKCS8_PEM, pem, &e), &e, "key_write");
	return csr;
}

/* What came back is shown from now on, beside all others. */
static void show(struct sim *s, struct node *n, const struct credential_ret *ret, const struct buf *key)
{
	struct worker w = { .until = SIM_FOREVER };
	CHECK(ret->credential.version_count);
	const char *leaf = cert_pem(s->ask_a, ret->credential.versions[0].cert.der);
	const char *chain = arena_printf(s->ask_a, "%s%s", leaf, ret->chain);
	w.content = oracle_chain(s->oracle, chain, strlen(chain), (const char *)key->data, key->len);
	if (!w.content)
		violation(s, "%s was given a chain that does not fit its key", n->name);
	n->places[0].counted = true;
	process_add(s, n, &n->places[0], &w);
}

void holder_new(struct sim *s)
{
	struct troth_err e = { 0 };
	struct credential_ret ret;
	struct verb_ctx ctx = { 0 };
	CLEANUP(buf_release) struct buf key = buf_make_secret(8192);
	if (!s->server->up || s->node_count == SIM_NODES_MAX)
		return;
	struct node *n = node_none(s);
	const struct template *t = &KINDS[dice_in(&s->act_dice, 0, (int64_t)ARRAY_LEN(KINDS) - 1)];
	snprintf(n->name, sizeof n->name, "holder-%d", n->index);
	arena_reset(s->ask_a);
	const char *san = arena_printf(s->ask_a, "dns:%s.sim", n->name);
	struct credential_create_cmd cmd = { .name = arena_printf(s->ask_a, "/sim/%s", n->name), .authority = AUTHORITIES[t->authority],
					     .role = t->client ? "client" : "server", .sans = { &san, 1 },
					     .csr = make_key(s, n->name, &key) };
	n->holder = n->there = true;
	n->places[n->place_count++] = (struct place_state){ .t = t };
	if (rc_failed(server_do(s, s->ask_a, &s->server->admin, &VERB_CREDENTIAL_CREATE, &cmd, &ret, &ctx, &e)) || !ret.chain) {
		tell(s, "%s got no certificate: %s", n->name, e.primary);
		n->there = false;
		n->unsure = e.kind == TROTH_UNAVAILABLE; /* the answer may have been lost after the commit */
		return;
	}
	(void)text_copy(n->uuid, sizeof n->uuid, ret.credential.row.uuid); /* a UUID */
	show(s, n, &ret, &key);
}

static void take(struct sim *s, struct node *n)
{
	struct troth_err e = { 0 };
	struct credential_ret ret;
	struct verb_ctx ctx = { 0 };
	CLEANUP(buf_release) struct buf key = buf_make_secret(8192);
	arena_reset(s->ask_a);
	struct credential_renew_cmd cmd = { .id = n->uuid, .csr = make_key(s, n->name, &key) };
	troth_rc rc = server_do(s, s->ask_a, &s->server->admin, &VERB_CREDENTIAL_RENEW, &cmd, &ret, &ctx, &e);
	if (rc_failed(rc))
		tell(s, "%s got no new certificate: %s", n->name, e.primary);
	n->unsure = n->unsure || (rc_failed(rc) && e.kind == TROTH_UNAVAILABLE);
	if (rc_failed(rc))
		return;
	n->unsure = false;
	show(s, n, &ret, &key);
}

/* First it is so, then it is said; but not of one that never arrived. */
static void use_newest(struct sim *s, struct node *n)
{
	if (n->unsure)
		return;
	struct troth_err e = { 0 };
	struct attest_ret ret;
	struct verb_ctx ctx = { 0 };
	struct place_state *p = &n->places[0];
	p->workers[0] = p->workers[p->worker_count - 1];
	p->worker_count = 1;
	arena_reset(s->ask_a);
	struct attest_cmd cmd = { n->uuid, "renewed" };
	bool said = rc_ok(server_do(s, s->ask_a, &s->server->admin, &VERB_CREDENTIAL_ATTEST, &cmd, &ret, &ctx, &e));
	tell(s, "%s shows only the newest%s%s", n->name, said ? "" : ": ", said ? "" : e.primary);
}

void holder_act(struct sim *s, struct node *n, struct dice *d)
{
	if (dice_chance(d, 500))
		take(s, n);
	else
		use_newest(s, n);
}

/* Its first certificate was made and never arrived: nobody shows it. */
static void say_gone(struct sim *s, struct node *n)
{
	struct troth_err e = { 0 };
	struct credential_list_ret list;
	struct attest_ret ret;
	struct verb_ctx ctx = { 0 };
	arena_reset(s->ask_a);
	struct list_cmd cmd = { .name = arena_printf(s->ask_a, "/sim/%s", n->name) };
	if (rc_failed(server_do(s, s->ask_a, &s->server->admin, &VERB_CREDENTIAL_LIST, &cmd, &list, &ctx, &e)))
		return;
	n->unsure = false;
	if (list.count && rc_failed(server_do(s, s->ask_a, &s->server->admin, &VERB_CREDENTIAL_ATTEST,
					      &(struct attest_cmd){ list.items[0].row.uuid, "gone" }, &ret, &ctx, &e)))
		n->unsure = e.kind == TROTH_UNAVAILABLE; /* the next time */
}

void holder_finish(struct sim *s, struct node *n)
{
	if (!n->there) {
		if (n->unsure)
			say_gone(s, n);
		return;
	}
	take(s, n);
	use_newest(s, n);
}
