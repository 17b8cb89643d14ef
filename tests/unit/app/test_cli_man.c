/* Manual pages: one for each row of the table, safe to be typeset. */
#include "cli_fixture.h"

#include <sys/stat.h>
#include <unistd.h>

static void the_page_of_a_command(void **state)
{
	struct scene *s = *state;
	assert_int_equal(RUN_ALONE(s, "man", "authority", "create"), 0);
	assert_has(s->out, ".TH \"TROTH-AUTHORITY-CREATE\" 1 \"\" \"troth ");
	assert_has(s->out, "troth\\-authority\\-create \\- make a CA\n");
	assert_has(s->out, ".B troth authority create NAME [options]\n");
	assert_has(s->out, ".B \\-\\-leaf\\-ttl LIFE\n");
	assert_has(s->out, ".SH EXAMPLES\n.nf\ntroth authority create /prod/pg/ca");
	assert_int_equal(RUN_ALONE(s, "man", "explain"), 0);
	assert_has(s->out, "TROTH-EXPLAIN");
}

/* A hyphen that is meant stands as \- on a page. */
static const char *as_set(const char *noun, char out[64])
{
	size_t n = 0;
	for (; *noun && n < 62; noun++) {
		if (*noun == '-')
			out[n++] = '\\';
		out[n++] = *noun;
	}
	out[n] = 0;
	return out;
}

static void the_whole(void **state)
{
	struct scene *s = *state;
	char noun[64];
	assert_int_equal(RUN_ALONE(s, "man"), 0);
	for (size_t i = 0; i < CLI_COMMAND_COUNT; i++)
		assert_has(s->out, as_set(CLI_COMMANDS[i].noun, noun));
	assert_has(s->out, ".SH OPTIONS OF EVERY COMMAND\n");
	assert_has(s->out, ".SH EXIT STATUS\n");
}

static void no_such_command(void **state)
{
	struct scene *s = *state;
	assert_int_equal(RUN_ALONE(s, "man", "authority", "nonsense"), 2);
	assert_has(s->err, "there is no command \"authority nonsense\"");
	assert_int_equal(RUN_ALONE(s, "man", "authority"), 2);
	assert_has(s->err, "authority has a page for each of its verbs: troth man authority VERB");
}

/* A page each, and no line that the typesetter would take for a request of ours: those begin with known macros. */
static void all_of_them_into_a_directory(void **state)
{
	struct scene *s = *state;
	static const char *const macros[] = { ".TH", ".SH", ".TP", ".B ", ".BR", ".nf", ".fi" };
	char dir[] = "/tmp/troth-man-XXXXXX";
	struct arena *a = arena_new(16 << 20);
	assert_non_null(mkdtemp(dir));
	assert_int_equal(RUN_ALONE(s, "man", "--into", dir), 0);
	for (size_t i = 0; i < CLI_COMMAND_COUNT; i++) {
		const struct cli_command *cmd = &CLI_COMMANDS[i];
		const char *path = arena_printf(a, "%s/troth-%s%s%s.1", dir, cmd->noun, cmd->verb ? "-" : "", cmd->verb ? cmd->verb : "");
		struct bytes page;
		assert_true(rc_ok(file_read(a, path, 1 << 20, &page, NULL)));
		for (const char *line = arena_text_n(a, (const char *)page.data, page.len); *line; line += strcspn(line, "\n"), line += *line == '\n') {
			bool known = *line != '.' && *line != '\'';
			for (size_t k = 0; k < ARRAY_LEN(macros); k++)
				known = known || text_starts(line, macros[k]);
			if (!known)
				fail_msg("%s: %.60s", path, line);
		}
		unlink(path);
	}
	static const char *const others[] = { "troth", "troth-init", "troth-server" };
	for (size_t i = 0; i < ARRAY_LEN(others); i++)
		assert_int_equal(unlink(arena_printf(a, "%s/%s.1", dir, others[i])), 0);
	assert_int_equal(rmdir(dir), 0);
	assert_int_equal(RUN_ALONE(s, "man", "--into", "/nonexistent/dir"), 4);
	assert_has(s->err, "/nonexistent/dir/troth.1");
	arena_free(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(the_page_of_a_command), cmocka_unit_test(the_whole),
					    cmocka_unit_test(no_such_command), cmocka_unit_test(all_of_them_into_a_directory) };
	return cmocka_run_group_tests(tests, scene_setup, scene_teardown);
}
