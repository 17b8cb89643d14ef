/* Reading a directory of profiles. */
#include "lab.h"

#include <string.h>
#include <sys/stat.h>

#include "agent/profiles.h"

#define ONE "name: one\ndescription: d\nkinds: [store]\nroots: [/srv]\ndirectory: /srv/x\nfiles: [{name: c.pem, content: bundle}]\n" \
	    "drain: 1s\nproof: read\n"

static void every_yaml_is_read(void **state)
{
	struct lab *l = *state;
	struct profiles p;
	struct troth_err e = { 0 };
	lab_write(l, "srv/a.yaml", ONE);
	lab_write(l, "srv/b.yaml", "name: two");
	assert_true(rc_failed(profiles_load(l->a, lab_path(l, "srv"), NULL, &p, &e)));
	assert_non_null(strstr(e.primary, "b.yaml"));
	lab_write(l, "srv/b.yaml", ONE);
	assert_true(rc_failed(profiles_load(l->a, lab_path(l, "srv"), NULL, &p, &e)));
	assert_non_null(strstr(e.primary, "already"));
	lab_write(l, "srv/b.yaml", ONE "reload: {command: [/bin/x], network: true}\n");
	char *text = lab_read(l, "srv/b.yaml");
	memcpy(text + 6, "two", 3);
	lab_write(l, "srv/b.yaml", text);
	lab_write(l, "srv/settings", "targets: {x: {y: z}}\n");
	assert_true(rc_ok(profiles_load(l->a, lab_path(l, "srv"), lab_path(l, "srv/settings"), &p, &e)));
	assert_int_equal(p.count, 2);
	assert_true(p.network);
	assert_non_null(p.settings.targets);
	lab_write(l, "srv/settings", "all: {rooot: /x}\n"); /* no profile's: its default would be used without a word */
	assert_true(rc_failed(profiles_load(l->a, lab_path(l, "srv"), lab_path(l, "srv/settings"), &p, &e)));
	assert_non_null(strstr(e.primary, "all names parameter \"rooot\""));
	lab_write(l, "srv/settings", "x: 1\n");
	assert_true(rc_failed(profiles_load(l->a, lab_path(l, "srv"), lab_path(l, "srv/settings"), &p, &e)));
}

static void an_empty_directory_is_no_use(void **state)
{
	struct lab *l = *state;
	struct profiles p;
	struct troth_err e = { 0 };
	assert_true(rc_failed(profiles_load(l->a, lab_path(l, "srv"), NULL, &p, &e)));
	assert_int_equal(e.kind, TROTH_NOT_FOUND);
	assert_true(rc_failed(profiles_load(l->a, lab_path(l, "none"), NULL, &p, &e)));
}

#define CASE(fn) cmocka_unit_test_setup_teardown(fn, lab_setup, lab_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = { CASE(every_yaml_is_read), CASE(an_empty_directory_is_no_use) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
