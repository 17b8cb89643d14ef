/* An uploaded chain is judged by itself, with all findings. */
#include "brought.h"

static msec_t now = INT64_C(1790000000000);

static size_t findings(struct arena *a, const struct upload_cmd *cmd, struct upload_chain *ret, const char *rule)
{
	struct troth_err e = { 0 };
	size_t n = 0, found = 0;
	upload_chain_read(a, cmd, now, ret, &e);
	for (const struct finding *f = e.findings; f; f = f->next) {
		n++;
		found += rule && text_equal(f->rule, rule);
	}
	if (rule && !found)
		fail_msg("no finding \"%s\" among %zu", rule, n);
	return n;
}

static void any_order_is_sorted(void **state)
{
	struct arena *a = arena_new(8 << 20);
	struct brought b = brought_make(a, now, (struct brought_wish){ 0 });
	const char *orders[][2] = {
		{ b.leaf, arena_printf(a, "%s%s", b.inter, b.root) },
		{ b.leaf, arena_printf(a, "%s%s", b.root, b.inter) },
		{ arena_printf(a, "%s%s%s", b.root, b.leaf, b.inter), NULL },
		{ arena_printf(a, "%s%s", b.inter, b.leaf), arena_printf(a, "%s%s", b.inter, b.root) }, /* twice is once */
	};
	for (size_t i = 0; i < ARRAY_LEN(orders); i++) {
		struct upload_chain chain;
		struct upload_cmd cmd = { .certificate = orders[i][0], .chain = orders[i][1], .private_key = b.key };
		assert_int_equal(findings(a, &cmd, &chain, NULL), 0);
		assert_int_equal(chain.count, 2);
		assert_int_equal(chain.root_count, 1);
		assert_ptr_equal(chain.served[0], chain.leaf);
		assert_true(chain.served[1]->is_ca && cert_issued_by(chain.leaf, chain.served[1]));
	}
	arena_free(a);
}

static void every_wrong_thing_is_a_finding(void **state)
{
	struct arena *a = arena_new(16 << 20);
	struct upload_chain chain;
	struct brought b = brought_make(a, now, (struct brought_wish){ 0 }), other = brought_make(a, now, (struct brought_wish){ .name = "Other" });
	struct brought old = brought_make(a, now, (struct brought_wish){ .from = -20 * MSEC_DAY / 24 / 20, .until = -MSEC_MIN });
	const char *both = arena_printf(a, "%s%s", b.inter, b.root);
	assert_int_equal(findings(a, &(struct upload_cmd){ 0 }, &chain, "required"), 2);
	findings(a, &(struct upload_cmd){ .certificate = b.leaf, .chain = both, .private_key = other.key }, &chain, "key-mismatch");
	findings(a, &(struct upload_cmd){ .certificate = b.leaf, .chain = both, .private_key = "x" }, &chain, "key");
	findings(a, &(struct upload_cmd){ .certificate = "x", .chain = both, .private_key = b.key }, &chain, "certificate");
	findings(a, &(struct upload_cmd){ .certificate = b.inter, .chain = b.root, .private_key = b.key }, &chain, "leaf");
	findings(a, &(struct upload_cmd){ .certificate = b.leaf, .chain = other.leaf, .private_key = b.key }, &chain, "leaf");
	findings(a, &(struct upload_cmd){ .certificate = b.leaf, .chain = arena_printf(a, "%s%s", both, other.root), .private_key = b.key },
		 &chain, "stranger");
	/* all at once */
	assert_true(findings(a, &(struct upload_cmd){ .certificate = old.leaf, .chain = arena_printf(a, "%s%s%s", old.inter, old.root, other.root),
						      .private_key = b.key, .trust_issuer = "?" }, &chain, "expired") >= 4);
	arena_free(a);
}

static size_t misfits(struct arena *a, struct brought b, struct credential_spec spec)
{
	struct upload_chain chain;
	struct troth_err e = { 0 };
	size_t n = 0;
	struct upload_cmd cmd = { .certificate = b.leaf, .chain = arena_printf(a, "%s%s", b.inter, b.root), .private_key = b.key };
	upload_chain_read(a, &cmd, now, &chain, &e);
	assert_null(e.findings);
	upload_chain_fits(a, &chain, &spec, &e);
	for (const struct finding *f = e.findings; f; f = f->next)
		n++;
	return n;
}

static void names_and_use_are_what_the_slot_needs(void **state)
{
	struct arena *a = arena_new(16 << 20);
	const char *one[] = { "dns:svc-0.pg.example" }, *three[] = { "svc-0.pg.example", "svc-1.pg.example", "uri:spiffe://x/y" }, *wild[] = { "*.pg.example" };
	struct brought b = brought_make(a, now, (struct brought_wish){ .san = "svc-0.pg.example" }), star = brought_make(a, now, (struct brought_wish){ .san = "*.pg.example" });
	struct brought client = brought_make(a, now, (struct brought_wish){ .san = "svc-0.pg.example", .eku = EKU_CLIENT });
	assert_int_equal(misfits(a, b, (struct credential_spec){ .sans = { one, 1 } }), 0);
	assert_int_equal(misfits(a, b, (struct credential_spec){ .sans = { three, 3 } }), 2);
	assert_int_equal(misfits(a, star, (struct credential_spec){ .sans = { three, 2 } }), 0);
	assert_int_equal(misfits(a, star, (struct credential_spec){ .sans = { wild, 1 } }), 0);
	assert_int_equal(misfits(a, b, (struct credential_spec){ .sans = { wild, 1 } }), 1);
	assert_int_equal(misfits(a, client, (struct credential_spec){ .sans = { one, 1 } }), 1);
	assert_int_equal(misfits(a, b, (struct credential_spec){ .sans = { one, 1 }, .eku = EKU_CLIENT }), 1);
	assert_int_equal(misfits(a, client, (struct credential_spec){ .eku = EKU_CLIENT }), 0);
	arena_free(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(any_order_is_sorted),
		cmocka_unit_test(every_wrong_thing_is_a_finding),
		cmocka_unit_test(names_and_use_are_what_the_slot_needs),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
