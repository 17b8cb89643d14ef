/* Chains: same names with different keys, same keys with different dates, roles, hosts. */
#include "pki_fixture.h"

struct world {
	struct arena *a;
	struct key *old_key, *new_key, *ca_key, *leaf_key;
	const struct cert *old_root, *new_root;       /* one subject, two keys */
	const struct cert *old_root_renewed;          /* the old key again, lives longer */
	const struct cert *ca_by_old, *ca_by_new;     /* one subject and key: cross-signed */
	const struct cert *leaf, *leaf_by_root;
};

static int world_setup(void **state)
{
	static struct world w;
	w.a = arena_new(32 << 20);
	w.old_key = fixture_key(KEY_EC_P256);
	w.new_key = fixture_key(KEY_EC_P256);
	w.ca_key = fixture_key(KEY_EC_P256);
	w.leaf_key = fixture_key(KEY_EC_P256);
	w.old_root = fixture_root(w.a, "/demo/ca", w.old_key);
	w.new_root = fixture_root(w.a, "/demo/ca", w.new_key);
	struct cert_spec s = fixture_spec(w.a, CERT_ROOT, "/demo/ca", w.old_key);
	s.not_after += 1000 * MSEC_DAY;
	w.old_root_renewed = fixture_build(w.a, &s, NULL, w.old_key);
	w.ca_by_old = fixture_ca(w.a, "/demo/issuing", w.ca_key, w.old_root, w.old_key);
	w.ca_by_new = fixture_ca(w.a, "/demo/issuing", w.ca_key, w.new_root, w.new_key);
	w.leaf = fixture_leaf(w.a, "db.example.org", w.leaf_key, w.ca_by_old, w.ca_key);
	w.leaf_by_root = fixture_leaf(w.a, "db.example.org", w.leaf_key, w.old_root, w.old_key);
	*state = &w;
	return 0;
}

static int world_teardown(void **state)
{
	struct world *w = *state;
	key_release(w->old_key);
	key_release(w->new_key);
	key_release(w->ca_key);
	key_release(w->leaf_key);
	arena_free(w->a);
	return 0;
}

#define LIST(...)                                                                                  \
	((struct der_list){ (const struct bytes[]){ __VA_ARGS__ },                                 \
			    sizeof((const struct bytes[]){ __VA_ARGS__ }) / sizeof(struct bytes) })
#define NONE ((struct der_list){ NULL, 0 })
#define NOW FIXTURE_NOW

static void the_right_root_of_several_with_one_name_is_found(void **state)
{
	struct world *w = *state;
	struct bytes leaf = w->leaf_by_root->der;
	assert_rc_ok(chain_verify(w->a, leaf, NONE, LIST(w->new_root->der, w->old_root->der), NOW, EKU_SERVER, NULL, e));
	assert_rc_ok(chain_verify(w->a, leaf, NONE, LIST(w->old_root->der, w->new_root->der), NOW, EKU_SERVER, NULL, e));
	assert_refused(chain_verify(w->a, leaf, NONE, LIST(w->new_root->der), NOW, EKU_SERVER, NULL, e), TROTH_INVALID,
		       "CN=db.example.org");
}

static void a_ca_of_the_right_name_that_did_not_sign_is_told(void **state)
{
	struct world *w = *state;
	struct troth_err e = { 0 };
	troth_rc rc = chain_verify(w->a, w->leaf_by_root->der, NONE, LIST(w->new_root->der), NOW, EKU_SERVER, NULL, &e);
	assert_true(rc_failed(rc));
	assert_non_null(strstr(e.detail, "did not sign it"));
	assert_non_null(strstr(e.hint, "missing intermediate"));
}

static void junk_in_the_served_chain_does_not_mislead(void **state)
{
	struct world *w = *state;
	CLEANUP(key_releasep) struct key *k = fixture_key(KEY_EC_P256);
	const struct cert *twin = fixture_ca(w->a, "/demo/issuing", k, w->old_root, w->old_key);
	assert_rc_ok(chain_verify(w->a, w->leaf->der, LIST(twin->der, w->ca_by_new->der, w->ca_by_old->der),
				  LIST(w->old_root->der), NOW, EKU_SERVER, NULL, e));
	assert_refused(chain_verify(w->a, w->leaf->der, LIST(twin->der), LIST(w->old_root->der), NOW, EKU_SERVER, NULL, e),
		       TROTH_INVALID, "unable to get local issuer");
}

static void anchors_are_every_ca_that_alone_makes_it_valid(void **state)
{
	struct world *w = *state;
	struct der_list all = LIST(w->new_root->der, w->old_root->der, w->old_root_renewed->der, w->ca_by_old->der);
	const size_t *found;
	size_t n;
	assert_rc_ok(chain_anchors(w->a, LIST(w->leaf_by_root->der), all, NOW, EKU_SERVER, &found, &n, e));
	assert_int_equal(n, 2); /* the same key, renewed; never the intermediate: it is not self-signed */
	assert_int_equal(found[0], 1);
	assert_int_equal(found[1], 2);
	assert_rc_ok(chain_anchors(w->a, LIST(w->leaf->der, w->ca_by_new->der), all, NOW, EKU_SERVER, &found, &n, e));
	assert_int_equal(n, 1);
	assert_int_equal(found[0], 0);
	assert_rc_ok(chain_anchors(w->a, LIST(w->leaf->der, w->ca_by_new->der, w->ca_by_old->der), all, NOW, EKU_SERVER,
				   &found, &n, e));
	assert_int_equal(n, 1); /* never serve both: a plain verifier takes the first and does not come back */
	assert_int_equal(found[0], 0);
	assert_rc_ok(chain_anchors(w->a, LIST(w->leaf->der), all, NOW, EKU_SERVER, &found, &n, e));
	assert_int_equal(n, 0);
	assert_refused(chain_anchors(w->a, NONE, all, NOW, EKU_SERVER, &found, &n, e), TROTH_INVALID, "empty");
}

static void dates_count_unless_told_not_to(void **state)
{
	struct world *w = *state;
	struct bytes leaf = w->leaf_by_root->der;
	struct der_list roots = LIST(w->old_root->der);
	msec_t late = w->leaf_by_root->not_after + MSEC_S, early = w->leaf_by_root->not_before - MSEC_S;
	struct troth_err e2 = { 0 };
	assert_refused(chain_verify(w->a, leaf, NONE, roots, late, EKU_SERVER, NULL, e), TROTH_INVALID, "expired");
	assert_refused(chain_verify(w->a, leaf, NONE, roots, early, EKU_SERVER, NULL, e), TROTH_INVALID, "not yet valid");
	troth_rc rc = chain_verify(w->a, leaf, NONE, roots, late, EKU_SERVER, NULL, &e2);
	assert_true(rc_failed(rc) && strstr(e2.detail, "it is valid from "));
	assert_rc_ok(chain_verify(w->a, leaf, NONE, roots, 0, EKU_SERVER, NULL, e));
	assert_rc_ok(chain_verify(w->a, leaf, NONE, roots, w->leaf_by_root->not_after - MSEC_S, EKU_SERVER, NULL, e));
	assert_rc_ok(chain_verify(w->a, leaf, NONE, roots, w->leaf_by_root->not_before, EKU_SERVER, NULL, e));
}

static void roles_and_hosts_are_checked(void **state)
{
	struct world *w = *state;
	struct der_list roots = LIST(w->old_root->der);
	struct cert_spec s = fixture_spec(w->a, CERT_LEAF, "cn.example.org", w->leaf_key);
	struct san san = { SAN_IP, "127.0.0.1" };
	s.sans = &san;
	s.san_count = 1;
	s.eku = EKU_SERVER;
	struct bytes leaf = fixture_build(w->a, &s, w->old_root, w->old_key)->der;
	assert_rc_ok(chain_verify(w->a, leaf, NONE, roots, NOW, EKU_SERVER, "127.0.0.1", e));
	assert_refused(chain_verify(w->a, leaf, NONE, roots, NOW, EKU_CLIENT, NULL, e), TROTH_INVALID, "purpose");
	assert_refused(chain_verify(w->a, leaf, NONE, roots, NOW, EKU_SERVER, "cn.example.org", e), TROTH_INVALID,
		       "is not for \"cn.example.org\"");
	assert_refused(chain_verify(w->a, leaf, NONE, roots, NOW, EKU_SERVER, "127.0.0.2", e), TROTH_INVALID, "is not for");
}

static void name_constraints_are_kept(void **state)
{
	struct world *w = *state;
	static const char *const permitted[] = { "example.net" };
	struct cert_spec s = fixture_spec(w->a, CERT_INTERMEDIATE, "narrow", w->ca_key);
	s.permitted_dns = permitted;
	s.permitted_dns_count = 1;
	const struct cert *ca = fixture_build(w->a, &s, w->old_root, w->old_key);
	const struct cert *in = fixture_leaf(w->a, "a.example.net", w->leaf_key, ca, w->ca_key);
	const struct cert *out = fixture_leaf(w->a, "a.example.org", w->leaf_key, ca, w->ca_key);
	assert_rc_ok(chain_verify(w->a, in->der, LIST(ca->der), LIST(w->old_root->der), NOW, EKU_SERVER, NULL, e));
	assert_refused(chain_verify(w->a, out->der, LIST(ca->der), LIST(w->old_root->der), NOW, EKU_SERVER, NULL, e),
		       TROTH_INVALID, "permitted subtree");
}

static void a_self_signed_leaf_is_its_own_anchor(void **state)
{
	struct world *w = *state;
	assert_rc_ok(chain_verify(w->a, w->old_root->der, NONE, LIST(w->old_root->der), NOW, 0, NULL, e));
	assert_refused(chain_verify(w->a, w->old_root->der, NONE, LIST(w->new_root->der), NOW, 0, NULL, e), TROTH_INVALID,
		       "self");
}

static void the_order_is_leaf_first_without_the_root(void **state)
{
	struct world *w = *state;
	struct der_list chain;
	assert_rc_ok(chain_order(w->a, w->leaf->der, LIST(w->old_root->der, w->ca_by_old->der, w->new_root->der), &chain, e));
	assert_int_equal(chain.count, 2);
	assert_true(bytes_equal(chain.items[0], w->leaf->der));
	assert_true(bytes_equal(chain.items[1], w->ca_by_old->der));
	assert_rc_ok(chain_order(w->a, w->leaf_by_root->der, LIST(w->old_root->der), &chain, e));
	assert_int_equal(chain.count, 1);
}

static void broken_members_are_refused(void **state)
{
	struct world *w = *state;
	struct bytes junk = bytes_of("\x30\x00", 2);
	assert_refused(chain_verify(w->a, junk, NONE, LIST(w->old_root->der), NOW, 0, NULL, e), TROTH_INVALID, "decoded");
	assert_refused(chain_verify(w->a, w->leaf->der, LIST(junk), LIST(w->old_root->der), NOW, 0, NULL, e), TROTH_INVALID,
		       "decoded");
	assert_refused(chain_verify(w->a, w->leaf->der, NONE, NONE, NOW, 0, NULL, e), TROTH_INVALID, "unable to get");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_right_root_of_several_with_one_name_is_found),
		cmocka_unit_test(a_ca_of_the_right_name_that_did_not_sign_is_told),
		cmocka_unit_test(junk_in_the_served_chain_does_not_mislead),
		cmocka_unit_test(anchors_are_every_ca_that_alone_makes_it_valid),
		cmocka_unit_test(dates_count_unless_told_not_to),
		cmocka_unit_test(roles_and_hosts_are_checked),
		cmocka_unit_test(name_constraints_are_kept),
		cmocka_unit_test(a_self_signed_leaf_is_its_own_anchor),
		cmocka_unit_test(the_order_is_leaf_first_without_the_root),
		cmocka_unit_test(broken_members_are_refused),
	};
	return cmocka_run_group_tests(tests, world_setup, world_teardown);
}
