/* A leaf for somebody outside: during a rotation each version that could be it signs, and the engine chooses. */
#include "fleet.h"

#include "service/handout/generate.h"

static struct credential_ret take(struct fleet *f, const char *name)
{
	struct credential_ret made;
	const char *san = "dns:x.example";
	struct credential_create_cmd cmd = { .name = name, .authority = "/demo/ca", .csr = fleet_csr(f), .sans = { &san, 1 } };
	fleet_must(f, &VERB_CREDENTIAL_CREATE, &cmd, &made);
	return made;
}

static void who_could_sign_signs_and_one_is_kept(void **state)
{
	struct fleet *f = fleet_demo();
	int before = f->keeper_calls;
	struct credential_ret one = take(f, "/demo/one");
	FLEET_CHECK(f, f->keeper_calls == before + 1);
	fleet_node(f, "app-0")->off = true;
	struct rotate_ret r = fleet_rotate(f, "/demo/ca");
	before = f->keeper_calls;
	struct credential_ret two = take(f, "/demo/two");
	FLEET_CHECK(f, f->keeper_calls == before + 2);
	FLEET_CHECK(f, two.credential.version_count == 1 && !text_equal(two.credential.versions[0].signed_by, r.new_version));
	FLEET_CHECK(f, text_equal(two.credential.versions[0].signed_by, one.credential.versions[0].signed_by));
	fleet_free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(who_could_sign_signs_and_one_is_kept) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
