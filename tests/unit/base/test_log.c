/* The log: one event, one line, in both formats. */
#include <string.h>
#include <unistd.h>

#include "../unit.h"
#include "base/arena.h"
#include "base/json.h"
#include "base/log.h"

static int ends[2];

static const char *line(void)
{
	static char text[16384];
	ssize_t n = read(ends[0], text, sizeof text - 1);
	assert_true(n > 0);
	text[n] = 0;
	return text;
}

static int setup(void **state) { return pipe(ends); }

static void logfmt_is_one_line(void **state)
{
	log_setup(ends[1], LOG_LEVEL_INFO, LOG_FORMAT_LOGFMT, "test");
	LOG(LOG_LEVEL_WARN, "a.b", LOG_S("name", "/demo/ca"), LOG_S("text", "two words\nand \"more\""), LOG_I("n", 5),
	    LOG_S("none", NULL));
	const char *text = line();
	assert_contains(text, " level=warn process=test event=a.b name=/demo/ca text=\"two words\\nand \\\"more\\\"\" n=5 none=-\n");
	assert_ptr_equal(strchr(text, '\n'), text + strlen(text) - 1);
}

static void json_parses(void **state)
{
	log_setup(ends[1], LOG_LEVEL_INFO, LOG_FORMAT_JSON, "test");
	LOG(LOG_LEVEL_INFO, "a.b", LOG_S("name", "x\"y"), LOG_I("n", 5));
	struct arena *a = arena_new(1 << 16);
	const struct json *j;
	assert_ok(json_parse(a, bytes_of_text(line()), &j, &unit_err));
	assert_string_equal(json_get_text(j, "event", ""), "a.b");
	assert_string_equal(json_get_text(j, "name", ""), "x\"y");
	assert_int_equal(json_get_int(j, "n", 0), 5);
	arena_free(a);
}

static void lower_levels_are_silent(void **state)
{
	log_setup(ends[1], LOG_LEVEL_WARN, LOG_FORMAT_LOGFMT, "test");
	LOG(LOG_LEVEL_INFO, "quiet", LOG_I("n", 1));
	struct troth_err e = { 0 };
	(void)err_set(&e, TROTH_IO, "disk is full");
	log_err(LOG_LEVEL_ERROR, "loud", &e);
	const char *text = line();
	assert_null(strstr(text, "quiet"));
	assert_contains(text, "error=\"disk is full\"");
}

static void level_and_format_change(void **state)
{
	log_setup(ends[1], LOG_LEVEL_WARN, LOG_FORMAT_LOGFMT, "test");
	log_change(LOG_LEVEL_DEBUG, LOG_FORMAT_JSON);
	LOG(LOG_LEVEL_DEBUG, "a.b", LOG_I("n", 1));
	const char *text = line();
	assert_contains(text, "\"process\":\"test\",\"event\":\"a.b\"");
	log_change(LOG_LEVEL_INFO, LOG_FORMAT_LOGFMT);
	LOG(LOG_LEVEL_DEBUG, "quiet", LOG_I("n", 1));
	LOG(LOG_LEVEL_INFO, "loud", LOG_I("n", 1));
	text = line();
	assert_null(strstr(text, "quiet"));
	assert_contains(text, "event=loud");
}

static void a_line_too_long_says_so(void **state)
{
	char big[9000];
	memset(big, 'x', sizeof big - 1);
	big[sizeof big - 1] = 0;
	log_setup(ends[1], LOG_LEVEL_INFO, LOG_FORMAT_LOGFMT, "test");
	LOG(LOG_LEVEL_INFO, "big", LOG_S("text", big));
	assert_contains(line(), "event=big note=line-too-long");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(logfmt_is_one_line),
		cmocka_unit_test(json_parses),
		cmocka_unit_test(lower_levels_are_silent),
		cmocka_unit_test(level_and_format_change),
		cmocka_unit_test(a_line_too_long_says_so),
	};
	return cmocka_run_group_tests(tests, setup, NULL);
}
