/* Certificates in any order: without doubles, and sorted into what is served. */
#include "elsewhere.h"

#include "service/intake/cert_pool.h"

#define NOW INT64_C(1795000000000)

static void doubles_are_one_and_order_is_found(void **state)
{
	struct arena *a = arena_new(8 << 20);
	struct troth_err e = { 0 };
	struct checker c = { a, &e };
	struct cert_pool pool = { 0 };
	struct upload_chain chain = { 0 };
	struct elsewhere root = elsewhere_root(a, NOW, "Root"), policy = elsewhere_below(a, NOW, "Policy", 1, &root),
			 issuing = elsewhere_below(a, NOW, "Issuing", 0, &policy);
	cert_pool_read(&c, "$.a", arena_printf(a, "%s%s%s", root.pem, issuing.pem, root.pem), &pool);
	cert_pool_read(&c, "$.b", arena_printf(a, "%s%s", policy.pem, issuing.pem), &pool);
	assert_int_equal(pool.count, 3);
	for (size_t i = 0; i < pool.count; i++)
		if (bytes_equal(pool.items[i]->der, issuing.cert->der))
			chain.leaf = pool.items[i];
	cert_pool_sort(&c, "$.a", &pool, &chain);
	assert_null(e.findings);
	assert_int_equal(chain.count, 2);
	assert_true(bytes_equal(chain.served[0]->der, issuing.cert->der) && bytes_equal(chain.served[1]->der, policy.cert->der));
	assert_int_equal(chain.root_count, 1);
	assert_true(bytes_equal(chain.roots[0]->der, root.cert->der));
	key_release(root.key);
	key_release(policy.key);
	key_release(issuing.key);
	arena_free(a);
}

static void what_has_no_part_in_it_is_said_at_its_place(void **state)
{
	struct arena *a = arena_new(8 << 20);
	struct troth_err e = { 0 };
	struct checker c = { a, &e };
	struct cert_pool pool = { 0 };
	struct upload_chain chain = { 0 };
	struct elsewhere root = elsewhere_root(a, NOW, "Root"), other = elsewhere_root(a, NOW, "Other"),
			 issuing = elsewhere_below(a, NOW, "Issuing", 0, &root);
	cert_pool_read(&c, "$.x", "nothing", &pool);
	assert_string_equal(e.findings->path, "$.x");
	err_clear(&e);
	cert_pool_read(&c, "$.x", arena_printf(a, "%s%s", issuing.pem, other.pem), &pool);
	chain.leaf = pool.items[0];
	cert_pool_sort(&c, "$.y", &pool, &chain);
	assert_string_equal(e.findings->path, "$.y");
	assert_non_null(strstr(e.findings->text, "CN=Other has no part in the chain of CN=Issuing"));
	assert_null(e.findings->next);
	key_release(root.key);
	key_release(other.key);
	key_release(issuing.key);
	arena_free(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(doubles_are_one_and_order_is_found),
		cmocka_unit_test(what_has_no_part_in_it_is_said_at_its_place),
	};
	return cmocka_run_group_tests_name("cert_pool", tests, NULL, NULL);
}
