/* Maestro's words of what the server says: who uses what, which sign, where CredHub's flag stands, in which order. */
#include "cli_fixture.h"

#define V(id, by, more, ...)                                                                      \
	"{\"id\":\"" id "\",\"source\":\"generated\",\"signed_by\":" by ",\"not_after\":\"2027-10-10T17:21:39Z\"" more ",\"used_by\":[" __VA_ARGS__ "]}"
#define SLOT(deployment, members) "{\"kind\":\"slot\",\"deployment\":\"" deployment "\",\"instance\":\"i\",\"target\":\"t\",\"members\":" members ",\"of\":1}"
#define STORE(deployment, members) "{\"kind\":\"store\",\"deployment\":\"" deployment "\",\"instance\":null,\"target\":\"s\",\"members\":" members ",\"of\":3}"
#define CA(approved, ...)                                                                         \
	"{\"id\":\"c1\",\"name\":\"/ca\",\"kind\":\"authority\",\"authority\":null,\"rotating\":true,\"approved\":[" approved "],\"versions\":[" __VA_ARGS__ "]}"
#define LEAF(name, ...) "{\"id\":\"" name "\",\"name\":\"" name "\",\"kind\":\"leaf\",\"authority\":\"/ca\",\"versions\":[" __VA_ARGS__ "]}"
#define WANTED ",\"wanted\":true"
#define SIGNS ",\"signing\":true"

static const char *words_of(struct arena *a, const char *items, const char *name, bool signs)
{
	struct buf out = buf_make(64 << 10);
	cli_yaml_write_go(cli_maestro_topology(a, fixture_json(a, items), name, signs), &out);
	const char *text = arena_text_n(a, (const char *)out.data, out.len);
	buf_release(&out);
	return text;
}

#define END "          certificate_authority: true\n          generated: true\n          valid_until: 2027-10-10T17:21:39Z\n"
#define HEAD "topology:\n    - name: /ca\n      certificate_id: c1\n      signed_by: /ca\n      versions:\n"

/* Everybody trusts both, slots serve the old one's: the stores' second CA is trusted in addition, and not in use. */
static void slots_say_what_is_used(void **state)
{
	struct arena *a = arena_new(1 << 20);
	const char *items = "[" CA("\"switch\"", V("new", "null", WANTED SIGNS, STORE("b", "3")) "," V("old", "null", "", STORE("b", "3")))
		"," LEAF("/l", V("l2", "\"new\"", WANTED, SLOT("b", "0")) "," V("l1", "\"old\"", "", SLOT("b", "1"))) "]";
	assert_string_equal(words_of(a, items, "/ca", false),
		HEAD "        - version_id: new\n" END
		"        - version_id: old\n          active: true\n          deployment_names:\n            - b\n          signing: true\n"
		"          transitional: true\n" END);
	arena_free(a);
}

/* Two versions in use at once, by those who serve and by somebody without an agent. */
static void two_can_sign(void **state)
{
	struct arena *a = arena_new(1 << 20);
	const char *items = "[" CA("", V("new", "null", WANTED SIGNS) "," V("old", "null", ""))
		"," LEAF("/x", V("x1", "\"new\"", WANTED,
			"{\"kind\":\"external\",\"deployment\":\"health\",\"instance\":\"h\",\"target\":\"t\",\"members\":1,\"of\":1}"))
		"," LEAF("/l", V("l1", "\"old\"", WANTED, SLOT("b", "1"))) "]";
	const char *text = words_of(a, items, "/ca", false);
	assert_string_equal(text,
		HEAD "        - version_id: new\n          active: true\n          deployment_names:\n            - health\n          signing: true\n" END
		"        - version_id: old\n          active: true\n          deployment_names:\n            - b\n          signing: true\n"
		"          transitional: true\n" END);
	assert_non_null(strstr(words_of(a, items, "/x", false), "signed_by: /ca\n      versions:\n        - version_id: x1\n          active: true\n"));
	arena_free(a);
}

/* Who has nothing to show uses what its stores hold: of several the one that signs. */
static void stores_alone(void **state)
{
	struct arena *a = arena_new(1 << 20);
	const char *both = "[" CA("", V("new", "null", WANTED, STORE("app", "1")) "," V("old", "null", SIGNS, STORE("app", "3") "," STORE("z", "0"))) "]";
	assert_string_equal(words_of(a, both, "/ca", false),
		HEAD "        - version_id: new\n          transitional: true\n" END
		"        - version_id: old\n          active: true\n          deployment_names:\n            - app\n" END);
	const char *one = "[" CA("\"withdraw\"", V("new", "null", WANTED SIGNS, STORE("app", "2")) "," V("old", "null", "", STORE("late", "1"))) "]";
	assert_string_equal(words_of(a, one, "/ca", false),
		HEAD "        - version_id: new\n          active: true\n          deployment_names:\n            - app\n" END
		"        - version_id: old\n          active: true\n          deployment_names:\n            - late\n" END);
	arena_free(a);
}

/* Nobody's deployment: who took a certificate himself, applications, troth's own agents. */
static void who_is_outside_is_no_deployment(void **state)
{
	struct arena *a = arena_new(1 << 20);
	const char *items = "[" CA("", V("new", "null", WANTED SIGNS,
			"{\"kind\":\"binding\",\"deployment\":\"/troth/bindings\",\"instance\":null,\"target\":\"/b\",\"members\":1,\"of\":1}"))
		"," LEAF("/l", V("l1", "\"new\"", WANTED, "{\"kind\":\"holder\",\"deployment\":null,\"instance\":\"/l\",\"target\":null,\"members\":1,\"of\":1}"))
		",{\"id\":\"t\",\"name\":\"/troth/agents\",\"kind\":\"authority\",\"authority\":null,\"versions\":[]}]";
	const char *all = words_of(a, items, NULL, false);
	assert_null(strstr(all, "active"));
	assert_null(strstr(all, "/troth/"));
	assert_non_null(strstr(all, "    - name: /l\n"));
	assert_non_null(strstr(words_of(a, items, "/troth/agents", false), "name: /troth/agents"));
	assert_string_equal(words_of(a, items, "/none", false), "topology: []\n");
	arena_free(a);
}

/* A deployment uses the CAs above what it serves; what it signed hangs below it in JSON, as scripts read it. */
static void through_an_intermediate(void **state)
{
	struct arena *a = arena_new(1 << 20);
	const char *items = "[" CA("", V("r1", "null", WANTED SIGNS, STORE("b", "1")))
		",{\"id\":\"c2\",\"name\":\"/inter\",\"kind\":\"authority\",\"authority\":\"/ca\",\"versions\":[" V("i1", "\"r1\"", WANTED SIGNS) "]}"
		",{\"id\":\"c3\",\"name\":\"/leaf\",\"kind\":\"leaf\",\"authority\":\"/inter\",\"versions\":["
		"{\"id\":\"l1\",\"source\":\"uploaded\",\"signed_by\":\"i1\",\"wanted\":true,\"not_after\":\"2027-10-10T17:21:39Z\",\"used_by\":[" SLOT("b", "1") "]}]}]";
	const char *text = words_of(a, items, "/ca", true);
	assert_string_equal(text,
		HEAD "        - version_id: r1\n          active: true\n          deployment_names:\n            - b\n          signing: true\n" END
		"      signs:\n        - name: /inter\n          certificate_id: c2\n          signed_by: /ca\n          versions:\n"
		"            - version_id: i1\n              active: true\n              deployment_names:\n                - b\n              signing: true\n"
		"              certificate_authority: true\n              generated: true\n              valid_until: 2027-10-10T17:21:39Z\n"
		"          signs:\n            - name: /leaf\n              certificate_id: c3\n              signed_by: /inter\n              versions:\n"
		"                - version_id: l1\n                  active: true\n                  deployment_names:\n                    - b\n"
		"                  valid_until: 2027-10-10T17:21:39Z\n");
	arena_free(a);
}

/* As a database with a language's collation sorts, each once. */
static void deployments_in_their_order(void **state)
{
	struct arena *a = arena_new(1 << 20);
	const char *items = "[" CA("", V("r", "null", WANTED SIGNS)) "," LEAF("/l", V("l", "\"r\"", WANTED,
		SLOT("p_spring", "1") "," SLOT("p-h2", "1") "," SLOT("cf", "1") "," SLOT("pas-windows", "1") "," SLOT("appM", "1") "," SLOT("cf", "1") ","
		SLOT("p-h-2", "1") "," SLOT("CF", "1"))) "]";
	const char *text = words_of(a, items, "/ca", false);
	assert_non_null(strstr(text, "            - appM\n            - CF\n            - cf\n            - pas-windows\n            - p-h-2\n"
				     "            - p-h2\n            - p_spring\n"));
	arena_free(a);
}

/* What an abort left is on its way out: nobody means it to be trusted. */
static void no_flag_without_a_rotation(void **state)
{
	struct arena *a = arena_new(1 << 20);
	const char *items = "[{\"id\":\"c1\",\"name\":\"/ca\",\"kind\":\"authority\",\"authority\":null,\"rotating\":false,\"approved\":[],\"versions\":["
		V("new", "null", "", STORE("b", "1")) "," V("old", "null", WANTED SIGNS, STORE("b", "1")) "]}]";
	assert_null(strstr(words_of(a, items, "/ca", false), "transitional"));
	arena_free(a);
}

static void what_is_distrusted_has_no_flag(void **state)
{
	struct arena *a = arena_new(1 << 20);
	const char *items = "[" CA("", V("new", "null", WANTED SIGNS) "," V("old", "null", ",\"distrusted\":true", STORE("b", "1"))) "]";
	assert_null(strstr(words_of(a, items, "/ca", false), "transitional"));
	arena_free(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(slots_say_what_is_used),
		cmocka_unit_test(two_can_sign),
		cmocka_unit_test(stores_alone),
		cmocka_unit_test(who_is_outside_is_no_deployment),
		cmocka_unit_test(through_an_intermediate),
		cmocka_unit_test(deployments_in_their_order),
		cmocka_unit_test(no_flag_without_a_rotation),
		cmocka_unit_test(what_is_distrusted_has_no_flag),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
