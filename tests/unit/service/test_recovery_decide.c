/* Recoveries for people: lists, yes and no, and the member that comes back. */
#include "fleet.h"

#include "service/fleet/recovery.h"

static const char *hex_signature(struct fleet *f, const struct key *key, const struct msg_recovery *m)
{
	CLEANUP(buf_release) struct buf out = buf_make(256);
	struct troth_err e = { 0 };
	FLEET_CHECK(f, rc_ok(key_sign(key, msg_recovery_signed(f->a, m), &out, &e)));
	return hex_encode(out.data, out.len, arena_alloc(f->a, 2 * out.len + 1));
}

/* The node asks for an identity with the key `next`. */
static struct msg_recovering ask(struct fleet *f, struct fleet_node *n, const struct key *next)
{
	struct troth_err e = { 0 };
	struct msg_nonce nonce;
	struct msg_recovering ret;
	f->now += 5 * MSEC_S;
	FLEET_CHECK(f, rc_ok(fleet_do(f, &PRINCIPAL_ANONYMOUS, &VERB_RECOVERY_NONCE, &(struct no_cmd){ 0 }, &nonce, &e)));
	struct msg_recovery m = { .certificate = cert_pem(f->a, n->identity_der), .nonce = nonce.nonce, .peer = "192.0.2.9" };
	FLEET_CHECK(f, rc_ok(csr_build(f->a, next, n->uuid, &m.csr, &e)));
	m.signature = hex_signature(f, n->identity, &m);
	if (rc_failed(fleet_do(f, &PRINCIPAL_ANONYMOUS, &VERB_RECOVERY_ASK, &m, &ret, &e)))
		fleet_fail(f, e.primary, __FILE__, __LINE__);
	fleet_tell(f, "%s asked for recovery: %s", n->name, ret.state);
	return ret;
}

/* With what it was given it is the one it was. */
static void become(struct fleet *f, struct fleet_node *n, const struct msg_recovering *m, struct key *next)
{
	struct troth_err e = { 0 };
	const struct cert *c;
	struct principal_ret who;
	FLEET_CHECK(f, rc_ok(cert_parse_any(f->a, bytes_of_text(m->certificate), &c, &e)));
	key_release(n->identity);
	n->identity = next;
	n->identity_der = c->der;
	fleet_must(f, &VERB_PRINCIPAL_RESOLVE, &(struct principal_resolve_cmd){ .peer_cert = c->der }, &who);
	n->who = who.principal;
}

static struct key *new_key(struct fleet *f)
{
	struct troth_err e = { 0 };
	struct key *k;
	FLEET_CHECK(f, rc_ok(key_generate(KEY_EC_P256, &k, &e)));
	return k;
}

/* All fleets here have identities of an hour: everything else lives longer. */
static struct fleet *short_lives(void)
{
	struct fleet *f = fleet_new();
	struct tx *tx;
	struct troth_err e = { 0 };
	struct credential_row agents;
	FLEET_CHECK(f, rc_ok(store_write_begin(f->store, &tx, &e)));
	FLEET_CHECK(f, rc_ok(credential_row_by_name(tx, f->a, "/troth/agents", &agents, &e)));
	agents.leaf_ttl = MSEC_HOUR;
	FLEET_CHECK(f, rc_ok(credential_row_update(tx, &agents, &e)));
	FLEET_CHECK(f, rc_ok(store_write_commit(tx, &e)));
	fleet_populate(f);
	return f;
}

static struct recovery_decide_ret approve(struct fleet *f, const char *uuid)
{
	struct recovery_decide_ret ret;
	const char *ids[] = { uuid };
	fleet_must(f, &VERB_RECOVERY_APPROVE, &(struct recovery_decide_cmd){ .instances = { ids, uuid != NULL }, .all = !uuid }, &ret);
	return ret;
}

static struct recovery_list_ret list(struct fleet *f)
{
	struct recovery_list_ret ret;
	fleet_must(f, &VERB_RECOVERY_LIST, &(struct recovery_list_cmd){ 0 }, &ret);
	return ret;
}

/* Back after its identity ended: what it holds is unknown until it says so, and then it counts as before. */
static void back_like_one_that_was_long_away(void **state)
{
	struct fleet *f = short_lives();
	struct fleet_node *n = fleet_node(f, "app-1");
	struct key *next = new_key(f);
	n->off = true;
	f->now += 2 * MSEC_HOUR;
	FLEET_CHECK(f, text_equal(ask(f, n, next).state, "pending"));
	FLEET_CHECK(f, fleet_target(f, n).base_known);
	approve(f, n->uuid);
	FLEET_CHECK(f, fleet_target(f, n).base_known); /* nobody has come yet */
	struct msg_recovering m = ask(f, n, next);
	FLEET_CHECK(f, text_equal(m.state, "approved") && !fleet_target(f, n).base_known && fleet_target(f, n).state == TARGET_COUNTED);
	become(f, n, &m, next);
	n->off = false;
	fleet_open(f, n);
	FLEET_CHECK(f, !fleet_target(f, n).base_known && list(f).count == 0);
	fleet_report(f, n, &n->places[0]);
	FLEET_CHECK(f, fleet_target(f, n).base_known);
	struct rotate_ret r = fleet_rotate(f, "/demo/ca");
	fleet_settle(f, 60);
	FLEET_CHECK(f, text_equal(fleet_rotation(f, r.rotation).state, "done") && fleet_trusts(f, n, r.new_version));
	fleet_all_hands(f);
	fleet_free(f);
}

/* Waived meanwhile: it comes back as a joiner (decision 0032). */
static void a_waived_one_joins(void **state)
{
	struct fleet *f = short_lives();
	struct fleet_node *n = fleet_node(f, "app-1");
	struct key *next = new_key(f);
	struct waive_ret waived;
	n->off = n->excused = true;
	fleet_must(f, &VERB_WAIVE, &(struct waive_cmd){ n->uuid, "away" }, &waived);
	f->now += 2 * MSEC_HOUR;
	ask(f, n, next);
	FLEET_CHECK(f, text_equal(list(f).items[0].instance_state, "waived"));
	approve(f, n->uuid);
	struct msg_recovering m = ask(f, n, next);
	FLEET_CHECK(f, fleet_instance(f, n).state == INSTANCE_WAIVED && fleet_target(f, n).state == TARGET_WAIVED);
	become(f, n, &m, next);
	n->off = false;
	fleet_open(f, n);
	FLEET_CHECK(f, fleet_instance(f, n).state == INSTANCE_ACTIVE && fleet_target(f, n).state == TARGET_JOINING);
	fleet_settle(f, 30);
	FLEET_CHECK(f, fleet_target(f, n).state == TARGET_COUNTED);
	fleet_free(f);
}

static void all_at_once(void **state)
{
	struct fleet *f = short_lives();
	struct key *keys[8] = { NULL };
	f->now += 2 * MSEC_HOUR;
	for (size_t i = 0; i < f->node_count; i++)
		ask(f, &f->nodes[i], keys[i] = new_key(f));
	FLEET_CHECK(f, list(f).count == f->node_count);
	struct key *rival = new_key(f);
	FLEET_CHECK(f, text_equal(ask(f, &f->nodes[0], rival).state, "contested"));
	struct recovery_decide_ret ret = approve(f, NULL);
	FLEET_CHECK(f, ret.instances.count == f->node_count - 1 && ret.left == 1);
	for (size_t i = 1; i < f->node_count; i++)
		FLEET_CHECK(f, text_equal(ask(f, &f->nodes[i], keys[i]).state, "approved"));
	ret = approve(f, NULL);
	FLEET_CHECK(f, ret.instances.count == 0 && ret.left == 1);
	for (size_t i = 0; i < f->node_count; i++)
		key_release(keys[i]);
	key_release(rival);
	fleet_free(f);
}

static void explain_names_who_waits(void **state)
{
	struct fleet *f = short_lives();
	struct fleet_node *n = fleet_node(f, "app-1");
	struct key *next = new_key(f);
	n->off = true;
	FLEET_CHECK(f, !fleet_waits(f, NULL, "app-1", "recovery"));
	f->now += 2 * MSEC_HOUR;
	msec_t asked = f->now + 5 * MSEC_S;
	ask(f, n, next);
	FLEET_CHECK(f, fleet_waits(f, NULL, "app-1", "recovery") && fleet_waits(f, "app-1", "app-1", "recovery"));
	FLEET_CHECK(f, fleet_waits(f, "app-1/trust", "app-1", "recovery") && !fleet_waits(f, "/demo/ca", "app-1", "recovery"));
	FLEET_CHECK(f, !fleet_waits(f, "app-2", "app-1", "recovery"));
	struct explain_ret x = fleet_explain(f, "app-1");
	FLEET_CHECK(f, x.items[0].since == asked && text_equal(x.items[0].speaker, "operator"));
	assert_string_equal(explain_plain(f->a, &x.items[0]), "app-1 has lost its identity, which expired, and asks for a new one");
	assert_string_equal(explain_hint(f->a, &x.items[0]), "troth recover list, and then: troth recover approve app-1");
	/* who waits for it is told the same */
	fleet_rotate(f, "/demo/ca");
	f->now += 10 * MSEC_MIN;
	fleet_settle(f, 5);
	fleet_wake(f);
	x = fleet_explain(f, "/demo/ca");
	bool told = false;
	for (size_t i = 0; i < x.count; i++)
		if (text_equal(x.items[i].reason, "offline") && text_equal(x.items[i].instance, "app-1"))
			told = strstr(explain_plain(f->a, &x.items[i]), "whose identity has expired") &&
			       strstr(explain_hint(f->a, &x.items[i]), "troth recover approve app-1");
	FLEET_CHECK(f, told);
	approve(f, n->uuid);
	FLEET_CHECK(f, !fleet_waits(f, NULL, "app-1", "recovery"));
	key_release(next);
	fleet_free(f);
}

static void refusals(void **state)
{
	struct fleet *f = short_lives();
	struct fleet_node *n = fleet_node(f, "app-1");
	struct key *next = new_key(f);
	struct recovery_decide_cmd cmd = { 0 };
	struct principal auditor = { .name = "eve", .roles = ROLE_AUDITOR }, narrow = { .name = "op", .roles = ROLE_OPERATOR, .scope = "svc" };
	const char *ids[] = { n->uuid, n->uuid };
	struct recovery_decide_ret ret;
	struct recovery_list_ret seen;
	struct troth_err e = { 0 };
	const struct verb *verbs[] = { &VERB_RECOVERY_APPROVE, &VERB_RECOVERY_DENY };
	for (int i = 0; i < 2; i++) {
		cmd = (struct recovery_decide_cmd){ 0 };
		fleet_refused(f, &f->admin, verbs[i], &cmd, TROTH_INVALID, "missing");
		cmd.instances = (struct json_texts){ ids, 1 };
		fleet_refused(f, &f->admin, verbs[i], &cmd, TROTH_NOT_FOUND, "asks for no recovery");
		fleet_refused(f, &auditor, verbs[i], &cmd, TROTH_FORBIDDEN, "may not do");
		fleet_refused(f, &n->who, verbs[i], &cmd, TROTH_FORBIDDEN, "may not do");
		fleet_refused(f, &narrow, verbs[i], &cmd, TROTH_NOT_FOUND, "");
		ids[0] = "app-1";
		fleet_refused(f, &f->admin, verbs[i], &cmd, TROTH_NOT_FOUND, "");
		ids[0] = n->uuid;
		cmd.all = true;
		fleet_refused(f, &f->admin, verbs[i], &cmd, TROTH_INVALID, "");
	}
	cmd = (struct recovery_decide_cmd){ .all = true };
	fleet_refused(f, &f->admin, &VERB_RECOVERY_DENY, &cmd, TROTH_INVALID, "for approving");
	cmd = (struct recovery_decide_cmd){ .instances = { ids, LIMIT_RECOVERIES + 1 } };
	fleet_refused(f, &f->admin, &VERB_RECOVERY_DENY, &cmd, TROTH_INVALID, "more than");
	f->now += 2 * MSEC_HOUR;
	ask(f, n, next);
	FLEET_CHECK(f, rc_ok(fleet_do(f, &narrow, &VERB_RECOVERY_LIST, &(struct recovery_list_cmd){ 0 }, &seen, &e)) && seen.count == 0);
	cmd = (struct recovery_decide_cmd){ .all = true };
	FLEET_CHECK(f, rc_ok(fleet_do(f, &narrow, &VERB_RECOVERY_APPROVE, &cmd, &ret, &e)) && ret.instances.count == 0 && ret.left == 0);
	approve(f, n->uuid);
	ask(f, n, next);
	cmd = (struct recovery_decide_cmd){ .instances = { ids, 1 } };
	fleet_refused(f, &f->admin, &VERB_RECOVERY_DENY, &cmd, TROTH_CONFLICT, "has its new identity already");
	key_release(next);
	fleet_free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(back_like_one_that_was_long_away),
		cmocka_unit_test(a_waived_one_joins),
		cmocka_unit_test(all_at_once),
		cmocka_unit_test(explain_names_who_waits),
		cmocka_unit_test(refusals),
	};
	return cmocka_run_group_tests_name("recovery_decide", tests, NULL, NULL);
}
