/* Acts become rows; each batch is one audit row. */
#include "fleet.h"

static size_t audits(struct fleet *f, const char *action)
{
	struct audit_row *rows;
	struct troth_err e = { 0 };
	size_t n, found = 0;
	struct tx *tx = fleet_read(f);
	FLEET_CHECK(f, rc_ok(audit_list_newest(tx, f->a, 0, 1000, &rows, &n, &e)));
	for (size_t i = 0; i < n; i++)
		found += text_equal(rows[i].action, action);
	fleet_read_end(f, tx);
	return found;
}

static void the_story_is_in_the_audit(void **state)
{
	struct fleet *f = fleet_demo();
	size_t asked = audits(f, "engine.ask");
	fleet_rotate(f, "/demo/ca");
	fleet_settle(f, 60);
	FLEET_CHECK(f, audits(f, "rotation.start") == 1 && audits(f, "rotation.done") == 1);
	FLEET_CHECK(f, audits(f, "engine.signing") == 1 && audits(f, "engine.retire-done") == 1);
	FLEET_CHECK(f, audits(f, "engine.send-set") > 0 && audits(f, "engine.ask") > asked);
	FLEET_CHECK(f, audits(f, "engine.admit") > 0);
	fleet_free(f);
}

static void old_documents_are_kept_and_bounded(void **state)
{
	struct fleet *f = fleet_demo();
	for (int i = 0; i < 12; i++) {
		fleet_rotate(f, "/demo/ca");
		fleet_settle(f, 60);
	}
	struct document_row *rows;
	struct troth_err e = { 0 };
	size_t n;
	struct target_row t = fleet_target(f, fleet_node(f, "app-0"));
	struct tx *tx = fleet_read(f);
	FLEET_CHECK(f, rc_ok(document_row_list_target(tx, f->a, t.id, PAGE_ALL, &rows, &n, &e)));
	fleet_read_end(f, tx);
	FLEET_CHECK(f, n > 10 && n <= 18);
	fleet_free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_story_is_in_the_audit),
		cmocka_unit_test(old_documents_are_kept_and_bounded),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
