/* Contents in the words of messages. */
#include "fleet.h"

#include "service/agent/contents.h"

static int64_t newest_content(struct fleet *f, struct tx *tx, enum content_kind kind)
{
	struct content_row *rows;
	struct troth_err e = { 0 };
	size_t n;
	int64_t id = 0;
	FLEET_CHECK(f, rc_ok(content_row_list(tx, f->a, PAGE_ALL, &rows, &n, &e)));
	for (size_t i = 0; i < n; i++)
		if (rows[i].kind == kind)
			id = rows[i].id;
	return id;
}

static void sets_in_any_order(void **state)
{
	struct fleet *f = fleet_demo();
	struct troth_err e = { 0 };
	struct json_texts prints, pems;
	bool equal;
	fleet_node(f, "svc-0")->off = true;
	fleet_rotate(f, "/demo/ca");
	fleet_settle(f, 10);
	struct tx *tx = fleet_read(f);
	int64_t set = newest_content(f, tx, CONTENT_SET), chain = newest_content(f, tx, CONTENT_CHAIN);
	FLEET_CHECK(f, rc_ok(contents_fingerprints(tx, f->a, set, &prints, &e)) && prints.count == 2);
	FLEET_CHECK(f, strcmp(prints.items[0], prints.items[1]) < 0);
	const char *turned[] = { prints.items[1], prints.items[0] };
	FLEET_CHECK(f, rc_ok(contents_match(tx, f->a, set, (struct json_texts){ turned, 2 }, &equal, &e)) && equal);
	FLEET_CHECK(f, rc_ok(contents_match(tx, f->a, set, (struct json_texts){ turned, 1 }, &equal, &e)) && !equal);
	FLEET_CHECK(f, rc_ok(contents_match(tx, f->a, chain, (struct json_texts){ turned, 1 }, &equal, &e)) && !equal);
	FLEET_CHECK(f, rc_ok(contents_pem(tx, f->a, set, &pems, &e)) && pems.count == 2);
	FLEET_CHECK(f, text_starts(pems.items[0], "-----BEGIN CERTIFICATE-----"));
	fleet_read_end(f, tx);
	fleet_free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sets_in_any_order),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
