/* What is deployed: filters, the tree while something is replaced, products. */
#include "opsman.h"

#include "keeper/keeper.h"

static const char *const GOOD[] = { "1d", "3m", "52w", "9999y" };
static const char *const WRONG[] = { "", "d", "0d", "3", "3h", "-3d", "3mm", "99999d", "3 m", "1.5y" };

static void expires_within(void **state)
{
	struct call *c = opsman_new();
	for (size_t i = 0; i < ARRAY_LEN(GOOD); i++)
		call_expect(c, 200, HTTP_GET, arena_printf(c->room->a, "/api/v0/deployed/certificates?expires_within=%s", GOOD[i]), NULL);
	assert_int_equal(call_count(c, "certificates"), 1); /* the root, some day */
	call_is(c, "certificates.0.variable_path", "/prod/pg/ca");
	call_is(c, "certificates.0.is_ca", "true");
	call_is(c, "certificates.0.location", "ops_manager");
	for (size_t i = 0; i < ARRAY_LEN(WRONG); i++)
		call_expect(c, 400, HTTP_GET, arena_printf(c->room->a, "/api/v1/deployed/certificates?expires_within=%s", WRONG[i]), NULL);
	call_expect(c, 400, HTTP_GET, "/api/v0/deployed/certificates?show_excluded_from_rotation_only=x", NULL);
	call_expect(c, 400, HTTP_GET, "/api/v0/deployed/certificates?expires=3m", NULL);
	call_has(c, "errors.errors.0", "?expires is not a query parameter");
	call_expect(c, 200, HTTP_GET, "/api/v0/deployed/certificates?expires_within=1d", NULL);
	assert_int_equal(call_count(c, "certificates"), 0);
	call_free(c);
}

/* The one that is about to go away is not shown as deployed while nobody has it; a certificate that somebody took is. */
static void a_tree_with_intermediates(void **state)
{
	struct call *c = opsman_new();
	struct room *r = c->room;
	struct credential_ret made;
	room_authority(r, "/prod/pg/inter", "/prod/pg/ca");
	struct credential_create_cmd leaf = { .name = "/prod/lb", .authority = "/prod/pg/inter", .sans = room_texts(r, "dns:lb.example", NULL),
					      .csr = room_csr(r, KEY_EC_P256) };
	room_do(r, &VERB_CREDENTIAL_CREATE, &leaf, &made);
	call_expect(c, 200, HTTP_GET, "/api/v1/deployed/certificates", NULL);
	call_is(c, "certificates.0.name", "/prod/pg/ca");
	call_is(c, "certificates.0.rotation_status", "current");
	call_is(c, "certificates.0.signs.0.name", "/prod/pg/inter");
	call_is(c, "certificates.0.signs.0.location", "credhub");
	call_is(c, "certificates.0.signs.0.signs.0.name", "/prod/lb");
	call_is(c, "certificates.0.signs.0.signs.0.auto_rotated", "true");
	call_expect(c, 200, HTTP_GET, "/api/v1/deployed/certificates?show_excluded_from_rotation_only=true", NULL);
	assert_int_equal(call_count(c, "certificates.0.signs.0.signs"), 0);
	call_free(c);
}

static void products(void **state)
{
	struct call *c = opsman_new();
	call_expect(c, 200, HTTP_GET, "/api/v0/deployed/products", NULL);
	call_is(c, "0.guid", "pg");
	call_is(c, "0.type", "pg");
	call_expect(c, 200, HTTP_GET, "/api/v0/staged/products", NULL);
	assert_int_equal(call_count(c, ""), 1);
	call_free(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(expires_within), cmocka_unit_test(a_tree_with_intermediates), cmocka_unit_test(products) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
