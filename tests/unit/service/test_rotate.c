/* Starting a rotation: the plan, the refusals. */
#include "fleet.h"

static void dry_run_changes_nothing(void **state)
{
	struct fleet *f = fleet_demo();
	struct rotate_ret r;
	int calls = f->keeper_calls;
	fleet_node(f, "app-1")->off = true;
	f->now += 10 * MSEC_MIN;
	fleet_settle(f, 2);
	f->dry_run = true;
	fleet_must(f, &VERB_ROTATE, &(struct rotate_cmd){ .name = "/demo/ca" }, &r);
	f->dry_run = false;
	FLEET_CHECK(f, r.dry_run && !r.rotation && r.stores == 3 && r.slots == 3 && r.step_count == 5);
	FLEET_CHECK(f, r.waiting_count == 1 && text_equal(r.waiting[0].name, "app-1"));
	FLEET_CHECK(f, strstr(r.waiting[0].why, "not heard of") != NULL);
	FLEET_CHECK(f, f->keeper_calls == calls);
	fleet_refused(f, &f->admin, &VERB_ROTATION_SHOW, &(struct rotation_cmd){ "/demo/ca" }, TROTH_NOT_FOUND, "never rotated");
	fleet_free(f);
}

static void refusals(void **state)
{
	struct fleet *f = fleet_demo();
	struct principal auditor = { .name = "eve", .roles = ROLE_AUDITOR };
	struct principal narrow = { .name = "op", .roles = ROLE_OPERATOR, .scope = "/prod/" "*" };
	struct rotate_cmd cmd = { .name = "/demo/none" };
	fleet_refused(f, &f->admin, &VERB_ROTATE, &cmd, TROTH_NOT_FOUND, "");
	cmd.name = NULL;
	fleet_refused(f, &f->admin, &VERB_ROTATE, &cmd, TROTH_INVALID, "which");
	cmd.name = "/demo/ca";
	fleet_refused(f, &auditor, &VERB_ROTATE, &cmd, TROTH_FORBIDDEN, "may not do");
	fleet_refused(f, &narrow, &VERB_ROTATE, &cmd, TROTH_NOT_FOUND, "no such credential");
	cmd.name = "/troth/server-tls";
	fleet_refused(f, &f->admin, &VERB_ROTATE, &cmd, TROTH_UNSAFE, "renewed by itself");
	cmd = (struct rotate_cmd){ .name = "/troth/agents", .compromised = true };
	fleet_refused(f, &f->admin, &VERB_ROTATE, &cmd, TROTH_UNSAFE, "not distrusted at once");
	cmd = (struct rotate_cmd){ 0 };
	cmd.name = "/demo/ca";
	struct rotate_ret r = fleet_rotate(f, "/demo/ca");
	fleet_refused(f, &f->admin, &VERB_ROTATE, &cmd, TROTH_CONFLICT, r.rotation);
	fleet_settle(f, 60);
	fleet_rotate(f, "/demo/ca"); /* over: the next one may start */
	fleet_free(f);
}

static void intermediate(void **state)
{
	struct fleet *f = fleet_demo();
	struct credential_ret made;
	struct rotate_ret r;
	fleet_must(f, &VERB_AUTHORITY_CREATE,
		   &(struct authority_create_cmd){ .name = "/demo/inter", .issuer = "/demo/ca", .path_len = AUTHORITY_PATH_LEN_DEFAULT },
		   &made);
	fleet_must(f, &VERB_ROTATE, &(struct rotate_cmd){ .name = "/demo/inter" }, &r);
	FLEET_CHECK(f, r.new_version != NULL);
	fleet_settle(f, 10);
	FLEET_CHECK(f, text_equal(fleet_rotation(f, r.rotation).state, "done"));
	fleet_free(f);
}

/* The pause was of the first; nobody could have lifted it for the second, which runs. */
static void a_second_rotation_ends_the_pause_of_the_first(void **state)
{
	struct fleet *f = fleet_demo();
	struct rotate_ret first = fleet_rotate(f, "/demo/ca"), second;
	struct rotation_ret paused;
	fleet_must(f, &VERB_ROTATION_PAUSE, &(struct rotation_cmd){ first.rotation }, &paused);
	fleet_must(f, &VERB_ROTATE, &(struct rotate_cmd){ .name = "/demo/ca", .again = true }, &second);
	fleet_settle(f, 40);
	FLEET_CHECK(f, text_equal(fleet_rotation(f, second.rotation).state, "done"));
	FLEET_CHECK(f, fleet_explain(f, NULL).count == 0);
	fleet_all_hands(f);
	fleet_free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(dry_run_changes_nothing),
		cmocka_unit_test(refusals),
		cmocka_unit_test(intermediate),
		cmocka_unit_test(a_second_rotation_ends_the_pause_of_the_first),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
