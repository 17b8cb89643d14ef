/* CAs that are known here. */
#include "corp.h"

#include "service/intake/known.h"

static struct verb_ctx reading(struct fleet *f)
{
	struct verb_ctx ctx;
	verb_ctx_init(&ctx, f->a, &f->admin, &f->port, f->now);
	ctx.tx = fleet_read(f);
	return ctx;
}

static void a_list_grows(void **state)
{
	struct arena *a = arena_new(1 << 20);
	struct cert certs[70] = { 0 };
	struct cert_pool list = { 0 };
	for (size_t i = 0; i < ARRAY_LEN(certs); i++)
		known_add(a, &list, &certs[i]);
	assert_int_equal(list.count, ARRAY_LEN(certs));
	for (size_t i = 0; i < ARRAY_LEN(certs); i++)
		assert_ptr_equal(list.items[i], &certs[i]);
	arena_free(a);
}

static void by_the_name_of_an_issuer(void **state)
{
	struct fleet *f = fleet_new();
	struct elsewhere root = elsewhere_root(f->a, f->now, "Corporate Root"), twin = elsewhere_root(f->a, f->now, "Corporate Root"),
			 below = elsewhere_below(f->a, f->now, "Policy", 0, &root);
	struct cert_pool list = { 0 };
	struct troth_err e = { 0 };
	struct version_row v;
	struct credential_row owner;
	bool found;
	(void)corp_import(f, "/corp/root", &root);
	(void)corp_import(f, "/corp/twin", &twin);
	struct verb_ctx ctx = reading(f);
	FLEET_CHECK(f, rc_ok(known_issuers(&ctx, below.cert, &list, &e)) && list.count == 2);
	FLEET_CHECK(f, rc_ok(known_version(&ctx, twin.cert, &v, &owner, &found, &e)) && found && text_equal(owner.name, "/corp/twin"));
	FLEET_CHECK(f, rc_ok(known_version(&ctx, below.cert, &v, &owner, &found, &e)) && !found);
	fleet_read_end(f, ctx.tx);
	key_release(root.key);
	key_release(twin.key);
	key_release(below.key);
	fleet_free(f);
}

/* The archive has each certificate that ever was; what is none of the searched takes no room. */
static void looking_takes_no_room(void **state)
{
	struct fleet *f = fleet_new();
	struct elsewhere root = elsewhere_root(f->a, f->now, "Nobody Knows It"), below = elsewhere_below(f->a, f->now, "Policy", 0, &root);
	struct cert_pool list = { 0 };
	struct troth_err e = { 0 };
	struct verb_ctx ctx = reading(f);
	size_t before = arena_used(f->a);
	FLEET_CHECK(f, rc_ok(known_issuers(&ctx, below.cert, &list, &e)) && list.count == 0);
	assert_int_equal(arena_used(f->a), before);
	fleet_read_end(f, ctx.tx);
	key_release(root.key);
	key_release(below.key);
	fleet_free(f);
}

/* Rule N. */
static void which_could_be_taken_for_another(void **state)
{
	struct arena *a = arena_new(4 << 20);
	struct elsewhere x = elsewhere_root(a, INT64_C(1795000000000), "Root"), y = elsewhere_root(a, INT64_C(1795000000000), "Root"),
			 z = elsewhere_root(a, INT64_C(1795000000000), "Other");
	assert_false(known_ambiguous(x.cert, x.cert));
	assert_false(known_ambiguous(x.cert, y.cert)); /* told apart by their key identifiers */
	struct cert same = *y.cert, bare = *y.cert, another = *z.cert;
	same.ski = x.cert->ski;
	bare.ski = (struct bytes){ 0 };
	another.ski = x.cert->ski;
	assert_true(known_ambiguous(x.cert, &same));
	assert_true(known_ambiguous(x.cert, &bare) && known_ambiguous(&bare, x.cert));
	assert_false(known_ambiguous(x.cert, &another));
	key_release(x.key);
	key_release(y.key);
	key_release(z.key);
	arena_free(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_list_grows),
		cmocka_unit_test(by_the_name_of_an_issuer), cmocka_unit_test(looking_takes_no_room),
		cmocka_unit_test(which_could_be_taken_for_another),
	};
	return cmocka_run_group_tests_name("known", tests, NULL, NULL);
}
