/* From a signature to a staged chain. */
#include "fleet.h"

static void the_version_answers_the_request(void **state)
{
	struct fleet *f = fleet_demo();
	struct version_row *versions;
	struct credential_row c;
	struct troth_err e = { 0 };
	size_t n;
	struct tx *tx = fleet_read(f);
	FLEET_CHECK(f, rc_ok(credential_row_by_name(tx, f->a, "/demo/svc-0/server", &c, &e)));
	FLEET_CHECK(f, rc_ok(version_row_list_credential(tx, f->a, c.id, PAGE_ALL, &versions, &n, &e)) && n == 1);
	FLEET_CHECK(f, versions[0].source == VERSION_CSR && versions[0].wanted && versions[0].renew_at > f->now);
	FLEET_CHECK(f, text_equal(versions[0].uuid, fleet_node(f, "svc-0")->keys[0].request));
	fleet_read_end(f, tx);
	fleet_free(f);
}

/* Renewal is time's doing alone: the slot is asked again when two thirds of the leaf's life are over. */
static void renewed_by_time(void **state)
{
	struct fleet *f = fleet_demo();
	int calls = f->keeper_calls;
	for (int i = 0; i < 70; i++) {
		f->now += MSEC_DAY;
		fleet_settle(f, 6);
		fleet_wake(f);
	}
	FLEET_CHECK(f, f->keeper_calls == calls + 3);
	fleet_all_hands(f);
	fleet_free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_version_answers_the_request),
		cmocka_unit_test(renewed_by_time),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
