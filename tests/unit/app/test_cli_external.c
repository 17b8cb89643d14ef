/* The commands about instances without an agent. */
#include "cli_fixture.h"

#define FOUND "{\"items\":[{\"name\":\"edge-1\",\"id\":\"3\"}],\"next\":null}"
#define WANTED                                                                                                                  \
	"{\"version\":5,\"seq\":6,\"targets\":[{\"target\":\"trust\",\"kind\":\"store\",\"generation\":2,\"loaded\":false,"         \
	"\"fingerprints\":[\"ab\"],\"certificates\":\"PEM\\n\",\"csr\":null},{\"target\":\"tls\",\"kind\":\"slot\",\"generation\":0,"   \
	"\"loaded\":false,\"fingerprints\":[],\"certificates\":null,\"csr\":{\"key_type\":\"ec-p256\"}}]}"

static void one_is_added(void **state)
{
	struct scene *s = *state;
	static const struct turn turns[] = {
		{ "POST /v1/instances", "{\"deployment\":\"/prod/cdn\",\"name\":\"edge-1\",\"targets\":[\"trust\"]}", 201,
		  "{\"id\":\"3\",\"name\":\"edge-1\",\"party\":\"external\"}" },
	};
	assert_int_equal(RUN(s, turns, "instance", "add", "/prod/cdn/edge-1", "--target", "trust"), 0);
	assert_has(s->out, "external");
	assert_int_equal(RUN_ALONE(s, "instance", "add", "edge-1"), 2);
	assert_has(s->err, "is not DEPLOYMENT/NAME");
}

static void what_is_wanted(void **state)
{
	struct scene *s = *state;
	static const struct turn turns[] = {
		{ "GET /v1/instances?name=edge-1", NULL, 200, FOUND },
		{ "GET /v1/instances/3/wanted", NULL, 200, WANTED },
	};
	assert_int_equal(RUN(s, turns, "instance", "wanted", "edge-1"), 0);
	assert_has(s->out, "trust");
	assert_has(s->out, "ec-p256");
	assert_int_equal(RUN(s, turns, "instance", "wanted", "edge-1", "--target", "trust"), 0);
	assert_string_equal(s->out, "PEM\n");
	assert_has(s->err, "generation 2");
	assert_int_not_equal(RUN(s, turns, "instance", "wanted", "edge-1", "--target", "tls"), 0);
	assert_has(s->err, "there is nothing for edge-1/tls yet");
	assert_int_equal(RUN(s, turns, "instance", "wanted", "edge-1", "--target", "gone"), 4);
}

static void a_report_is_sent_as_it_is(void **state)
{
	struct scene *s = *state;
	char path[] = "/tmp/troth-report-XXXXXX";
	static const char text[] = "{\"seq\":7,\"targets\":[]}";
	int fd = mkstemp(path);
	assert_true(fd >= 0 && write(fd, text, sizeof text - 1) == sizeof text - 1);
	static const struct turn turns[] = {
		{ "GET /v1/instances?name=edge-1", NULL, 200, FOUND },
		{ "POST /v1/instances/3/report", "{\"seq\":7,\"targets\":[]}", 200,
		  "{\"seq\":7,\"targets\":[{\"target\":\"trust\",\"outcome\":\"behind\",\"generation\":1,\"extra\":[],\"text\":\"older\"}]}" },
	};
	assert_int_equal(RUN(s, turns, "instance", "report", "edge-1", "--file", path), 0);
	assert_has(s->out, "behind");
	assert_has(s->out, "older");
	close(fd);
	unlink(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_is_added),
		cmocka_unit_test(what_is_wanted),
		cmocka_unit_test(a_report_is_sent_as_it_is),
	};
	return cmocka_run_group_tests(tests, scene_setup, scene_teardown);
}
