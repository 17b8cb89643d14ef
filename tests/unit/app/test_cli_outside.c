/* The commands about who is outside the fleet. */
#include <unistd.h>

#include "cli_fixture.h"

#define FOUND "{\"items\":[{\"name\":\"/shop\",\"id\":\"3\"}],\"next\":null}"

static void a_fetch_writes_a_file_a_program_can_load(void **state)
{
	struct scene *s = *state;
	static const struct turn turns[] = {
		{ "GET /v1/bindings?name=%2Fshop", NULL, 200, FOUND },
		{ "GET /v1/bindings/3/bundle?as=json&tag=g1-00", NULL, 200, "{\"tag\":\"g2-aa\",\"not_modified\":false,\"certificates\":\"PEM\\n\"}" },
	};
	assert_int_equal(RUN(s, turns, "binding", "fetch", "/shop", "--tag", "g1-00"), 0);
	assert_string_equal(s->out, "PEM\n");
	assert_has(s->err, "tag g2-aa");
}

static void nothing_new_is_said(void **state)
{
	struct scene *s = *state;
	static const struct turn turns[] = {
		{ "GET /v1/bindings?name=%2Fshop", NULL, 200, FOUND },
		{ "GET /v1/bindings/3/bundle?as=json&tag=g2-aa", NULL, 200, "{\"tag\":\"g2-aa\",\"not_modified\":true,\"certificates\":null}" },
	};
	assert_int_equal(RUN(s, turns, "binding", "fetch", "/shop", "--tag", "g2-aa"), 0);
	assert_has(s->err, "not modified");
}

static void attesting_and_waiving(void **state)
{
	struct scene *s = *state;
	static const struct turn attest[] = {
		{ "GET /v1/bindings?name=%2Fshop", NULL, 200, FOUND },
		{ "POST /v1/bindings/3/attest", "{\"reason\":\"renewed\"}", 200, "{\"name\":\"/shop\",\"state\":\"counted\"}" },
	};
	static const struct turn waive[] = {
		{ "GET /v1/bindings?name=%2Fshop", NULL, 200, FOUND },
		{ "POST /v1/bindings/3/waive", "{}", 200, "{\"name\":\"/shop\",\"state\":\"waived\"}" },
	};
	assert_int_equal(RUN(s, attest, "binding", "attest", "/shop", "--reason", "renewed"), 0);
	assert_has(s->out, "counted");
	assert_int_equal(RUN(s, waive, "binding", "waive", "/shop"), 0);
	assert_has(s->out, "waived");
}

#define CORP "{\"items\":[{\"name\":\"/corp/ca\",\"id\":\"7\"}],\"next\":null}"

static void a_request_is_a_file_to_be_carried_away(void **state)
{
	struct scene *s = *state;
	static const struct turn turns[] = {
		{ "GET /v1/authorities?name=%2Fcorp%2Fca", NULL, 200, CORP },
		{ "GET /v1/authorities/7/csr", NULL, 200, "{\"csr\":\"PEM\\n\",\"number\":2,\"since\":\"2026-11-22T10:00:00Z\"}" },
	};
	assert_int_equal(RUN(s, turns, "authority", "csr", "/corp/ca"), 0);
	assert_string_equal(s->out, "PEM\n");
	assert_has(s->err, "version 2 of /corp/ca, asked for since 2026-11-22T10:00:00Z");
	assert_int_equal(RUN(s, turns, "authority", "csr", "/corp/ca", "-o", "json"), 0);
	assert_has(s->out, "\"number\"");
}

static void what_comes_next_is_said(void **state)
{
	struct scene *s = *state;
	static const struct turn create[] = {
		{ "POST /v1/authorities", "{\"name\":\"/corp/ca\",\"external\":true}", 201, "{\"name\":\"/corp/ca\"}" },
	};
	assert_int_equal(RUN(s, create, "authority", "create", "/corp/ca", "--external"), 0);
	assert_has(s->err, "troth authority certify /corp/ca --certificate-file PEM");
	assert_int_equal(RUN(s, create, "authority", "create", "/corp/ca", "--external", "-o", "json"), 0);
	assert_string_equal(s->err, "");
}

static void a_root_is_imported(void **state)
{
	struct scene *s = *state;
	static const struct turn dry[] = { { "POST /v1/authorities/import?dry_run=true", NULL, 200, "{\"name\":\"/corp/root\"}" } };
	static const struct turn real[] = { { "POST /v1/authorities/import", NULL, 201, "{\"name\":\"/corp/root\"}" } };
	char pem[] = "/tmp/troth-root-XXXXXX";
	int fd = mkstemp(pem);
	assert_true(fd >= 0 && write(fd, "PEM\n", 4) == 4);
	close(fd);
	assert_int_equal(RUN(s, dry, "authority", "import", "/corp/root", "--certificate-file", pem, "--dry-run"), 0);
	assert_int_equal(RUN(s, real, "authority", "import", "/corp/root", "--certificate-file", pem), 0);
	assert_int_equal(RUN_ALONE(s, "authority", "import", "/corp/root"), 2);
	unlink(pem);
}

#define SHOWN "{\"own\":{\"names\":[\"ip:127.0.0.1\"]},\"brought\":{\"names\":[\"dns:troth.example\"],\"anchor\":\"CN=Corporate\"}}"

static void a_certificate_for_the_server_is_brought(void **state)
{
	struct scene *s = *state;
	static const struct turn set[] = { { "PUT /v1/server/certificate", "{\"certificate\":\"PEM\\n\",\"private_key\":\"PEM\\n\"}", 200, SHOWN } };
	static const struct turn dry[] = { { "PUT /v1/server/certificate?dry_run=true", NULL, 200, SHOWN } };
	static const struct turn show[] = { { "GET /v1/server/certificate", NULL, 200, SHOWN } };
	static const struct turn unset[] = { { "DELETE /v1/server/certificate", NULL, 204, "" } };
	char file[] = "/tmp/troth-pem-XXXXXX";
	int fd = mkstemp(file);
	assert_true(fd >= 0 && write(fd, "PEM\n", 4) == 4);
	close(fd);
	assert_int_equal(RUN(s, set, "server-certificate", "set", "--certificate-file", file, "--key-file", file), 0);
	assert_has(s->out, "dns:troth.example");
	assert_int_equal(RUN(s, dry, "server-certificate", "set", "--certificate-file", file, "--key-file", file, "--dry-run"), 0);
	assert_has(s->out, "nothing has changed");
	assert_int_equal(RUN(s, show, "server-certificate", "show"), 0);
	assert_has(s->out, "CN=Corporate");
	assert_int_equal(RUN(s, unset, "server-certificate", "unset"), 0);
	assert_has(s->out, "its own certificate to everybody");
	assert_int_equal(unlink(file), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_fetch_writes_a_file_a_program_can_load),
		cmocka_unit_test(nothing_new_is_said),
		cmocka_unit_test(attesting_and_waiving),
		cmocka_unit_test(a_request_is_a_file_to_be_carried_away),
		cmocka_unit_test(what_comes_next_is_said),
		cmocka_unit_test(a_root_is_imported),
		cmocka_unit_test(a_certificate_for_the_server_is_brought),
	};
	return cmocka_run_group_tests(tests, scene_setup, scene_teardown);
}
