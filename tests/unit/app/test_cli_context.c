/* Contexts: remembered servers, their file, and who comes before whom. */
#include "cli_fixture.h"

#include <sys/stat.h>

static void in_home(struct scene *s, char path[120])
{
	snprintf(path, 120, "%s/troth/contexts.json", s->made_dir);
}

static void forget(struct scene *s)
{
	char path[120];
	in_home(s, path);
	unlink(path);
	*strrchr(path, '/') = 0;
	rmdir(path);
	s->config_home = NULL;
}

static int own_teardown(void **state)
{
	forget(*state);
	return scene_teardown(state);
}

static const struct turn HEALTH[] = { { "GET /v1/health", NULL, 200, "{\"status\":\"ok\"}" } };

static void added_used_and_removed(void **state)
{
	struct scene *s = *state;
	struct stat st;
	char path[120];
	const char *dir = s->dir;
	s->config_home = s->made_dir;
	s->dir = NULL;
	assert_int_equal(RUN_ALONE(s, "context", "list"), 0);
	assert_has(s->out, "no context yet");
	assert_int_equal(RUN_ALONE(s, "context", "show"), 4);
	assert_int_equal(RUN_ALONE(s, "context", "add", "lab", "--dir", dir), 0);
	assert_has(s->out, "context lab: added, and used from now on");
	in_home(s, path);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	*strrchr(path, '/') = 0;
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0700);
	assert_int_equal(RUN(s, HEALTH, "health"), 0); /* the current one */
	assert_int_equal(RUN_ALONE(s, "context", "add", "lab", "--dir", dir), 1);
	assert_has(s->err, "there is a context \"lab\" already");
	char ca[100], token[100];
	snprintf(ca, sizeof ca, "%s/ca.pem", dir);
	snprintf(token, sizeof token, "%s/admin.token", dir);
	assert_int_equal(RUN_ALONE(s, "context", "add", "prod", "--server", "https://127.0.0.1:8443", "--ca-file", ca, "--token-file", token), 0);
	assert_int_equal(RUN(s, HEALTH, "--context", "prod", "health"), 0);
	assert_int_equal(RUN_ALONE(s, "context", "use", "prod"), 0);
	assert_int_equal(RUN_ALONE(s, "context", "list"), 0);
	assert_has(s->out, "*  prod");
	assert_int_equal(RUN_ALONE(s, "context", "show"), 0);
	assert_has(s->out, "https://127.0.0.1:8443");
	assert_int_equal(RUN_ALONE(s, "context", "remove", "prod"), 0);
	assert_has(s->out, "none is used now");
	assert_int_equal(RUN_ALONE(s, "health"), 2);
	s->dir = dir;
	forget(s);
}

static void refusals(void **state)
{
	struct scene *s = *state;
	s->config_home = s->made_dir;
	assert_int_equal(RUN_ALONE(s, "context", "use", "none"), 4);
	assert_int_equal(RUN_ALONE(s, "context", "remove", "none"), 4);
	assert_int_equal(RUN_ALONE(s, "--context", "none", "health"), 4);
	assert_has(s->err, "there is no context \"none\"");
	assert_int_equal(RUN_ALONE(s, "--context", "none", "--dir", s->dir, "health"), 2);
	assert_int_equal(RUN_ALONE(s, "context", "add", "a b", "--dir", s->dir), 2);
	assert_int_equal(RUN_ALONE(s, "context", "add", "a"), 2);
	assert_int_equal(RUN_ALONE(s, "context", "add", "a", "--server", "https://x:1", "--ca-file", "/dev/null"), 2);
	assert_has(s->err, "say who you are");
	assert_int_equal(RUN_ALONE(s, "context", "add", "a", "--dir", "/nonexistent"), 4);
	assert_has(s->err, "could not read --dir");
	s->config_home = NULL;
	assert_int_equal(RUN_ALONE(s, "context", "add", "a", "--dir", s->dir), 1);
	assert_has(s->err, "no home directory");
}

/* Who can write it chooses whom our token is sent to. */
static void a_file_that_others_can_change_is_refused(void **state)
{
	struct scene *s = *state;
	char path[120];
	s->config_home = s->made_dir;
	assert_int_equal(RUN_ALONE(s, "context", "add", "lab", "--dir", s->dir), 0);
	in_home(s, path);
	assert_int_equal(chmod(path, 0620), 0);
	assert_int_equal(RUN_ALONE(s, "--context", "lab", "health"), 1);
	assert_has(s->err, "others may change");
	assert_int_equal(chmod(path, 0600), 0);
	if (geteuid() == 0) { /* its owner may change it, whatever its mode is */
		assert_int_equal(chown(path, 65534, 65534), 0);
		assert_int_equal(RUN_ALONE(s, "--context", "lab", "health"), 1);
		assert_has(s->err, "others may change");
		assert_int_equal(chown(path, 0, 0), 0);
	}
	FILE *f = fopen(path, "w");
	fputs("{\"contexts\":7}", f);
	fclose(f);
	assert_int_equal(RUN_ALONE(s, "context", "list"), 1);
	assert_has(s->err, "contexts.json");
	assert_has(s->err, "put it right");
	assert_int_equal(RUN(s, HEALTH, "health"), 0); /* TROTH_DIR is not asked of it */
	forget(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(added_used_and_removed),
		cmocka_unit_test(refusals),
		cmocka_unit_test(a_file_that_others_can_change_is_refused),
	};
	return cmocka_run_group_tests(tests, scene_setup, own_teardown);
}
