/* An agent key becomes a staged chain, once. */
#include "fleet.h"

static const char *make_csr(struct fleet *f, enum key_type type)
{
	struct key *k;
	const char *pem;
	struct troth_err e = { 0 };
	FLEET_CHECK(f, rc_ok(key_generate(type, &k, &e)));
	FLEET_CHECK(f, rc_ok(csr_build(f->a, k, "x", &pem, &e)));
	key_release(k);
	return pem;
}

/* A fleet in which svc-0 is asked for a key and has not answered. */
static struct fleet *asked(struct fleet_node **ret_node, struct msg_csr *ret_csr)
{
	struct fleet *f = fleet_demo();
	struct fleet_node *n = fleet_node(f, "svc-0");
	n->off = true;
	fleet_rotate(f, "/demo/ca");
	fleet_settle(f, 20);
	struct target_row t = fleet_target(f, n);
	FLEET_CHECK(f, t.csr_request != NULL);
	*ret_node = n;
	*ret_csr = (struct msg_csr){ n->session, n->places[0].id, t.csr_request, make_csr(f, KEY_EC_P256) };
	return f;
}

static void answered_once(void **state)
{
	struct fleet_node *n;
	struct msg_csr m;
	struct csr_ret first, second;
	struct troth_err e = { 0 };
	struct fleet *f = asked(&n, &m);
	int calls = f->keeper_calls;
	FLEET_CHECK(f, rc_ok(fleet_do(f, &n->who, &VERB_AGENT_CSR, &m, &first, &e)));
	FLEET_CHECK(f, rc_ok(fleet_do(f, &n->who, &VERB_AGENT_CSR, &m, &second, &e)));
	FLEET_CHECK(f, text_equal(first.version, m.request) && text_equal(second.version, m.request));
	FLEET_CHECK(f, f->keeper_calls == calls + 1);
	FLEET_CHECK(f, fleet_target(f, n).csr_request == NULL);
	fleet_free(f);
}

static void refused(void **state)
{
	struct fleet_node *n;
	struct msg_csr m;
	struct fleet *f = asked(&n, &m);
	struct msg_csr bad = m;
	bad.request = "11111111-1111-4111-8111-111111111111";
	fleet_refused(f, &n->who, &VERB_AGENT_CSR, &bad, TROTH_CONFLICT, "no request");
	bad = m;
	bad.csr = make_csr(f, KEY_EC_P384);
	fleet_refused(f, &n->who, &VERB_AGENT_CSR, &bad, TROTH_INVALID, "ec-p384");
	bad = m;
	bad.csr = "-----BEGIN CERTIFICATE REQUEST-----";
	fleet_refused(f, &n->who, &VERB_AGENT_CSR, &bad, TROTH_INVALID, "");
	bad = m;
	bad.session--;
	fleet_refused(f, &n->who, &VERB_AGENT_CSR, &bad, TROTH_CONFLICT, "type:stale-session");
	bad = m;
	bad.target = fleet_node(f, "svc-1")->places[0].id;
	fleet_refused(f, &n->who, &VERB_AGENT_CSR, &bad, TROTH_FORBIDDEN, "another instance");
	FLEET_CHECK(f, text_equal(fleet_target(f, n).csr_request, m.request));
	fleet_free(f);
}

/* The keeper signs while an abort flips the goal: the certificate of the unwanted CA is not staged. */
struct flip { struct fleet *f; struct verb_keeper line; bool done; };

static troth_rc flip_call(void *self, struct arena *a, const struct keeper_request *const *need, size_t n,
			  const struct keeper_reply **replies, struct troth_err *e)
{
	struct flip *flip = self;
	struct fleet *f = flip->f;
	if (!flip->done) {
		struct rotation_ret ret;
		flip->done = true;
		f->line = flip->line;
		fleet_must(f, &VERB_ROTATION_ABORT, &(struct rotation_cmd){ "/demo/ca" }, &ret);
	}
	return flip->line.call(flip->line.self, a, need, n, replies, e);
}

static void signer_moved_while_signing(void **state)
{
	struct fleet_node *n;
	struct msg_csr m;
	struct csr_ret ret;
	struct troth_err e = { 0 };
	struct fleet *f = asked(&n, &m);
	struct verb_ctx ctx;
	struct flip flip = { f, f->line, false };
	struct verb_keeper line = { &flip, flip_call };
	verb_ctx_init(&ctx, f->a, &n->who, &f->port, f->now);
	troth_rc rc = verb_run(f->svc, &VERB_AGENT_CSR, &ctx, &line, &m, &ret, &e);
	fleet_tell(f, "csr: %s", rc_ok(rc) ? "issued" : e.primary);
	n->off = false;
	fleet_settle(f, 60);
	FLEET_CHECK(f, !fleet_rotation(f, "/demo/ca").going_back);
	fleet_all_hands(f);
	fleet_free(f);
}

/* The keeper signs a CA while its issuer is rotated: it is not stored under the one that went; refused, or signed again. */
struct rotation_meanwhile { struct fleet *f; struct verb_keeper line; bool done; };

static troth_rc rotate_call(void *self, struct arena *a, const struct keeper_request *const *need, size_t n,
			    const struct keeper_reply **replies, struct troth_err *e)
{
	struct rotation_meanwhile *m = self;
	if (!m->done) {
		m->done = true;
		fleet_rotate(m->f, "/demo/ca");
		fleet_settle(m->f, 60);
	}
	return m->line.call(m->line.self, a, need, n, replies, e);
}

static void issuer_moved_while_signing(void **state)
{
	struct fleet *f = fleet_demo();
	struct rotation_meanwhile m = { f, f->line, false };
	struct verb_keeper line = { &m, rotate_call };
	struct authority_create_cmd cmd = { .name = "/demo/below", .issuer = "/demo/ca", .path_len = AUTHORITY_PATH_LEN_DEFAULT };
	struct credential_list_ret list;
	struct credential_ret below, above;
	struct troth_err e = { 0 };
	struct verb_ctx ctx;
	verb_ctx_init(&ctx, f->a, &f->admin, &f->port, f->now);
	troth_rc rc = verb_run(f->svc, &VERB_AUTHORITY_CREATE, &ctx, &line, &cmd, &below, &e);
	fleet_tell(f, "create: %s", rc_ok(rc) ? "made" : e.primary);
	FLEET_CHECK(f, m.done && (rc_ok(rc) || e.kind == TROTH_CONFLICT));
	if (rc_failed(rc)) {
		fleet_must(f, &VERB_AUTHORITY_LIST, &(struct list_cmd){ .name = "/demo/below" }, &list);
		FLEET_CHECK(f, list.count == 0);
		fleet_free(f);
		return;
	}
	fleet_must(f, &VERB_AUTHORITY_LIST, &(struct list_cmd){ .name = "/demo/ca" }, &list);
	fleet_must(f, &VERB_AUTHORITY_SHOW, &(struct id_cmd){ list.items[0].row.uuid }, &above);
	FLEET_CHECK(f, above.credential.version_count == 2 && above.credential.versions[0].row.signing);
	FLEET_CHECK(f, text_equal(below.credential.versions[0].signed_by, above.credential.versions[0].row.uuid));
	fleet_free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(answered_once),
		cmocka_unit_test(refused),
		cmocka_unit_test(signer_moved_while_signing),
		cmocka_unit_test(issuer_moved_while_signing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
