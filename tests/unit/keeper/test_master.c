/* The master key file: made once, read only when nobody else could have. */
#include "spawned.h"

struct place { char dir[64], path[96]; };

static int place_setup(void **state)
{
	struct place *p = calloc(1, sizeof *p);
	snprintf(p->dir, sizeof p->dir, "/tmp/troth-master-XXXXXX");
	assert_non_null(mkdtemp(p->dir));
	snprintf(p->path, sizeof p->path, "%s/" KEEPER_MASTER_KEY_FILE, p->dir);
	*state = p;
	return 0;
}

static int place_teardown(void **state)
{
	struct place *p = *state;
	unsetenv("CREDENTIALS_DIRECTORY");
	unlink(p->path);
	assert_int_equal(rmdir(p->dir), 0);
	free(p);
	return 0;
}

static void put(const struct place *p, size_t len, mode_t mode)
{
	static const uint8_t ZERO[64];
	unlink(p->path);
	assert_true(rc_ok(file_write(p->path, bytes_of(ZERO, len), mode, NULL)));
}

static void refused(const struct place *p, const char *part)
{
	unsigned char key[KEEPER_MASTER_KEY_BYTES];
	struct troth_err e = { 0 };
	assert_true(rc_failed(keeper_master_read(p->path, key, &e)));
	if (!strstr(e.primary, part))
		fail_msg("\"%s\" does not say \"%s\"", e.primary, part);
}

static void it_is_made_with_mode_0600_and_never_overwritten(void **state)
{
	struct place *p = *state;
	unsigned char one[KEEPER_MASTER_KEY_BYTES], two[KEEPER_MASTER_KEY_BYTES] = { 0 };
	struct troth_err e = { 0 };
	struct stat st;
	assert_true(rc_ok(keeper_master_create(p->path, &e)));
	assert_int_equal(stat(p->path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(st.st_size, 32);
	assert_true(rc_ok(keeper_master_read(p->path, one, &e)));
	assert_memory_not_equal(one, two, sizeof one);
	assert_true(rc_failed(keeper_master_create(p->path, &e)));
	assert_int_equal(e.kind, TROTH_CONFLICT);
	assert_true(rc_ok(keeper_master_read(p->path, two, &e)));
	assert_memory_equal(one, two, sizeof one);
}

static void other_modes_are_refused(void **state)
{
	struct place *p = *state;
	static const mode_t MODES[] = { 0644, 0640, 0604, 0660, 0602, 0700, 0620 };
	for (size_t i = 0; i < ARRAY_LEN(MODES); i++) {
		put(p, 32, MODES[i]);
		refused(p, "it must be 0600");
	}
	put(p, 32, 0400);
	unsigned char key[KEEPER_MASTER_KEY_BYTES];
	assert_true(rc_ok(keeper_master_read(p->path, key, NULL)));
}

static void other_sizes_are_refused(void **state)
{
	struct place *p = *state;
	static const size_t SIZES[] = { 0, 16, 31, 33, 64 };
	for (size_t i = 0; i < ARRAY_LEN(SIZES); i++) {
		put(p, SIZES[i], 0600);
		refused(p, "it must have exactly 32");
	}
}

static void what_is_no_file_is_refused(void **state)
{
	struct place *p = *state;
	struct troth_err e = { 0 };
	unsigned char key[KEEPER_MASTER_KEY_BYTES];
	refused(p, "could not open master key");
	assert_true(rc_failed(keeper_master_read(p->dir, key, &e)));
	assert_non_null(strstr(e.primary, "is not a regular file"));
	assert_int_equal(symlink("/dev/zero", p->path), 0);
	refused(p, "could not open master key");
}

static void another_users_file_is_refused(void **state)
{
	struct place *p = *state;
	if (geteuid() != 0)
		skip(); /* only root can give a file away */
	put(p, 32, 0600);
	assert_int_equal(chown(p->path, 12345, 12345), 0);
	refused(p, "belongs to another user");
}

static void without_a_path_it_is_the_credential(void **state)
{
	struct place *p = *state;
	unsigned char key[KEEPER_MASTER_KEY_BYTES];
	struct troth_err e = { 0 };
	unsetenv("CREDENTIALS_DIRECTORY");
	assert_true(rc_failed(keeper_master_read(NULL, key, &e)));
	assert_non_null(strstr(e.primary, "LoadCredential=" KEEPER_MASTER_KEY_FILE));
	put(p, 32, 0440); /* as systemd's access list looks */
	setenv("CREDENTIALS_DIRECTORY", p->dir, 1);
	assert_true(rc_ok(keeper_master_read(NULL, key, &e)));
	put(p, 32, 0444);
	assert_true(rc_failed(keeper_master_read(NULL, key, &e)));
}

#define T(name) cmocka_unit_test_setup_teardown(name, place_setup, place_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(it_is_made_with_mode_0600_and_never_overwritten),
		T(other_modes_are_refused),
		T(other_sizes_are_refused),
		T(what_is_no_file_is_refused),
		T(another_users_file_is_refused),
		T(without_a_path_it_is_the_credential),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
