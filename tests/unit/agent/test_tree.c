/* Files below roots and nowhere else. */
#include "lab.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/tree.h"

static struct place place(struct lab *l)
{
	const char **roots = ARENA_ARRAY(l->a, const char *, 2);
	roots[0] = lab_path(l, "srv");
	roots[1] = lab_path(l, "new/root");
	return (struct place){ .profile = "p", .roots = roots, .root_count = 2 };
}

static troth_rc open_below(struct lab *l, const char *name, bool create, struct troth_err *e)
{
	struct place p = place(l);
	int fd;
	troth_rc rc = tree_open(l->port.fs, &p, lab_path(l, name), create, &fd, e);
	if (rc_ok(rc))
		close(fd);
	return rc;
}

static void opens_below_and_makes_what_is_missing(void **state)
{
	struct lab *l = *state;
	struct troth_err e = { 0 };
	assert_true(rc_ok(open_below(l, "srv", false, &e)));
	assert_true(rc_failed(open_below(l, "srv/a/b", false, &e)));
	assert_int_equal(e.kind, TROTH_NOT_FOUND);
	assert_true(rc_ok(open_below(l, "srv/a/b", true, &e)));
	assert_true(rc_ok(open_below(l, "new/root/x", true, &e)));
	assert_true(lab_exists(l, "new/root/x"));
}

static void nothing_else_is_opened(void **state)
{
	struct lab *l = *state;
	struct troth_err e = { 0 };
	assert_int_equal(mkdir(lab_path(l, "out"), 0755), 0);
	assert_int_equal(symlink("../out", lab_path(l, "srv/link")), 0);
	lab_write(l, "srv/file", "x");
	static const char *const names[] = { "out", "srv/../out", "srv/link", "srv/link/x", "srv/file", "srvx", "srv/./a" };
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		err_clear(&e);
		assert_true(rc_failed(open_below(l, names[i], true, &e)));
		assert_int_equal(e.kind, TROTH_FORBIDDEN);
	}
}

static int open_srv(struct lab *l)
{
	struct place p = place(l);
	int fd;
	assert_true(rc_ok(tree_open(l->port.fs, &p, lab_path(l, "srv"), false, &fd, NULL)));
	return fd;
}

static void files_are_written_read_and_replaced(void **state)
{
	struct lab *l = *state;
	struct tree_owner me = { getuid(), getgid(), true };
	CLEANUP(buf_release) struct buf b = { 0 };
	struct stat st;
	struct troth_err e = { 0 };
	int fd = open_srv(l);
	assert_true(rc_ok(tree_write(l->port.fs, fd, "f", bytes_of("one", 3), 0640, me, NULL)));
	assert_true(rc_ok(tree_replace(l->port.fs, fd, "f", bytes_of("two", 3), 0600, me, NULL)));
	assert_true(rc_ok(tree_read(l->port.fs, fd, "f", 100, &b, &st, NULL)));
	assert_string_equal(buf_text(&b), "two");
	assert_int_equal(st.st_mode & 07777, 0600);
	struct buf small = { 0 };
	assert_true(rc_failed(tree_read(l->port.fs, fd, "f", 2, &small, NULL, &e)));
	assert_int_equal(e.kind, TROTH_TOO_LARGE);
	assert_int_equal(symlink("f", lab_path(l, "srv/s")), 0);
	assert_true(rc_failed(tree_read(l->port.fs, fd, "s", 100, &small, NULL, &e)));
	assert_int_equal(e.kind, TROTH_CONFLICT);
	assert_true(rc_ok(tree_write(l->port.fs, fd, "s", bytes_of("own", 3), 0600, me, NULL))); /* replaces the link, not its target */
	assert_string_equal(lab_read(l, "srv/f"), "two");
	close(fd);
}

static void links_are_changed_in_one_step(void **state)
{
	struct lab *l = *state;
	char out[64];
	struct troth_err e = { 0 };
	int fd = open_srv(l);
	assert_true(rc_failed(tree_link_read(l->port.fs, fd, "current", out, sizeof out, &e)));
	assert_int_equal(e.kind, TROTH_NOT_FOUND);
	assert_true(rc_ok(tree_link(l->port.fs, fd, "v1", "current", NULL)));
	assert_true(rc_ok(tree_link(l->port.fs, fd, "v2", "current", NULL)));
	assert_true(rc_ok(tree_link_read(l->port.fs, fd, "current", out, sizeof out, NULL)));
	assert_string_equal(out, "v2");
	lab_write(l, "srv/plain", "x");
	assert_true(rc_failed(tree_link_read(l->port.fs, fd, "plain", out, sizeof out, &e)));
	assert_int_equal(e.kind, TROTH_CONFLICT);
	assert_true(rc_ok(tree_sync(l->port.fs, fd, NULL)));
	close(fd);
}

#define CASE(fn) cmocka_unit_test_setup_teardown(fn, lab_setup, lab_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = { CASE(opens_below_and_makes_what_is_missing), CASE(nothing_else_is_opened),
					    CASE(files_are_written_read_and_replaced), CASE(links_are_changed_in_one_step) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
