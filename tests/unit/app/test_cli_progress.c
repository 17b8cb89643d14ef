/* A rotation as lines. */
#include "cli_fixture.h"

static const char AUTHORITY[] =
	"{\"id\":\"r\",\"name\":\"/demo/ca\",\"kind\":\"authority\",\"state\":\"%s\",\"new_version\":\"bbbbbbbb-1\",\"started\":\"2026-11-18T11:06:34Z\","
	"\"waits_for\":\"app-2/trust: sent, no settled report yet (node, A2)\",\"progress\":{\"stage\":\"introducing\",\"stores_total\":3,"
	"\"stores_with_new\":2,\"stores_with_old\":3,\"slots_total\":3,\"slots_on_new\":0,\"offline\":1,\"joining\":0,\"unknown\":0,\"versions\":["
	"{\"version\":\"bbbbbbbb-1\",\"wanted\":true,\"signing\":false,\"stores_having\":2,\"slots_using\":0,\"in_stores\":\"RUMOURED\"},"
	"{\"version\":\"aaaaaaaa-0\",\"wanted\":false,\"signing\":true,\"stores_having\":3,\"slots_using\":3,\"in_stores\":\"OMNIPRESENT\"}],"
	"\"waits\":[{\"text\":\"app-2/trust: sent, no settled report yet (node, A2)\"}]}}";

static void a_line_says_counts_and_the_wait(void **state)
{
	struct arena *a = arena_new(1 << 20);
	char text[2000];
	snprintf(text, sizeof text, AUTHORITY, "running");
	assert_string_equal(cli_progress_line(a, fixture_json(a, text)),
			    "trust the new: stores 2/3 trust the new CA, 3 the old, slots 0/3 on the new, 1 offline; waits: app-2/trust: sent, no "
			    "settled report yet (node, A2)");
	snprintf(text, sizeof text, AUTHORITY, "done");
	assert_string_equal(cli_progress_line(a, fixture_json(a, text)),
			    "done: stores 2/3 trust the new CA, 3 the old, slots 0/3 on the new, 1 offline");
	assert_string_equal(cli_progress_line(a, fixture_json(a, "{\"kind\":\"leaf\",\"state\":\"running\",\"progress\":{\"stage\":\"switching\","
								    "\"slots_total\":2,\"slots_on_new\":1}}")),
			    "use the new: slots 1/2 on the new");
	assert_string_equal(cli_progress_line(a, fixture_json(a, "{\"kind\":\"leaf\",\"state\":\"paused\",\"progress\":null}")),
			    "paused: slots 0/0 on the new");
	arena_free(a);
}

static void a_block_has_a_line_for_each_ca(void **state)
{
	struct arena *a = arena_new(1 << 20);
	char text[2000];
	CLEANUP(buf_release) struct buf out = buf_make(1 << 16);
	snprintf(text, sizeof text, AUTHORITY, "running");
	int lines = cli_progress_block(a, fixture_json(a, text), INT64_C(1795000000000), 80, "", "", &out);
	assert_has(buf_text(&out), "/demo/ca: trust the new, 6.0 s, 1 offline\n");
	assert_has(buf_text(&out), "/demo/ca"); /* a finished one stands still: */
	CLEANUP(buf_release) struct buf over = buf_make(1 << 16);
	(void)cli_progress_block(a, fixture_json(a, "{\"name\":\"/x\",\"state\":\"done\",\"started\":\"2026-11-18T11:00:00Z\","
						    "\"finished\":\"2026-11-18T11:00:07.5Z\"}"), INT64_C(1795000000000), 80, "", "", &over);
	assert_has(buf_text(&over), "/x: done, 7.5 s");
	assert_has(buf_text(&out), "CA bbbbbbbb  new          stores 2/3 RUMOURED, slots 0/3");
	assert_has(buf_text(&out), "CA aaaaaaaa  old  signing stores 3/3 OMNIPRESENT, slots 3/3");
	assert_has(buf_text(&out), "2/3     [#############.......]");
	assert_has(buf_text(&out), "waits: app-2/trust");
	int n = 0;
	for (const char *p = buf_text(&out); *p; p++)
		n += *p == '\n';
	assert_int_equal(n, lines);
	arena_free(a);
}

static void a_block_never_wraps(void **state)
{
	struct arena *a = arena_new(1 << 20);
	char text[2000];
	snprintf(text, sizeof text, AUTHORITY, "running");
	for (int width = 40; width < 120; width += 7) {
		CLEANUP(buf_release) struct buf out = buf_make(1 << 16);
		(void)cli_progress_block(a, fixture_json(a, text), 0, width, "", "", &out);
		assert_width(buf_text(&out), width);
	}
	arena_free(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_line_says_counts_and_the_wait),
		cmocka_unit_test(a_block_has_a_line_for_each_ca),
		cmocka_unit_test(a_block_never_wraps),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
