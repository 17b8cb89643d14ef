/* A rotation led by hand, on a fleet: each step waits for everybody, by name; an administrator may insist. */
#include "elsewhere.h"
#include "fleet.h"

#include "service/handout/generate.h"
#include "service/intake/adopt.h"
#include "service/outside/holder.h"
#include "service/rotation/beside.h"

static struct lookup_ret look(struct fleet *f)
{
	struct lookup_ret ret;
	fleet_must(f, &VERB_CREDENTIAL_LOOKUP, &(struct lookup_cmd){ .name = "/demo/ca" }, &ret);
	return ret;
}

static struct generate_ret begin(struct fleet *f)
{
	struct generate_ret ret;
	fleet_must(f, &VERB_CREDENTIAL_GENERATE, &(struct generate_cmd){ .name = "/demo/ca", .again = true, .beside = true }, &ret);
	return ret;
}

static struct beside_cmd said(struct fleet *f, const char *version)
{
	return (struct beside_cmd){ look(f).credential.row.uuid, version, false };
}

static struct lookup_ret beside(struct fleet *f, struct beside_cmd cmd)
{
	struct lookup_ret ret;
	fleet_must(f, &VERB_AUTHORITY_BESIDE, &cmd, &ret);
	return ret;
}

static void refused(struct fleet *f, struct beside_cmd cmd, enum troth_kind kind, const char *words)
{
	fleet_refused(f, &f->admin, &VERB_AUTHORITY_BESIDE, &cmd, kind, words);
}

static void step_by_step(void **state)
{
	struct fleet *f = fleet_demo();
	struct fleet_node *app = fleet_node(f, "app-0"), *svc = fleet_node(f, "svc-0");
	const char *old = look(f).items[0].version->row.uuid;
	app->off = true;
	const char *new = begin(f).of.items[0].version->row.uuid;
	fleet_settle(f, 20);
	refused(f, said(f, old), TROTH_UNSAFE, "app-0");                 /* it does not trust the new one yet */
	refused(f, said(f, NULL), TROTH_UNSAFE, "app-0");                /* the call that would break everything */
	refused(f, said(f, NULL), TROTH_UNSAFE, arena_printf(f->a, "let the old version, %s, be the one beside first", old));
	FLEET_CHECK(f, look(f).items[0].beside && look(f).items[1].active);
	app->off = false;
	fleet_settle(f, 40);
	FLEET_CHECK(f, fleet_store_size(app) == 2 && !fleet_signed_by(f, svc, new)); /* nothing more by itself */
	svc->off = true;
	struct lookup_ret now = beside(f, said(f, old));
	FLEET_CHECK(f, now.items[0].active && now.items[1].beside);
	fleet_settle(f, 40);
	FLEET_CHECK(f, fleet_signed_by(f, fleet_node(f, "svc-1"), new) && fleet_store_size(app) == 2);
	refused(f, said(f, NULL), TROTH_UNSAFE, "svc-0 serves");
	FLEET_CHECK(f, look(f).items[1].beside);
	svc->off = false;
	fleet_settle(f, 40);
	now = beside(f, said(f, NULL));
	FLEET_CHECK(f, now.items[0].active && !now.items[1].beside);
	fleet_settle(f, 40);
	FLEET_CHECK(f, fleet_store_size(app) == 1 && fleet_explain(f, NULL).count == 0);
	beside(f, said(f, NULL)); /* it is so already */
	fleet_all_hands(f);
	fleet_free(f);
}

static void words_that_are_none(void **state)
{
	struct fleet *f = fleet_demo();
	const char *old = look(f).items[0].version->row.uuid;
	refused(f, said(f, old), TROTH_CONFLICT, "no rotation of it runs");
	beside(f, said(f, NULL)); /* nobody is: it is so already */
	const char *new = begin(f).of.items[0].version->row.uuid;
	struct generate_cmd more = { .name = "/demo/ca", .again = true, .beside = true };
	fleet_refused(f, &f->admin, &VERB_CREDENTIAL_GENERATE, &more, TROTH_CONFLICT, "already");
	refused(f, said(f, "11111111-1111-4111-8111-111111111111"), TROTH_INVALID, "has no version");
	beside(f, said(f, new));
	beside(f, said(f, "latest"));
	fleet_settle(f, 40);
	beside(f, said(f, old));
	refused(f, said(f, new), TROTH_CONFLICT, "going back");
	fleet_free(f);
}

static struct generate_ret take(struct fleet *f, const char *name)
{
	struct generate_ret ret;
	const char *san = "dns:lb.example";
	struct generate_cmd cmd = { .name = name, .issuer = "/demo/ca", .common_name = "lb", .sans = { &san, 1 }, .key_type = "ec-p256" };
	fleet_must(f, &VERB_CREDENTIAL_GENERATE, &cmd, &ret);
	return ret;
}

static const char *chain_of(struct fleet *f, const struct generate_ret *x) { return cert_pem(f->a, x->of.items[0].version->cert.der); }

/* Who took a newer certificate is taken at his word when the old CA shall go; who did not is named. */
static void holders_outside(void **state)
{
	struct fleet *f = fleet_demo();
	struct fleet_node *lb = fleet_stranger(f, "lb", MSG_SLOT);
	const char *old = look(f).items[0].version->row.uuid;
	struct generate_ret made = take(f, "/demo/lb"), lazy = take(f, "/demo/lazy");
	fleet_loads(f, lb, chain_of(f, &made));
	(void)lazy;
	begin(f);
	fleet_settle(f, 40);
	struct generate_ret early = take(f, "/demo/lb");
	FLEET_CHECK(f, text_equal(early.of.items[0].version->signed_by, old)); /* nobody said yet that the new one signs */
	beside(f, said(f, old));
	fleet_settle(f, 40);
	made = take(f, "/demo/lb");
	FLEET_CHECK(f, !text_equal(made.of.items[0].version->signed_by, old));
	fleet_loads(f, lb, chain_of(f, &made));
	refused(f, said(f, NULL), TROTH_UNSAFE, "/demo/lazy has no certificate");
	lazy = take(f, "/demo/lazy");
	beside(f, said(f, NULL));
	fleet_settle(f, 40);
	FLEET_CHECK(f, fleet_store_size(fleet_node(f, "app-0")) == 1);
	fleet_all_hands(f);
	fleet_free(f);
}

static void an_administrator_may_insist(void **state)
{
	struct fleet *f = fleet_demo();
	struct principal operator = f->admin;
	operator.roles = ROLE_OPERATOR;
	const char *old = look(f).items[0].version->row.uuid;
	take(f, "/demo/lazy");
	begin(f);
	fleet_settle(f, 40);
	beside(f, said(f, old));
	fleet_settle(f, 40);
	struct beside_cmd cmd = said(f, NULL);
	cmd.force = true;
	fleet_refused(f, &operator, &VERB_AUTHORITY_BESIDE, &cmd, TROTH_FORBIDDEN, "administrator");
	struct lookup_ret now = beside(f, cmd);
	FLEET_CHECK(f, !now.items[1].beside);
	fleet_settle(f, 40);
	FLEET_CHECK(f, fleet_store_size(fleet_node(f, "app-0")) == 1);
	fleet_all_hands(f);
	fleet_free(f);
}

static struct lookup_ret bring(struct fleet *f, const struct elsewhere *root, bool steps)
{
	CLEANUP(buf_release) struct buf pem = buf_make_secret(LIMIT_KEY_DER_BYTES);
	struct lookup_ret ret;
	assert_true(rc_ok(key_write(root->key, KEY_PKCS8_PEM, &pem, NULL)));
	struct authority_adopt_next_cmd cmd = { look(f).credential.row.uuid, NULL, root->pem, arena_text(f->a, buf_text(&pem)), steps };
	fleet_must(f, &VERB_AUTHORITY_ADOPT_NEXT, &cmd, &ret);
	return ret;
}

/* The next version of a root is somebody's own, with two CAs below it: by steps, then at once.  Every pair is tried at each change. */
static void a_brought_root_breaks_no_pair(void **state)
{
	struct fleet *f = fleet_levels(3);
	struct elsewhere first = elsewhere_root(f->a, f->now, "first"), second = elsewhere_root(f->a, f->now, "second");
	const char *old = look(f).items[0].version->row.uuid;
	const char *new = bring(f, &first, true).items[0].version->row.uuid;
	fleet_settle(f, 60);
	FLEET_CHECK(f, fleet_store_size(fleet_node(f, "app-0")) == 2 && fleet_chains_to(f, fleet_node(f, "svc-0"), old));
	beside(f, said(f, old));
	fleet_settle(f, 60);
	FLEET_CHECK(f, fleet_chains_to(f, fleet_node(f, "svc-0"), new));
	beside(f, said(f, NULL));
	fleet_settle(f, 60);
	FLEET_CHECK(f, fleet_store_size(fleet_node(f, "app-0")) == 1);
	new = bring(f, &second, false).items[0].version->row.uuid;
	fleet_settle(f, 120);
	FLEET_CHECK(f, fleet_store_size(fleet_node(f, "app-0")) == 1 && fleet_chains_to(f, fleet_node(f, "svc-1"), new));
	FLEET_CHECK(f, fleet_explain(f, NULL).count == 0);
	fleet_all_hands(f);
	key_release(first.key);
	key_release(second.key);
	fleet_free(f);
}

/* All of it at once: said yes to, and still walked step by step. */
static void insisting_breaks_no_pair(void **state)
{
	struct fleet *f = fleet_demo();
	struct fleet_node *app = fleet_node(f, "app-1");
	begin(f);
	app->off = true;
	struct beside_cmd cmd = said(f, NULL);
	cmd.force = true;
	beside(f, cmd);
	fleet_settle(f, 20);
	FLEET_CHECK(f, !fleet_signed_by(f, fleet_node(f, "svc-0"), look(f).items[0].version->row.uuid));
	app->off = false;
	fleet_settle(f, 80);
	FLEET_CHECK(f, fleet_store_size(app) == 1);
	fleet_all_hands(f);
	fleet_free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(step_by_step),		       cmocka_unit_test(words_that_are_none),	   cmocka_unit_test(holders_outside),
		cmocka_unit_test(an_administrator_may_insist), cmocka_unit_test(insisting_breaks_no_pair),
		cmocka_unit_test(a_brought_root_breaks_no_pair),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
