/* `troth init` with a real keeper: this program is its own keeper when it is called as one. */
#include "plant.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "app/server.h"
#include "keeper/keeper.h"

static struct arena *a;
static char base[64];
static struct datadir d;

static int init(const char *dir, const char *listen_at)
{
	char *argv[] = { (char *)"init", (char *)"--dir", (char *)dir, (char *)"--listen", (char *)listen_at, (char *)"--name", (char *)"troth.example" };
	return init_command(7, argv);
}

static mode_t mode_of(const char *path)
{
	struct stat st;
	assert_int_equal(stat(path, &st), 0);
	return st.st_mode & 0777;
}

static void makes_a_complete_directory(void **state)
{
	struct troth_err e = { 0 };
	struct bytes pem, token;
	const struct cert *const *chain;
	const char *url, *at;
	size_t n;
	assert_int_equal(init(d.dir, "127.0.0.1:0"), 0);
	assert_true(rc_ok(datadir_check(&d, &e)));
	assert_int_equal(mode_of(d.dir), 0700);
	assert_int_equal(mode_of(d.master_key), 0600);
	assert_int_equal(mode_of(d.server_key), 0600);
	assert_int_equal(mode_of(d.admin_token), 0600);
	assert_true(rc_ok(file_read(a, d.server_pem, LIMIT_PEM_BYTES, &pem, &e)) && rc_ok(certs_parse_pem(a, pem, &chain, &n, &e)));
	assert_int_equal(n, 2); /* with the root, for those who know only its fingerprint */
	assert_true(cert_issued_by(chain[0], chain[1]) && cert_self_signed(chain[1]));
	assert_true(cert_host_matches(chain[0], "127.0.0.1") && cert_host_matches(chain[0], "localhost") &&
		    cert_host_matches(chain[0], "troth.example"));
	assert_true(rc_ok(file_read(a, d.admin_token, 200, &token, &e)) && token.len > 40);
	assert_true(rc_ok(datadir_read_address(a, &d, &url, &at, &e)));
	assert_string_equal(at, "127.0.0.1:0");
}

static void does_not_overwrite(void **state)
{
	struct bytes before, after;
	assert_true(rc_ok(file_read(a, d.admin_token, 200, &before, NULL)));
	assert_int_equal(init(d.dir, "127.0.0.1:0"), 1);
	assert_true(rc_ok(file_read(a, d.admin_token, 200, &after, NULL)));
	assert_true(bytes_equal(before, after));
}

/* What a crash can leave: the keys are there, nothing else is. */
static void goes_on_where_it_was_interrupted(void **state)
{
	struct datadir half = datadir_make(a, arena_printf(a, "%s/half", base));
	struct troth_err e = { 0 };
	assert_true(rc_ok(dir_make(half.dir, 0700, &e)) && rc_ok(keeper_master_create(half.master_key, &e)));
	assert_int_equal(init(half.dir, "127.0.0.1:0"), 0);
	assert_true(rc_ok(datadir_check(&half, &e)));
}

static void wrong_command_lines(void **state)
{
	char *no_dir[] = { (char *)"init" }, *bad_listen[] = { (char *)"init", (char *)"--dir", base, (char *)"--listen", (char *)"here" };
	char *no_parent[] = { (char *)"init", (char *)"--dir", (char *)"/proc/nowhere/x" };
	assert_int_equal(init_command(1, no_dir), 2);
	assert_int_equal(init_command(5, bad_listen), 2);
	assert_int_not_equal(init_command(3, no_parent), 0);
}

static int setup(void **state)
{
	a = arena_new(16 << 20);
	snprintf(base, sizeof base, "/tmp/troth-init-XXXXXX");
	assert_non_null(mkdtemp(base));
	d = datadir_make(a, arena_printf(a, "%s/d", base));
	return 0;
}

static int teardown(void **state)
{
	struct process_result r;
	const char *const rm[] = { "/bin/rm", "-rf", base, NULL };
	arena_free(a);
	return rc_ok(process_run(rm, 0, 0, 10000, &r, NULL)) ? 0 : -1;
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(makes_a_complete_directory), cmocka_unit_test(does_not_overwrite),
					    cmocka_unit_test(goes_on_where_it_was_interrupted), cmocka_unit_test(wrong_command_lines) };
	if (argc > 1 && strcmp(argv[1], "keeper") == 0)
		return keeper_command(argc - 1, argv + 1);
	return cmocka_run_group_tests(tests, setup, teardown);
}
