/* Where the server is and who we are, and what is said when that is not known. */
#include "cli_fixture.h"

static void no_server_is_said_so(void **state)
{
	struct scene *s = *state;
	const char *dir = s->dir;
	s->dir = NULL;
	assert_int_equal(RUN_ALONE(s, "authority", "list"), 2);
	assert_has(s->err, "no server is named");
	assert_has(s->err, "--dir");
	assert_int_equal(RUN_ALONE(s, "--server", "https://127.0.0.1:8443", "authority", "list"), 2);
	assert_has(s->err, "no CA file");
	s->dir = dir;
}

static void a_directory_without_admin_json_is_refused(void **state)
{
	struct scene *s = *state;
	assert_int_equal(RUN_ALONE(s, "--dir", "/nonexistent", "authority", "list"), 4);
	assert_has(s->err, "/nonexistent/admin.json");
	assert_has(s->err, "troth init");
}

static void broken_admin_json_is_refused(void **state)
{
	struct scene *s = *state;
	char path[80];
	snprintf(path, sizeof path, "%s/admin.json", s->made_dir);
	FILE *f = fopen(path, "w");
	fputs("{\"url\":1,\"ca_file\":\"ca.pem\",\"more\":true}", f);
	fclose(f);
	assert_int_equal(RUN_ALONE(s, "authority", "list"), 1);
	assert_has(s->err, "admin.json");
	assert_has(s->err, "\"token_file\" is missing");
	scene_dir_remove(s);
	scene_dir(s);
}

static void options_go_before_the_directory(void **state)
{
	struct scene *s = *state;
	static const struct turn turns[] = { { "GET /v1/health", NULL, 200, "{\"status\":\"ok\"}" } };
	char ca[80], token[80], other[80];
	snprintf(ca, sizeof ca, "%s/ca.pem", s->made_dir);
	snprintf(token, sizeof token, "%s/admin.token", s->made_dir);
	snprintf(other, sizeof other, "%s/none", s->made_dir);
	assert_int_equal(RUN(s, turns, "health", "--server", "https://127.0.0.1:8443", "--ca-file", ca, "--token-file", token), 0);
	assert_int_equal(RUN_ALONE(s, "health", "--ca-file", other), 4);
	assert_has(s->err, "none");
	assert_int_equal(RUN_ALONE(s, "health", "--cert", ca), 2);
	assert_has(s->err, "--cert and --key belong together");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_server_is_said_so),
		cmocka_unit_test(a_directory_without_admin_json_is_refused),
		cmocka_unit_test(broken_admin_json_is_refused),
		cmocka_unit_test(options_go_before_the_directory),
	};
	return cmocka_run_group_tests(tests, scene_setup, scene_teardown);
}
