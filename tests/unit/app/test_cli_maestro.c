/* Maestro's commands: which native calls each is, what it prints, and what it refuses. */
#include "cli_fixture.h"

#define CA_ID "51e5a00a-8678-433f-8691-a43e2829765f"
#define LEAF_ID "0b402fa6-04a3-492f-849d-cde95f5cff88"
#define ROTATION "6e0c51aa-3a0e-4f2a-9d0b-5d1f3c5a7e10"
#define VERSION(id, by, source, wanted)                                                           \
	"{\"id\":\"" id "\",\"signed_by\":" by ",\"source\":\"" source "\",\"wanted\":" wanted ",\"signing\":false,\"not_after\":\"2027-01-10T17:21:39Z\",\"used_by\":[]}"
#define CA(name, above, rotating, approved, versions)                                             \
	"{\"id\":\"" CA_ID "\",\"name\":\"" name "\",\"kind\":\"authority\",\"authority\":" above ",\"rotating\":" rotating ",\"approved\":[" approved "],\"versions\":[" versions "]}"
#define LEAF(version)                                                                             \
	"{\"id\":\"" LEAF_ID "\",\"name\":\"/leaf\",\"kind\":\"leaf\",\"authority\":\"/ca\",\"rotating\":false,\"approved\":[],\"versions\":[" version "]}"
#define ITEMS(...) "{\"items\":[" __VA_ARGS__ "],\"next\":null}"
#define NEW VERSION("new", "null", "generated", "true")
#define OLD VERSION("old", "null", "generated", "false")
#define QUIET CA("/ca", "null", "false", "", NEW)
#define RUNNING(approved) CA("/ca", "null", "true", approved, NEW "," OLD)

#define ASK "GET /v1/topology?limit=50&name=%2Fca"
#define ASK_ALL "GET /v1/topology?limit=50"
#define STARTED "{\"rotation\":\"" ROTATION "\"}"
#define APPROVE "POST /v1/rotations/" ROTATION "/approve"
#define FIND "GET /v1/rotations?name=%2Fca"
#define FOUND "{\"items\":[{\"id\":\"" ROTATION "\",\"started\":\"2026-11-22T06:10:00Z\"}],\"next\":null}"
#define NOT_YET "{\"type\":\"/problems/conflict\",\"title\":\"Conflict\",\"status\":409,\"detail\":\"step \\\"switch\\\" of the rotation of /ca does not wait for an approval\",\"code\":\"conflict\"}"
#define EXPLAIN "GET /v1/explain?name=%2Fca"
#define BEHIND "{\"name\":\"/ca\",\"running\":1,\"items\":[{\"plain\":\"app-1/trust has not reported it in use\"}]}"
#define THE_CA(word) word ":\n    - name: /ca\n      certificate_id: " CA_ID "\n"
#define THE_LEAF "regenerated:\n    - name: /leaf\n      certificate_id: " LEAF_ID "\n"

static void topology_by_both_names(void **state)
{
	struct scene *s = *state;
	const struct turn turns[] = { { ASK, NULL, 200, ITEMS(QUIET "," LEAF("")) } };
	static const char words[] = "topology:\n    - name: /ca\n      certificate_id: " CA_ID "\n      signed_by: /ca\n      versions:\n"
		"        - version_id: new\n          certificate_authority: true\n          generated: true\n          valid_until: 2027-01-10T17:21:39Z\n";
	assert_int_equal(RUN(s, turns, "maestro", "topology", "--name", "/ca"), 0);
	assert_string_equal(s->out, words);
	assert_int_equal(RUN(s, turns, "topology", "--name", "/ca", "-o", "maestro"), 0);
	assert_string_equal(s->out, words);
	assert_int_equal(RUN(s, turns, "--json", "maestro", "topology", "--name", "/ca"), 0);
	assert_has(s->out, "\"signs\"");
	assert_has(s->out, "\"/leaf\"");
	s->maestro_json = "true";
	assert_int_equal(RUN(s, turns, "maestro", "topology", "--name", "/ca"), 0);
	assert_has(s->out, "\"topology\"");
	s->maestro_json = NULL;
	assert_int_equal(RUN_ALONE(s, "authority", "list", "-o", "maestro"), 2);
}

static void the_list_and_its_ends(void **state)
{
	struct scene *s = *state;
	const struct turn turns[] = { { ASK_ALL, NULL, 200, ITEMS(QUIET "," LEAF("") "," CA("/troth/agents", "null", "false", "", NEW)) } };
	assert_int_equal(RUN(s, turns, "maestro", "list"), 0);
	assert_string_equal(s->out, "certificates:\n    - name: /ca\n      certificate_id: " CA_ID "\n      signed_by: /ca\n      valid_until: 2027-01-10T17:21:39Z\n"
				    "    - name: /leaf\n      certificate_id: " LEAF_ID "\n      signed_by: /ca\n");
	assert_int_equal(RUN(s, turns, "maestro", "list", "--expires-within", "2m"), 0); /* two months: the leaf has no certificate */
	assert_has(s->out, "name: /ca\n");
	assert_null(strstr(s->out, "/leaf"));
	assert_int_equal(RUN(s, turns, "maestro", "list", "--expires-within", "1w"), 0);
	assert_string_equal(s->out, "certificates: []\n");
	static const char *const wrong[] = { "", "m", "0m", "3", "3min", "-3m", "99999999999999999999d" };
	for (size_t i = 0; i < ARRAY_LEN(wrong); i++)
		assert_int_equal(RUN_ALONE(s, "maestro", "list", "--expires-within", wrong[i]), 2);
	assert_has(s->err, "such as 3m");
}

/* -- regenerate ca ---------------------------------------------------------------------------------------- */
static void a_ca_is_a_rotation_and_its_first_step(void **state)
{
	struct scene *s = *state;
	const struct turn turns[] = {
		{ ASK, NULL, 200, ITEMS(QUIET "," LEAF("")) },
		{ "POST /v1/rotations", "{\"name\":\"/ca\",\"reason\":\"maestro regenerate ca\",\"by_steps\":true,\"again\":false}", 202, STARTED },
		{ APPROVE, "{\"step\":\"introduce\"}", 200, "{}" },
	};
	const struct turn nobody[] = { turns[0], turns[1], { APPROVE, NULL, 409, NOT_YET } };
	const struct turn gone[] = { turns[0], turns[1], { APPROVE, NULL, 404, "{\"status\":404,\"detail\":\"there is no rotation\",\"code\":\"not-found\"}" } };
	assert_int_equal(RUN(s, turns, "maestro", "regenerate", "ca", "--name", "/ca"), 0);
	assert_string_equal(s->out, THE_CA("regenerated"));
	assert_int_equal(RUN(s, nobody, "maestro", "regenerate", "ca", "--name", "/ca"), 0); /* in no store: nothing to introduce */
	assert_int_equal(RUN(s, gone, "maestro", "regenerate", "ca", "--name", "/ca"), 4);
	assert_string_equal(s->out, "");
}

static void not_while_the_one_before_goes_on(void **state)
{
	struct scene *s = *state;
	const struct turn turns[] = { { ASK, NULL, 200, ITEMS(RUNNING("\"introduce\"")) } };
	const struct turn skip[] = {
		turns[0], { "POST /v1/rotations", "{\"name\":\"/ca\",\"reason\":\"maestro regenerate ca\",\"by_steps\":true,\"again\":true}", 202, STARTED },
		{ APPROVE, NULL, 200, "{}" },
	};
	assert_int_equal(RUN(s, turns, "maestro", "regenerate", "ca", "--name", "/ca"), 3);
	assert_string_equal(s->out, "safety_violations:\n    - violation: certificate authorities can not have a transitional version\n"
				    "      certificate_names:\n        - /ca\nerror: safety constraints violated\n");
	assert_has(s->err, "troth: the rotation of /ca before this one is not finished\n");
	assert_has(s->err, "hint: troth explain /ca says what it waits for");
	assert_int_equal(RUN(s, skip, "maestro", "regenerate", "ca", "--name", "/ca", "--skip-safety-check"), 0);
}

/* Below a root that is regenerated too, or brought by somebody: nothing of its own. */
static void all_cas_are_the_roots(void **state)
{
	struct scene *s = *state;
	const struct turn turns[] = {
		{ ASK_ALL, NULL, 200, ITEMS(QUIET "," CA("/inter", "\"/ca\"", "false", "", NEW) "," CA("/brought", "null", "false", "", VERSION("b", "null", "uploaded", "true"))
			"," CA("/none", "null", "false", "", "") "," CA("/troth/agents", "null", "false", "", NEW)
			"," CA("/below", "\"/brought\"", "false", "", NEW)) },
		{ "POST /v1/rotations", NULL, 202, STARTED }, { APPROVE, NULL, 200, "{}" },
		{ "POST /v1/rotations", "{\"name\":\"/below\",\"reason\":\"maestro regenerate ca\",\"by_steps\":true,\"again\":false}", 202, STARTED },
		{ APPROVE, NULL, 200, "{}" },
	};
	assert_int_equal(RUN(s, turns, "maestro", "regenerate", "ca", "--all"), 0);
	assert_string_equal(s->out, THE_CA("regenerated") "    - name: /below\n      certificate_id: " CA_ID "\n");
}

/* The second one fails: the first is said to be done. */
static void what_was_done_is_said(void **state)
{
	struct scene *s = *state;
	const struct turn turns[] = {
		{ ASK_ALL, NULL, 200, ITEMS(QUIET "," CA("/b", "null", "false", "", NEW)) },
		{ "POST /v1/rotations", NULL, 202, STARTED }, { APPROVE, NULL, 200, "{}" }, { "POST /v1/rotations", NULL, 0, NULL },
	};
	assert_int_equal(RUN(s, turns, "maestro", "regenerate", "ca", "--all"), 1);
	assert_string_equal(s->out, THE_CA("regenerated"));
	assert_has(s->err, "could not connect");
}

/* -- regenerate leaf --------------------------------------------------------------------------------------------- */
static void a_leaf_is_renewed_unless_the_rotation_did(void **state)
{
	struct scene *s = *state;
	const char *renew = "POST /v1/credentials/" LEAF_ID "/renew";
	const struct turn plain[] = { { ASK, NULL, 200, ITEMS(QUIET "," LEAF(VERSION("l", "\"new\"", "csr", "true"))) }, { renew, "{}", 200, "{}" } };
	const struct turn done[] = { { ASK, NULL, 200, ITEMS(RUNNING("") "," LEAF(VERSION("l", "\"new\"", "csr", "true"))) } };
	const struct turn behind[] = { { ASK, NULL, 200, ITEMS(RUNNING("") "," LEAF(VERSION("l", "\"old\"", "csr", "true"))) }, { renew, "{}", 200, "{}" } };
	const struct turn brought[] = { { ASK, NULL, 200, ITEMS(QUIET "," LEAF(VERSION("l", "null", "uploaded", "true"))) } };
	assert_int_equal(RUN(s, plain, "maestro", "regenerate", "leaf", "--signed-by", "/ca"), 0);
	assert_string_equal(s->out, THE_LEAF);
	assert_int_equal(RUN(s, done, "maestro", "regenerate", "leaf", "--signed-by", "/ca"), 0);
	assert_string_equal(s->out, THE_LEAF);
	assert_int_equal(RUN(s, behind, "maestro", "regenerate", "leaf", "--signed-by", "/ca"), 0);
	assert_int_equal(RUN(s, brought, "maestro", "regenerate", "leaf", "--signed-by", "/ca"), 0);
	assert_string_equal(s->out, "regenerated: []\nexcluded:\n    - name: /leaf\n      certificate_id: " LEAF_ID "\n      reason: somebody else issued it\n");
	const struct turn outside[] = { plain[0], { renew, NULL, 409, "{\"status\":409,\"detail\":\"no slot presents /leaf\",\"hint\":\"take it\",\"code\":\"conflict\"}" } };
	const struct turn alone[] = { { "GET /v1/topology?limit=50&name=%2Fleaf", NULL, 200, plain[0].reply }, outside[1] };
	assert_int_equal(RUN(s, outside, "maestro", "regenerate", "leaf", "--signed-by", "/ca"), 0);
	assert_has(s->out, "excluded:\n    - name: /leaf\n      certificate_id: " LEAF_ID "\n      reason: \"no slot presents /leaf. To do: take it\"\n");
	assert_int_equal(RUN(s, alone, "maestro", "regenerate", "leaf", "--name", "/leaf"), 1);
	assert_has(s->err, "no slot presents /leaf");
}

/* -- update-transitional -------------------------------------------------------------------------------------------- */
static void the_steps_are_approvals(void **state)
{
	struct scene *s = *state;
	const struct turn signing[] = { { ASK, NULL, 200, ITEMS(RUNNING("\"introduce\"")) }, { FIND, NULL, 200, FOUND }, { APPROVE, "{\"step\":\"switch\"}", 200, "{}" } };
	const struct turn others[] = { { ASK, NULL, 200, ITEMS(RUNNING("")) }, { FIND, NULL, 200, FOUND }, { APPROVE, "{\"step\":\"introduce\"}", 409, NOT_YET },
				       { APPROVE, "{\"step\":\"switch\"}", 200, "{}" } };
	const struct turn again[] = { { ASK, NULL, 200, ITEMS(RUNNING("\"introduce\",\"switch\"")) } };
	const struct turn removed[] = { again[0], { FIND, NULL, 200, FOUND }, { APPROVE, "{\"step\":\"withdraw\"}", 200, "{}" } };
	const struct turn quiet[] = { { ASK, NULL, 200, ITEMS(QUIET) } };
	assert_int_equal(RUN(s, signing, "maestro", "update-transitional", "signing", "--name", "/ca"), 0);
	assert_string_equal(s->out, THE_CA("updated"));
	assert_int_equal(RUN(s, others, "maestro", "update-transitional", "signing", "--name", "/ca"), 0); /* begun by somebody else */
	assert_int_equal(RUN(s, again, "maestro", "update-transitional", "signing", "--name", "/ca"), 0);
	assert_int_equal(RUN(s, removed, "maestro", "update-transitional", "remove", "--name", "/ca"), 0);
	assert_int_equal(RUN(s, quiet, "maestro", "update-transitional", "remove", "--name", "/ca"), 0);
	assert_string_equal(s->out, "updated: []\n");
	assert_int_equal(RUN(s, quiet, "maestro", "update-transitional", "signing", "--name", "/ca"), 3);
	assert_has(s->out, "violation: certificate authorities latest version is not transitional\n");
	assert_has(s->err, "hint: troth maestro regenerate ca --name /ca begins one");
}

static void who_is_in_the_way_is_named(void **state)
{
	struct scene *s = *state;
	const struct turn turns[] = {
		{ ASK, NULL, 200, ITEMS(RUNNING("\"introduce\"")) }, { FIND, NULL, 200, FOUND }, { APPROVE, NULL, 409, NOT_YET }, { EXPLAIN, NULL, 200, BEHIND },
	};
	assert_int_equal(RUN(s, turns, "maestro", "update-transitional", "signing", "--name", "/ca"), 3);
	assert_string_equal(s->out, "safety_violations:\n    - violation: app-1/trust has not reported it in use\n      certificate_names:\n        - /ca\n"
				    "error: safety constraints violated\n");
	assert_has(s->err, "troth: signing of /ca must wait: app-1/trust has not reported it in use\n");
	assert_has(s->err, "hint: troth explain /ca says who is waited for, and since when; --wait 10m waits for it");
	assert_int_equal(RUN(s, turns, "maestro", "update-transitional", "signing", "--name", "/ca", "--skip-safety-check"), 3);
	assert_has(s->err, "never what keeps handshakes working");
}

static void it_waits_if_told_to(void **state)
{
	struct scene *s = *state;
	const struct turn turns[] = {
		{ ASK, NULL, 200, ITEMS(RUNNING("\"introduce\"")) }, { FIND, NULL, 200, FOUND }, { APPROVE, NULL, 409, NOT_YET },
		{ "GET /v1/rotations/" ROTATION "?wait=1s", NULL, 200, "{}" }, { APPROVE, NULL, 409, NOT_YET },
		{ "GET /v1/rotations/" ROTATION "?wait=1s", NULL, 200, "{}" }, { APPROVE, NULL, 200, "{}" },
	};
	const struct turn late[] = { turns[0], turns[1], turns[2], turns[3], turns[2], { EXPLAIN, NULL, 200, BEHIND } }; /* each answer takes half a second */
	assert_int_equal(RUN(s, turns, "maestro", "update-transitional", "signing", "--name", "/ca", "--wait", "10m"), 0);
	assert_int_equal(RUN(s, late, "maestro", "update-transitional", "signing", "--name", "/ca", "--wait", "1s"), 3);
	const struct turn once[] = { turns[0] };
	assert_int_equal(RUN(s, once, "maestro", "update-transitional", "signing", "--name", "/ca", "--wait", "soon"), 2);
}

/* One of several is refused: the others are done, and both are said. */
static void all_of_them(void **state)
{
	struct scene *s = *state;
	const struct turn turns[] = {
		{ ASK_ALL, NULL, 200, ITEMS(RUNNING("\"introduce\"") "," CA("/b", "null", "true", "\"switch\"", NEW) "," CA("/c", "null", "false", "", NEW)) },
		{ FIND, NULL, 200, FOUND }, { APPROVE, NULL, 409, NOT_YET }, { EXPLAIN, NULL, 200, BEHIND },
	};
	assert_int_equal(RUN(s, turns, "maestro", "update-transitional", "signing", "--all"), 3);
	assert_has(s->out, "updated:\n    - name: /b\n");
	assert_has(s->out, "safety_violations:\n    - violation: app-1/trust");
	assert_null(strstr(s->out, "name: /c\n"));
}

/* -- garbage-collect, and what nobody meant ------------------------------------------------------------------------------ */
static void what_is_kept_and_for_whom(void **state)
{
	struct scene *s = *state;
	const struct turn turns[] = { { ASK, NULL, 200, ITEMS(RUNNING("")) }, { EXPLAIN, NULL, 200, BEHIND } };
	const struct turn quiet[] = { { ASK, NULL, 200, ITEMS(QUIET) } };
	assert_int_equal(RUN(s, turns, "maestro", "garbage-collect", "--name", "/ca", "--dry-run"), 0);
	assert_string_equal(s->out, "garbage_collected: []\nkept:\n    - name: /ca\n      version_id: old\n      kept_because: app-1/trust has not reported it in use\n");
	assert_int_equal(RUN(s, quiet, "maestro", "garbage-collect", "--name", "/ca"), 0);
	assert_string_equal(s->out, "garbage_collected: []\nkept: []\n");
}

static void what_cannot_be_meant(void **state)
{
	struct scene *s = *state;
	const struct turn leaf[] = { { "GET /v1/topology?limit=50&name=%2Fleaf", NULL, 200, ITEMS(QUIET "," LEAF("")) } };
	assert_int_equal(RUN_ALONE(s, "maestro", "regenerate", "everything", "--all"), 2);
	assert_int_equal(RUN_ALONE(s, "maestro", "regenerate", "ca"), 2);
	assert_has(s->err, "say --name NAME or --all, and one of them only");
	assert_int_equal(RUN_ALONE(s, "maestro", "regenerate", "leaf", "--all", "--signed-by", "/ca"), 2);
	assert_int_equal(RUN_ALONE(s, "maestro", "regenerate", "ca", "--signed-by", "/ca"), 2);
	assert_int_equal(RUN_ALONE(s, "maestro", "update-transitional", "latest", "--name", "/ca"), 2);
	assert_int_equal(RUN(s, leaf, "maestro", "regenerate", "ca", "--name", "/leaf"), 1);
	assert_has(s->err, "/leaf is no certificate authority");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(topology_by_both_names),
		cmocka_unit_test(the_list_and_its_ends),
		cmocka_unit_test(a_ca_is_a_rotation_and_its_first_step),
		cmocka_unit_test(not_while_the_one_before_goes_on),
		cmocka_unit_test(all_cas_are_the_roots),
		cmocka_unit_test(what_was_done_is_said),
		cmocka_unit_test(a_leaf_is_renewed_unless_the_rotation_did),
		cmocka_unit_test(the_steps_are_approvals),
		cmocka_unit_test(who_is_in_the_way_is_named),
		cmocka_unit_test(it_waits_if_told_to),
		cmocka_unit_test(all_of_them),
		cmocka_unit_test(what_is_kept_and_for_whom),
		cmocka_unit_test(what_cannot_be_meant),
	};
	return cmocka_run_group_tests(tests, scene_setup, scene_teardown);
}
