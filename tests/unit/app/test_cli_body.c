/* Options to request bodies. */
#include "cli_fixture.h"

static void an_authority_has_all_its_members(void **state)
{
	struct scene *s = *state;
	static const struct turn turns[] = {
		{ "POST /v1/authorities",
		  "{\"name\":\"/x/ca\",\"key_type\":\"ed25519\",\"ttl\":\"365d\",\"path_len\":1,\"permitted_dns\":[\"a.example\",\"b.example\"],\"clamp\":true}",
		  201, "{\"id\":\"1\",\"name\":\"/x/ca\",\"versions\":[]}" },
	};
	assert_int_equal(RUN(s, turns, "authority", "create", "/x/ca", "--clamp", "--permitted-dns", "a.example", "--ttl", "1d", "--ttl=365d",
			     "--permitted-dns", "b.example", "--key-type", "ed25519", "--path-len", "1"),
			 0);
	assert_has(s->out, "/x/ca");
}

/* A password comes from a file, and its line end is none of it. */
static void a_line_of_a_file(void **state)
{
	static const struct { const char *text; size_t len; bool good; } files[] = {
		{ "correct horse\n", 14, true }, { "correct horse", 13, true }, { "correct horse\r\n", 15, true },
		{ "two\nlines\n", 10, false }, { "\n", 1, false }, { "", 0, false }, { "a\0b\n", 4, false },
	};
	struct scene *s = *state;
	static const struct turn turns[] = {
		{ "POST /v1/principals", "{\"name\":\"ada\",\"role\":\"auditor\",\"password\":\"correct horse\"}", 201, "{\"id\":\"1\",\"name\":\"ada\"}" },
	};
	char path[] = "/tmp/troth-line-XXXXXX";
	int fd = mkstemp(path);
	assert_true(fd >= 0);
	close(fd);
	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		assert_true(rc_ok(file_write(path, bytes_of(files[i].text, files[i].len), 0600, NULL)));
		int code = files[i].good ? RUN(s, turns, "principal", "add", "ada", "--role", "auditor", "--password-file", path) :
					   RUN_ALONE(s, "principal", "add", "ada", "--role", "auditor", "--password-file", path);
		assert_int_equal(code, files[i].good ? 0 : 1);
		if (!files[i].good)
			assert_has(s->err, "must hold one line");
	}
	unlink(path);
}

static void slots_and_stores_are_objects(void **state)
{
	struct scene *s = *state;
	static const struct turn turns[] = {
		{ "POST /v1/deployments",
		  "{\"name\":\"pg\",\"slots\":[{\"name\":\"tls\",\"profile\":\"nginx\",\"key_type\":\"ec-p384\",\"sans\":[\"a\",\"b\"],"
		  "\"parameters\":{\"port\":\"5432\",\"opts\":\"x,y=z\"}},{\"name\":\"two\",\"sans\":[],\"parameters\":{}}],"
		  "\"stores\":[{\"name\":\"trust\",\"bundle\":\"/t\",\"parameters\":{}}]}",
		  201, "{\"id\":\"1\",\"name\":\"pg\",\"templates\":[]}" },
	};
	assert_int_equal(RUN(s, turns, "deployment", "create", "pg", "--slot",
			     "name=tls,profile=nginx,san=a,san=b,parameter.port=5432,key-type=ec-p384,parameter.opts=x,,y=z", "--slot", "name=two",
			     "--store", "name=trust,bundle=/t"),
			 0);
}

static void wrong_keys_are_refused_with_the_right_ones(void **state)
{
	struct scene *s = *state;
	assert_int_equal(RUN_ALONE(s, "deployment", "create", "pg", "--slot", "name=a,nope=b"), 2);
	assert_has(s->err, "key \"nope\" is not known");
	assert_has(s->err, "credential");
	assert_int_equal(RUN_ALONE(s, "deployment", "create", "pg", "--store", "trust"), 2);
	assert_has(s->err, "\"trust\" is not key=value");
	assert_int_equal(RUN_ALONE(s, "deployment", "create", "pg", "--store", "san=x"), 2);
}

static void files_are_sent_as_text(void **state)
{
	struct scene *s = *state;
	static const struct turn turns[] = {
		{ "POST /v1/bundles", "{\"name\":\"/t\",\"authorities\":[\"/a\"],\"certificates\":[{\"alias\":\"c\",\"pem\":\"no certificate\\n\"}]}", 201,
		  "{\"id\":\"1\",\"name\":\"/t\"}" },
	};
	char spec[100];
	snprintf(spec, sizeof spec, "alias=c,file=%s/ca.pem", s->made_dir);
	assert_int_equal(RUN(s, turns, "bundle", "create", "/t", "--authority", "/a", "--certificate", spec), 0);
	assert_int_equal(RUN_ALONE(s, "bundle", "create", "/t", "--certificate", "alias=c,file=/nonexistent"), 4);
	assert_has(s->err, "/nonexistent");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_authority_has_all_its_members),
		cmocka_unit_test(slots_and_stores_are_objects),
		cmocka_unit_test(wrong_keys_are_refused_with_the_right_ones),
		cmocka_unit_test(a_line_of_a_file),
		cmocka_unit_test(files_are_sent_as_text),
	};
	return cmocka_run_group_tests(tests, scene_setup, scene_teardown);
}
