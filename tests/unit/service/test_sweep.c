/* Putting away: who never came, and what left long ago. */
#include "fleet.h"

static struct sweep_ret sweep(struct fleet *f)
{
	struct sweep_ret ret;
	struct troth_err e = { 0 };
	FLEET_CHECK(f, rc_ok(fleet_do(f, &PRINCIPAL_SYSTEM, &VERB_SWEEP, &(struct no_cmd){ 0 }, &ret, &e)));
	return ret;
}

static void abandoned_joiners_leave(void **state)
{
	struct fleet *f = fleet_demo();
	struct fleet_node *n = fleet_join(f, "svc", "svc-9");
	n->off = true;
	FLEET_CHECK(f, sweep(f).abandoned == 0);
	f->now += LIMIT_JOINING_S * MSEC_S + MSEC_MIN;
	FLEET_CHECK(f, sweep(f).abandoned == 1 && sweep(f).abandoned == 0);
	FLEET_CHECK(f, fleet_instance(f, n).state == INSTANCE_LEFT);
	FLEET_CHECK(f, fleet_instance(f, fleet_node(f, "svc-0")).state == INSTANCE_ACTIVE); /* silent too, but it was admitted */
	fleet_join(f, "svc", "svc-9"); /* the name is free */
	fleet_free(f);
}

static void ephemerals_are_forgotten(void **state)
{
	struct fleet *f = fleet_demo();
	struct deployment_ret ret;
	struct store_template store = { .path = "$", .name = "trust", .profile = "pem-files", .bundle = "/demo/trust" };
	struct deployment_create_cmd cmd = { .name = "check", .stores = &store, .store_count = 1, .ephemeral = true, .ttl = MSEC_MIN };
	struct token_list_ret tokens;
	struct instance_row row;
	struct troth_err e = { 0 };
	fleet_must(f, &VERB_DEPLOYMENT_CREATE, &cmd, &ret);
	struct fleet_node *n = fleet_join(f, "check", "check-1");
	n->until = f->now + MSEC_MIN;
	fleet_settle(f, 10);
	f->now += 2 * MSEC_MIN;
	fleet_wake(f);
	FLEET_CHECK(f, fleet_instance(f, n).state == INSTANCE_LEFT && sweep(f).forgotten == 0);
	f->now += LIMIT_LEFT_KEPT_S * MSEC_S + 1;
	FLEET_CHECK(f, sweep(f).forgotten == 1);
	struct tx *tx = fleet_read(f);
	FLEET_CHECK(f, rc_failed(instance_row_by_uuid(tx, f->a, n->uuid, &row, &e)));
	fleet_read_end(f, tx);
	fleet_must(f, &VERB_TOKEN_LIST, &(struct token_list_cmd){ .deployment = "check" }, &tokens);
	FLEET_CHECK(f, tokens.count == 0);
	fleet_refused(f, &f->admin, &VERB_SWEEP, &(struct no_cmd){ 0 }, TROTH_FORBIDDEN, "");
	fleet_free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(abandoned_joiners_leave), cmocka_unit_test(ephemerals_are_forgotten) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
