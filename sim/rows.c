/* What must always be true of the server: its rows, its view, its plan, its words.
 *
 * The audit chain holds; one version signs; what a service really runs is covered by what the rows say
 * it may run (I2); the incremental view equals the rebuilt one and its counters a recount (I12); the
 * same step again changes nothing (I8); whatever is not done has a reason and a speaker (I10). */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "peek.h"
#include "side_server.h"

/* -- the view ---------------------------------------------------------------------------------------- */
/* A disk that fails proves nothing: only a difference is a violation. */
void check_view(struct sim *s)
{
	struct tx *tx;
	struct troth_err e = { 0 };
	char why[200];
	if (!s->server->up || rc_failed(store_write_begin(s->server->store, &tx, &e)))
		return;
	troth_rc rc = service_check_view(s->server->svc, tx, &e);
	store_write_rollback(tx);
	if (rc_failed(rc) && e.kind == TROTH_INTERNAL)
		violation(s, "the view is not the rows': %s", e.primary);
	const struct view *v = service_view(s->server->svc);
	if (v && !peek_counters(v, why, sizeof why))
		violation(s, "the counters are not a recount: %s", why);
	s->count.views++;
	if (sim_vfs_crashed(s->server->disk))
		server_crash(s, true);
}

/* Just after a commit: the runner has had its say at this very moment.  Once more, and nothing comes of it. */
void check_again(struct sim *s)
{
	struct tx *tx;
	struct troth_err e = { 0 };
	msec_t wake;
	if (!s->server->up || !service_view(s->server->svc) || rc_failed(store_write_begin(s->server->store, &tx, &e)))
		return;
	uint64_t before = peek_hash(service_view(s->server->svc));
	troth_rc rc = runner_run(s->server->svc, tx, server_now(s), &wake, &e);
	store_write_rollback(tx);
	if (rc_failed(rc)) {
		service_drop(s->server->svc);
		return;
	}
	if (peek_hash(service_view(s->server->svc)) != before)
		violation(s, "the same step again did something");
	s->count.steps++;
	if (sim_vfs_crashed(s->server->disk))
		server_crash(s, true);
}

/* -- cover ------------------------------------------------------------------------------------------------ */
static bool has_fingerprint(struct sim *s, int content, const char *hex)
{
	const char *x;
	for (size_t i = 0; (x = oracle_fingerprint(s->oracle, content, i)); i++)
		if (strcmp(x, hex) == 0)
			return true;
	return false;
}

/* Chains in order; sets as sets.  A disk that fails proves nothing: then it is. */
static bool is_content(struct sim *s, struct tx *tx, const struct place_state *p, int content, int64_t id)
{
	struct content_row row;
	struct troth_err e = { 0 };
	size_t real = 0;
	if (!id)
		return false;
	if (rc_failed(content_row_get(tx, s->look_a, id, &row, &e)))
		return true;
	while (oracle_fingerprint(s->oracle, content, real))
		real++;
	if (real != row.certs.count)
		return false;
	for (size_t i = 0; i < real; i++) {
		struct cert_row cert;
		char hex[SHA256_HEX_LEN];
		if (rc_failed(cert_row_get(tx, s->look_a, row.certs.items[i], &cert, &e)))
			return true;
		hex_encode(cert.fingerprint.data, cert.fingerprint.len, hex);
		if (p->t->kind == MSG_SLOT ? strcmp(oracle_fingerprint(s->oracle, content, i), hex) != 0 : !has_fingerprint(s, content, hex))
			return false;
	}
	return true;
}

static bool is_covered(struct sim *s, struct tx *tx, const struct place_state *p, const struct target_row *t, int content)
{
	struct document_row *docs;
	size_t n;
	struct troth_err e = { 0 };
	if (is_content(s, tx, p, content, t->base_content))
		return true;
	if (rc_failed(document_row_list_pending(tx, s->look_a, t->id, &docs, &n, &e)))
		return true;
	for (size_t i = 0; i < n; i++)
		if (is_content(s, tx, p, content, docs[i].content_id))
			return true;
	return false;
}

void check_cover(struct sim *s, struct node *n, struct place_state *p)
{
	struct target_row t;
	struct troth_err e = { 0 };
	struct tx *tx;
	if (!p->counted || p->excuse == EXCUSE_RESTORED || !(tx = server_read(s)))
		return;
	arena_reset(s->look_a);
	if (rc_ok(target_row_by_uuid(tx, s->look_a, p->id, &t, &e)) && t.state == TARGET_COUNTED && t.base_known) {
		process_sweep(s, p);
		s->count.covers++;
		for (size_t i = 0; i < p->worker_count; i++)
			if (!is_covered(s, tx, p, &t, p->workers[i].content))
				violation(s, "no cover: %s/%s runs %s, which is neither its base nor pending", n->name, p->t->name,
					  oracle_name(s->oracle, p->workers[i].content));
	}
	server_read_end(tx);
}

/* False also if it cannot be known just now. */
bool check_nothing_pending(struct sim *s, const struct place_state *p)
{
	struct target_row t;
	struct document_row *docs;
	size_t n = 1;
	struct troth_err e = { 0 };
	struct tx *tx = server_read(s);
	if (!tx)
		return false;
	arena_reset(s->look_a);
	bool known = p->id[0] == 0 ||
		     (rc_ok(target_row_by_uuid(tx, s->look_a, p->id, &t, &e)) &&
		      rc_ok(document_row_list_pending(tx, s->look_a, t.id, &docs, &n, &e)));
	server_read_end(tx);
	return p->id[0] == 0 || (known && n == 0);
}

/* -- rows --------------------------------------------------------------------------------------------------- */
static troth_rc ask(struct sim *s, const struct verb *verb, const void *cmd, void *ret)
{
	struct troth_err e = { 0 };
	struct verb_ctx ctx = { 0 };
	return server_do(s, s->ask_a, &s->server->admin, verb, cmd, ret, &ctx, &e);
}

/* Just one signs, it is alive. */
static void check_signer(struct sim *s, struct tx *tx, const char *name)
{
	struct credential_row c;
	struct version_row *versions;
	size_t n, signers = 0;
	struct troth_err e = { 0 };
	if (rc_failed(credential_row_by_name(tx, s->ask_a, name, &c, &e)) ||
	    rc_failed(version_row_list_credential(tx, s->ask_a, c.id, PAGE_ALL, &versions, &n, &e)))
		return;
	for (size_t i = 0; i < n; i++)
		signers += versions[i].signing && !versions[i].retired_at;
	if (signers != 1)
		violation(s, "%s has %zu versions that sign", name, signers);
}

static void check_waits(struct sim *s)
{
	struct rotation_list_ret rotations;
	struct explain_ret x;
	if (rc_failed(ask(s, &VERB_ROTATION_LIST, &(struct rotation_list_cmd){ 0 }, &rotations)) ||
	    rc_failed(ask(s, &VERB_EXPLAIN, &(struct explain_cmd){ 0 }, &x)))
		return;
	for (size_t i = 0; i < x.count; i++)
		if (!x.items[i].speaker[0] || !x.items[i].reason[0] || !x.items[i].since)
			violation(s, "a wait without a reason");
	for (size_t i = 0; i < rotations.count; i++)
		if (text_equal(rotations.items[i].state, "running") && x.count == 0)
			violation(s, "the rotation of %s runs and waits for nothing", rotations.items[i].name);
}

void check_rows(struct sim *s)
{
	struct audit_verify_ret audit;
	struct tx *tx;
	check_view(s);
	arena_reset(s->ask_a);
	if (rc_ok(ask(s, &VERB_AUDIT_VERIFY, &(struct no_cmd){ 0 }, &audit)) && !audit.check.holds)
		violation(s, "the audit chain does not hold");
	if ((tx = server_read(s))) {
		for (int i = 0; i < SIM_AUTHORITIES; i++)
			check_signer(s, tx, AUTHORITIES[i]);
		server_read_end(tx);
	}
	check_waits(s);
}

void check_tell(struct sim *s)
{
	struct rotation_list_ret rotations;
	struct explain_ret x;
	arena_reset(s->ask_a);
	if (rc_ok(ask(s, &VERB_ROTATION_LIST, &(struct rotation_list_cmd){ 0 }, &rotations)))
		for (size_t i = 0; i < rotations.count; i++)
			tell(s, "rotation of %s: %s%s", rotations.items[i].name, rotations.items[i].state,
			     rotations.items[i].going_back ? ", going back" : "");
	if (rc_ok(ask(s, &VERB_EXPLAIN, &(struct explain_cmd){ 0 }, &x)))
		for (size_t i = 0; i < x.count; i++)
			tell(s, "waits: %s", explain_sentence(s->ask_a, &x.items[i]));
}

/* -- the end ------------------------------------------------------------------------------------------------ */
bool check_settled(struct sim *s, char *why, size_t size)
{
	struct rotation_list_ret rotations;
	struct explain_ret x;
	arena_reset(s->ask_a);
	snprintf(why, size, "the server does not answer");
	if (rc_failed(ask(s, &VERB_ROTATION_LIST, &(struct rotation_list_cmd){ 0 }, &rotations)) ||
	    rc_failed(ask(s, &VERB_EXPLAIN, &(struct explain_cmd){ 0 }, &x)))
		return false;
	if (x.count) {
		struct instance_row row = { 0 };
		struct troth_err e = { 0 };
		struct tx *tx = server_read(s);
		for (int i = 0; tx && i < s->node_count; i++)
			if (text_equal(s->nodes[i]->name, x.items[0].instance))
				(void)instance_row_by_uuid(tx, s->ask_a, s->nodes[i]->uuid, &row, &e); /* only for its words */
		if (tx)
			server_read_end(tx);
		snprintf(why, size, "%s%s%s", explain_sentence(s->ask_a, &x.items[0]), row.alarm ? "; " : "", row.alarm ? row.alarm : "");
		return false;
	}
	for (size_t i = 0; i < rotations.count; i++) {
		const struct rotation_view *r = &rotations.items[i];
		if (text_equal(r->state, "running") || text_equal(r->state, "paused") || r->going_back) {
			snprintf(why, size, "the rotation of %s is %s%s", r->name, r->state, r->going_back ? ", going back" : "");
			return false;
		}
	}
	for (int i = 0; i < s->node_count; i++)
		if (check_pending(s->nodes[i])) {
			snprintf(why, size, "%s is not admitted", s->nodes[i]->name);
			return false;
		}
	return true;
}

/* The service logs as an error what it thinks is a bug of its own: a plan that was refused. */
void check_log(struct sim *s)
{
	char text[4096];
	ssize_t n;
	while ((n = pread(s->log_fd, text, sizeof text - 1, s->log_read)) > 0) {
		text[n] = 0;
		char *end = strrchr(text, '\n');
		if (end)
			end[1] = 0;
		s->log_read += end ? end + 1 - text : n;
		const char *bad = strstr(text, "level=error");
		if (bad)
			violation(s, "the server logged: %.*s", (int)strcspn(bad, "\n"), bad);
	}
}
