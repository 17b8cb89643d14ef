/* troth's own PKI: a server and agents that each hold a trust file and an identity, as real ones do.  After every word
 * that is said each agent must believe the server, and the server each agent. */
#include "room.h"
#include "good.h"

#include "service/agent/agent.h"
#include "service/rotation/explain.h"
#include "service/fleet/identity.h"
#include "service/ca/own.h"
#include "service/rotation/rotation.h"
#include "service/fleet/waive.h"

enum { NODES = 6 };

struct node {
	const char *name, *identity, *trust; /* PEM, PEM, PEM */
	struct principal who;
	char id[UUID_LEN], trust_id[UUID_LEN];
	int64_t l, session, seq;
	bool off, excused;
};

struct world {
	struct room *r;
	struct node nodes[NODES];
	size_t count;
	const char *leaf, *clients;    /* what the listener shows and believes */
	int64_t generation;
	bool told, started, server_off;
};

/* -- handshakes ------------------------------------------------------------------------------------------ */

static bool accepted(struct world *w, const char *leaf_pem, const char *anchors)
{
	const struct cert *leaf, *const *cas;
	size_t n;
	struct good_key key = good_key(w->r->a, (const char *[]){ leaf_pem, anchors }, 2);
	if (good_known(&key, 0))
		return true;
	assert_true(rc_ok(cert_parse_any(w->r->a, bytes_of_text(leaf_pem), &leaf, &w->r->e)));
	assert_true(rc_ok(certs_parse_pem(w->r->a, bytes_of_text(anchors), &cas, &n, &w->r->e)));
	for (size_t i = 0; i < n; i++)
		if (cert_issued_by(leaf, cas[i])) {
			good_keep(&key, INT64_MIN, INT64_MAX); /* whose it is does not end with time */
			return true;
		}
	return false;
}

static void check_pairs(struct world *w)
{
	for (size_t i = 0; i < w->count; i++) {
		const struct node *n = &w->nodes[i];
		if (!n->excused && !accepted(w, w->leaf, n->trust))
			fail_msg("%s does not believe the server", n->name);
		if (!n->excused && !accepted(w, n->identity, w->clients))
			fail_msg("the server does not believe %s", n->name);
	}
}

static void say(struct world *w, const struct principal *who, const struct verb *verb, const void *cmd, void *ret)
{
	struct troth_err e = { 0 };
	if (rc_failed(room_try(w->r, who, verb, cmd, ret)))
		fail_msg("%s: %s", verb->name, w->r->e.primary);
	struct tx *tx = room_read(w->r);
	if (rc_failed(service_check_view(w->r->svc, tx, &e)))
		fail_msg("the view differs from the rows after %s: %s", verb->name, e.primary);
	room_read_end(w->r, tx);
	check_pairs(w);
}

/* -- the server's process ------------------------------------------------------------------------------------ */

static void server_tell(struct world *w)
{
	struct no_ret none;
	struct server_seen_cmd cmd = { w->leaf, w->generation, !w->started };
	say(w, &PRINCIPAL_SYSTEM, &VERB_SERVER_SEEN, &cmd, &none);
	w->told = w->started = true;
}

static void server_turn(struct world *w)
{
	struct server_trust_ret trust;
	struct server_certificate_ret made;
	struct server_certificate_cmd cmd = { .csr = room_csr(w->r, KEY_EC_P256) };
	if (w->server_off)
		return;
	say(w, &PRINCIPAL_SYSTEM, &VERB_SERVER_TRUST, &(struct no_cmd){ 0 }, &trust);
	w->told = w->told && trust.generation == w->generation;
	w->clients = trust.agents_ca;
	w->generation = trust.generation;
	check_pairs(w);
	if (trust.observed && !w->told)
		server_tell(w);
	if (accepted(w, w->leaf, trust.signer))
		return;
	say(w, &PRINCIPAL_SYSTEM, &VERB_SERVER_CERTIFICATE, &cmd, &made);
	w->leaf = made.certificate;
	check_pairs(w);
	server_tell(w);
}

/* -- an agent's ----------------------------------------------------------------------------------------------- */

static struct json_texts fingerprints(struct world *w, const char *pem)
{
	const struct cert *const *cas;
	size_t n;
	assert_true(rc_ok(certs_parse_pem(w->r->a, bytes_of_text(pem), &cas, &n, &w->r->e)));
	struct json_texts out = { ARENA_ARRAY(w->r->a, const char *, n), n };
	for (size_t i = 0; i < n; i++) {
		char hex[SHA256_HEX_LEN];
		out.items[i] = arena_text(w->r->a, cert_fingerprint_hex(cas[i], hex));
	}
	return out;
}

static void node_identity(struct world *w, struct node *n, const char *pem)
{
	n->identity = pem;
	n->who = room_agent(w->r, &(struct msg_enrolled){ .certificate = pem });
}

static void node_open(struct world *w, struct node *n)
{
	struct msg_opened opened;
	struct msg_loaded loaded = { n->trust_id, n->l, n->l, fingerprints(w, n->trust) };
	struct msg_session m = { .boot_id = n->name, .epoch = service_epoch(w->r->svc), .agent_version = "1", .targets = &loaded,
				 .target_count = n->trust_id[0] != 0 };
	say(w, &n->who, &VERB_AGENT_SESSION, &m, &opened);
	n->session = opened.session;
	n->seq = 0;
}

static bool node_report(struct world *w, struct node *n)
{
	struct report_ret ret;
	struct msg_report m = { .session = n->session, .seq = ++n->seq, .target = n->trust_id, .generation = n->l, .high_water = n->l,
				.level = MSG_LEVEL_LOADED, .settled = true, .fingerprints = fingerprints(w, n->trust) };
	say(w, &n->who, &VERB_AGENT_REPORT, &m, &ret);
	return ret.counted;
}

static struct msg_desired node_desired(struct world *w, struct node *n)
{
	struct desired_ret ret;
	struct desired_cmd cmd = { n->session, 0 };
	say(w, &n->who, &VERB_AGENT_DESIRED, &cmd, &ret);
	if (ret.stale) {
		node_open(w, n);
		cmd.session = n->session;
		say(w, &n->who, &VERB_AGENT_DESIRED, &cmd, &ret);
	}
	return ret.desired;
}

static void node_take(struct world *w, struct node *n, const struct msg_target *t)
{
	bool first = !n->trust_id[0];
	memcpy(n->trust_id, t->id, strlen(t->id) + 1);
	if (t->generation <= n->l) {
		if (first)
			assert_true(node_report(w, n));
		return;
	}
	const char *pem = "";
	for (size_t i = 0; i < t->certificates.count; i++)
		pem = arena_printf(w->r->a, "%s%s", pem, t->certificates.items[i]);
	n->trust = pem;
	n->l = t->generation;
	check_pairs(w);
	assert_true(node_report(w, n));
}

static void node_renew(struct world *w, struct node *n)
{
	struct msg_renewed ret;
	say(w, &n->who, &VERB_IDENTITY_RENEW, &(struct msg_identity){ room_csr(w->r, KEY_EC_P256) }, &ret);
	node_identity(w, n, ret.certificate);
	check_pairs(w);
}

static void node_turn(struct world *w, struct node *n)
{
	if (n->off)
		return;
	if (!n->session)
		node_open(w, n);
	struct msg_desired d = node_desired(w, n);
	for (size_t i = 0; i < d.target_count; i++)
		if (text_equal(d.targets[i].profile, MSG_OWN_TRUST))
			node_take(w, n, &d.targets[i]);
	if (d.renew_identity)
		node_renew(w, n);
}

static void settle(struct world *w)
{
	for (int i = 0; i < 8; i++) {
		w->r->now += 1000;
		server_turn(w);
		for (size_t k = 0; k < w->count; k++)
			node_turn(w, &w->nodes[k]);
	}
}

/* -- making ------------------------------------------------------------------------------------------------------- */

static void node_is(struct node *n, const struct msg_enrolled *m, const struct principal *who)
{
	n->identity = m->certificate;
	n->trust = m->server_ca;
	n->who = *who;
	memcpy(n->id, m->instance_id, strlen(m->instance_id) + 1);
	n->trust_id[0] = 0;
	n->l = n->session = 0;
	n->off = n->excused = false;
}

static struct node *node_add(struct world *w, const char *name)
{
	struct node *n = &w->nodes[w->count++];
	struct msg_enrolled m = room_enroll(w->r, "pg", name);
	struct principal who = room_agent(w->r, &m);
	n->name = name;
	node_is(n, &m, &who);
	return n;
}

static struct world *world_new(void)
{
	struct world *w = calloc(1, sizeof *w);
	struct server_certificate_ret made;
	struct server_trust_ret trust;
	w->r = room_new();
	room_deployment(w->r, "pg");
	struct server_certificate_cmd cmd = { .csr = room_csr(w->r, KEY_EC_P256) };
	assert_true(rc_ok(room_try(w->r, &PRINCIPAL_SYSTEM, &VERB_SERVER_CERTIFICATE, &cmd, &made)));
	assert_true(rc_ok(room_try(w->r, &PRINCIPAL_SYSTEM, &VERB_SERVER_TRUST, &(struct no_cmd){ 0 }, &trust)));
	assert_false(trust.observed);
	w->leaf = made.certificate;
	w->clients = trust.agents_ca;
	node_add(w, "n0");
	node_add(w, "n1");
	node_add(w, "n2");
	settle(w);
	return w;
}

static void world_free(struct world *w)
{
	room_free(w->r);
	free(w);
}

static void rotate(struct world *w, const char *name)
{
	struct rotate_ret ret;
	struct rotate_cmd cmd = { .name = name };
	say(w, &w->r->admin, &VERB_ROTATE, &cmd, &ret);
}

static bool done(struct world *w)
{
	struct rotation_row *rows;
	size_t n;
	struct tx *tx = room_read(w->r);
	assert_true(rc_ok(rotation_row_list_open(tx, w->r->a, &rows, &n, &w->r->e)));
	room_read_end(w->r, tx);
	return n == 0;
}

/* What the authority's signing version is; nobody needs another. */
static void all_follow(struct world *w, const char *authority, bool identities)
{
	struct credential_row c;
	struct version_row v;
	struct cert_row cert;
	struct tx *tx = room_read(w->r);
	assert_true(rc_ok(credential_row_by_name(tx, w->r->a, authority, &c, NULL)));
	assert_true(rc_ok(version_row_get(tx, w->r->a, c.signing_version, &v, NULL)));
	assert_true(rc_ok(cert_row_get(tx, w->r->a, v.cert_id, &cert, NULL)));
	room_read_end(w->r, tx);
	const char *pem = cert_pem(w->r->a, cert.der);
	for (size_t i = 0; i < w->count; i++) {
		if (w->nodes[i].off)
			continue;
		if (identities)
			assert_true(accepted(w, w->nodes[i].identity, pem));
		else
			assert_string_equal(w->nodes[i].trust, pem);
	}
	assert_true(identities ? strcmp(w->clients, pem) == 0 : accepted(w, w->leaf, pem));
}

static bool waits_for(struct world *w, const char *authority, const char *text)
{
	struct explain_ret ret;
	room_do(w->r, &VERB_EXPLAIN, &(struct explain_cmd){ .name = authority }, &ret);
	for (size_t i = 0; i < ret.count; i++)
		if (strstr(explain_plain(w->r->a, &ret.items[i]), text))
			return true;
	return false;
}

/* -- tests ---------------------------------------------------------------------------------------------------------- */

static void both_are_rotated(void **state)
{
	struct world *w = world_new();
	const char *first = w->nodes[0].identity;
	rotate(w, "/troth/agents");
	settle(w);
	assert_true(done(w));
	all_follow(w, "/troth/agents", true);
	assert_string_not_equal(first, w->nodes[0].identity);
	rotate(w, "/troth/server");
	settle(w);
	assert_true(done(w));
	all_follow(w, "/troth/server", false);
	rotate(w, "/troth/server");
	rotate(w, "/troth/agents"); /* both at once, and what is there already is not made again */
	settle(w);
	assert_true(done(w));
	all_follow(w, "/troth/server", false);
	all_follow(w, "/troth/agents", true);
	world_free(w);
}

static void nothing_is_there_before(void **state)
{
	struct world *w = world_new();
	struct msg_desired d = node_desired(w, &w->nodes[0]);
	for (size_t i = 0; i < d.target_count; i++)
		assert_string_not_equal(d.targets[i].profile, MSG_OWN_TRUST);
	assert_false(d.renew_identity);
	world_free(w);
}

static void waive(struct world *w, struct node *n)
{
	struct waive_ret ret;
	n->excused = true;
	say(w, &w->r->admin, &VERB_WAIVE, &(struct waive_cmd){ n->id, "burnt" }, &ret);
}

static void who_is_away_is_waited_for_by_name(void **state)
{
	struct world *w = world_new();
	struct node *n = &w->nodes[1];
	n->off = true;
	rotate(w, "/troth/agents");
	settle(w);
	assert_false(done(w));
	assert_true(waits_for(w, "/troth/agents", "n1/identity may still be a certificate of the old CA"));
	assert_false(waits_for(w, "/troth/agents", "n0/"));
	n->off = false;
	settle(w);
	assert_true(done(w));
	n->off = true;
	rotate(w, "/troth/server");
	settle(w);
	assert_false(done(w));
	w->r->now += 600 * 1000;
	settle(w);
	assert_true(waits_for(w, "/troth/server", "n1/server-ca"));
	n->off = false;
	settle(w);
	assert_true(done(w));
	all_follow(w, "/troth/server", false);
	world_free(w);
}

static void node_again(struct world *w, struct node *n)
{
	struct token_ret token;
	struct msg_enrolled m;
	struct token_create_cmd cmd = { .deployment = "pg", .instance = n->name, .reinstall = true };
	room_do(w->r, &VERB_TOKEN_CREATE, &cmd, &token);
	struct msg_enroll again = { .token = token.secret, .csr = room_csr(w->r, KEY_EC_P256), .boot_id = n->name, .agent_version = "1" };
	assert_true(rc_ok(room_try(w->r, &PRINCIPAL_ANONYMOUS, &VERB_ENROLL, &again, &m)));
	struct principal who = room_agent(w->r, &m);
	node_is(n, &m, &who);
}

static void who_is_waived_returns_with_a_token(void **state)
{
	struct world *w = world_new();
	struct node *n = &w->nodes[2];
	n->off = true;
	rotate(w, "/troth/agents");
	rotate(w, "/troth/server");
	settle(w);
	assert_false(done(w));
	waive(w, n);
	settle(w);
	assert_true(done(w));
	assert_false(accepted(w, n->identity, w->clients));
	node_again(w, n);
	settle(w);
	all_follow(w, "/troth/server", false);
	n->off = true; /* it counts as ever */
	rotate(w, "/troth/agents");
	settle(w);
	assert_true(waits_for(w, "/troth/agents", "n2/identity"));
	world_free(w);
}

/* Its identity is good still: it opens a session, and begins anew in both roles. */
static void who_is_waived_returns_by_itself(void **state)
{
	struct world *w = world_new();
	struct node *n = &w->nodes[2];
	rotate(w, "/troth/agents");
	settle(w);
	n->off = true;
	rotate(w, "/troth/server");
	settle(w);
	waive(w, n);
	settle(w);
	assert_true(done(w));
	const char *identity = n->identity;
	n->off = false;
	n->session = 0;
	settle(w);
	n->excused = false;
	check_pairs(w);
	all_follow(w, "/troth/server", false);
	assert_string_not_equal(identity, n->identity); /* from then on it counts as a presenter again */
	n->off = true;
	rotate(w, "/troth/server");
	rotate(w, "/troth/agents");
	settle(w);
	assert_true(waits_for(w, "/troth/agents", "n2/identity"));
	assert_true(waits_for(w, "/troth/server", "n2/server-ca"));
	world_free(w);
}

static void abort_rotation(struct world *w, const char *name)
{
	struct rotation_ret ret;
	say(w, &w->r->admin, &VERB_ROTATION_ABORT, &(struct id_cmd){ name }, &ret);
}

static void an_abort_walks_back(void **state)
{
	struct world *w = world_new();
	const char *clients = w->clients, *trust = w->nodes[0].trust;
	w->nodes[1].off = true;
	rotate(w, "/troth/agents");
	settle(w);
	assert_false(accepted(w, w->nodes[0].identity, clients)); /* half of them moved */
	abort_rotation(w, "/troth/agents");
	settle(w);
	assert_true(accepted(w, w->nodes[0].identity, clients));
	assert_string_equal(w->clients, clients);
	w->nodes[1].off = false;
	rotate(w, "/troth/server");
	server_turn(w);
	node_turn(w, &w->nodes[0]);
	abort_rotation(w, "/troth/server");
	settle(w);
	assert_string_equal(w->nodes[0].trust, trust);
	assert_string_equal(w->nodes[1].trust, trust);
	world_free(w);
}

static void newcomers_in_the_middle(void **state)
{
	struct world *w = world_new();
	rotate(w, "/troth/server");
	rotate(w, "/troth/agents");
	node_add(w, "n3"); /* before anything moved */
	server_turn(w);
	node_add(w, "n4")->off = true;
	check_pairs(w);
	settle(w);
	assert_false(done(w)); /* who enrolled and never came counts */
	w->nodes[4].off = false;
	settle(w);
	assert_true(done(w));
	node_add(w, "n5");
	settle(w);
	all_follow(w, "/troth/server", false);
	all_follow(w, "/troth/agents", true);
	world_free(w);
}

static void principals_are_waited_for(void **state)
{
	struct world *w = world_new();
	struct principal_view_ret ret;
	struct principal_add_cmd alice = { .name = "alice", .role = "auditor", .csr = room_csr(w->r, KEY_EC_P256) };
	struct principal_add_cmd bob = { .name = "bob", .role = "auditor", .csr = room_csr(w->r, KEY_EC_P256) };
	room_do(w->r, &VERB_PRINCIPAL_ADD, &alice, &ret);
	rotate(w, "/troth/agents");
	room_do(w->r, &VERB_PRINCIPAL_ADD, &bob, &ret); /* of the old one still */
	settle(w);
	assert_false(done(w));
	assert_true(waits_for(w, "/troth/agents", "the client certificate of alice"));
	assert_true(waits_for(w, "/troth/agents", "the client certificate of bob"));
	struct principal_rotate_cmd again = { "alice", room_csr(w->r, KEY_EC_P256) };
	room_do(w->r, &VERB_PRINCIPAL_ROTATE, &again, &ret);
	assert_false(done(w));
	assert_false(waits_for(w, "/troth/agents", "alice"));
	room_do(w->r, &VERB_PRINCIPAL_REVOKE, &(struct id_cmd){ "bob" }, &(struct no_ret){ 0 });
	settle(w);
	assert_true(done(w));
	world_free(w);
}

/* Its certificate was signed and did not reach the file: after its restart the server shows the one before. */
static void a_server_that_died_shows_what_its_files_hold(void **state)
{
	struct world *w = world_new();
	struct server_certificate_ret lost;
	struct server_certificate_cmd cmd = { .csr = room_csr(w->r, KEY_EC_P256) };
	rotate(w, "/troth/server");
	for (size_t i = 0; i < w->count; i++)
		node_turn(w, &w->nodes[i]); /* the label moves */
	say(w, &PRINCIPAL_SYSTEM, &VERB_SERVER_CERTIFICATE, &cmd, &lost);
	w->started = w->told = false;
	w->server_off = true;
	settle(w);
	assert_true(waits_for(w, "/troth/server", "troth server/certificate"));
	for (size_t i = 0; i < w->count; i++)
		assert_int_equal(fingerprints(w, w->nodes[i].trust).count, 2);
	w->server_off = false;
	settle(w);
	assert_true(done(w));
	all_follow(w, "/troth/server", false);
	world_free(w);
}

static void a_renewal_whose_answer_is_lost(void **state)
{
	struct world *w = world_new();
	struct msg_renewed lost;
	rotate(w, "/troth/agents");
	server_turn(w);
	struct msg_identity m = { room_csr(w->r, KEY_EC_P256) };
	say(w, &w->nodes[0].who, &VERB_IDENTITY_RENEW, &m, &lost);
	w->nodes[0].off = true;
	settle(w);
	assert_false(done(w)); /* it may have the old one still */
	w->nodes[0].off = false;
	node_renew(w, &w->nodes[0]);
	settle(w);
	assert_true(done(w));
	world_free(w);
}

static void who_leaves_is_waited_for_no_longer(void **state)
{
	struct world *w = world_new();
	w->nodes[1].off = true;
	rotate(w, "/troth/agents");
	rotate(w, "/troth/server");
	settle(w);
	assert_false(done(w));
	w->nodes[1].excused = true;
	struct instance_delete_cmd cmd = { w->nodes[1].id, true };
	room_do(w->r, &VERB_INSTANCE_DELETE, &cmd, &(struct no_ret){ 0 });
	settle(w);
	assert_true(done(w));
	world_free(w);
}

/* What an agent holds is unknown until it has said so again; nothing relies on it. */
static void a_restored_server_asks_again(void **state)
{
	struct world *w = world_new();
	struct epoch_ret ret;
	rotate(w, "/troth/server");
	settle(w);
	assert_true(rc_ok(room_try(w->r, &PRINCIPAL_SYSTEM, &VERB_EPOCH, &(struct epoch_cmd){ 7, 1 }, &ret)));
	assert_true(ret.raised);
	w->started = w->told = false;
	rotate(w, "/troth/server");
	server_turn(w);
	for (size_t i = 0; i < w->count; i++)
		w->nodes[i].session = 0;
	for (size_t i = 0; i < w->count; i++) {
		node_open(w, &w->nodes[i]);
		node_report(w, &w->nodes[i]);
	}
	settle(w);
	assert_true(done(w));
	all_follow(w, "/troth/server", false);
	world_free(w);
}

/* The scheduler orders them; the bridge needs a second answer of the keeper. */
/* The server, and principals with a certificate, stand among the instances: nobody deletes, waives or shows them as such. */
static void they_are_no_instances_for_others(void **state)
{
	struct world *w = world_new();
	struct deployment_row own;
	struct instance_row server;
	rotate(w, "/troth/agents");
	settle(w);
	struct tx *tx = room_read(w->r);
	assert_true(rc_ok(deployment_row_by_name(tx, w->r->a, OWN_DEPLOYMENT, &own, NULL)));
	assert_true(rc_ok(instance_row_by_name(tx, w->r->a, own.id, OWN_SERVER_INSTANCE, &server, NULL)));
	room_read_end(w->r, tx);
	const struct principal *who = &w->r->admin;
	room_refused(w->r, who, &VERB_INSTANCE_DELETE, &(struct instance_delete_cmd){ server.uuid, true }, TROTH_NOT_FOUND, "no such instance");
	room_refused(w->r, who, &VERB_WAIVE, &(struct waive_cmd){ server.uuid, "why not" }, TROTH_NOT_FOUND, "no such instance");
	room_refused(w->r, who, &VERB_INSTANCE_SHOW, &(struct id_cmd){ server.uuid }, TROTH_NOT_FOUND, "no such instance");
	rotate(w, "/troth/agents"); /* it counts as ever */
	settle(w);
	assert_true(done(w));
	all_follow(w, "/troth/agents", true);
	world_free(w);
}

static void they_begin_by_themselves(void **state)
{
	struct room *r = room_new();
	struct rotation_row *rows;
	struct version_row v;
	size_t n;
	r->now += 2500 * MSEC_DAY; /* of 3650 */
	assert_true(rc_ok(room_try(r, &PRINCIPAL_SYSTEM, &VERB_SWEEP, &(struct no_cmd){ 0 }, &(struct sweep_ret){ 0 })));
	for (int i = 0; i < 4; i++)
		if (rc_failed(room_try(r, &PRINCIPAL_SYSTEM, &VERB_EFFECT, &(struct effect_cmd){ 0 }, &(struct effect_ret){ 0 })))
			fail_msg("%s", r->e.primary);
	struct tx *tx = room_read(r);
	assert_true(rc_ok(rotation_row_list(tx, r->a, PAGE_ALL, &rows, &n, &r->e)));
	assert_int_equal(n, 2);
	for (size_t i = 0; i < n; i++) {
		struct credential_row c;
		assert_true(rc_ok(version_row_get(tx, r->a, rows[i].new_version, &v, &r->e)));
		assert_true(rc_ok(credential_row_get(tx, r->a, rows[i].credential_id, &c, &r->e)));
		assert_int_equal(v.cross_cert != 0, text_equal(c.name, "/troth/server"));
	}
	room_read_end(r, tx);
	room_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_are_rotated),
		cmocka_unit_test(nothing_is_there_before),
		cmocka_unit_test(who_is_away_is_waited_for_by_name),
		cmocka_unit_test(who_is_waived_returns_with_a_token),
		cmocka_unit_test(who_is_waived_returns_by_itself),
		cmocka_unit_test(an_abort_walks_back),
		cmocka_unit_test(newcomers_in_the_middle),
		cmocka_unit_test(principals_are_waited_for),
		cmocka_unit_test(a_server_that_died_shows_what_its_files_hold),
		cmocka_unit_test(a_renewal_whose_answer_is_lost),
		cmocka_unit_test(who_leaves_is_waited_for_no_longer),
		cmocka_unit_test(a_restored_server_asks_again),
		cmocka_unit_test(they_are_no_instances_for_others),
		cmocka_unit_test(they_begin_by_themselves),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
