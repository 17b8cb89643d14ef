/* Backups of a real data directory: there and back, and what is wrong is said before anything is made.  This program is its
 * own keeper when it is called as one. */
#include "plant.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "app/server.h"
#include "base/limits.h"
#include "keeper/keeper.h"
#include "pki/cms.h"
#include "store/copy.h"

static struct arena *a;
static char base[64];
static struct datadir d;
static const char *cert_file, *key_file;
static struct bytes recipient;

static const char *in(const char *name) { return arena_printf(a, "%s/%s", base, name); }

static int run(int (*command)(int, char **), const char *const *words)
{
	char *argv[16];
	int n = 0;
	for (; words[n]; n++)
		argv[n] = (char *)words[n];
	return command(n, argv);
}
#define RUN(command, ...) run(command, (const char *const[]){ __VA_ARGS__, NULL })

static int backup(const char *file) { return RUN(backup_command, "backup", file, "--dir", d.dir, "--recipient", cert_file); }
static int verify(const char *file) { return RUN(backup_verify_command, "verify", file, "--key", key_file); }
static int restore(const char *file, const char *dir) { return RUN(restore_command, "restore", file, "--dir", dir, "--key", key_file); }

static struct bytes read_all(const char *path)
{
	struct bytes b;
	if (rc_failed(file_read(a, path, LIMIT_PEM_BYTES, &b, NULL)))
		fail_msg("no %s", path);
	return b;
}

static void there_and_back(void **state)
{
	const char *file = in("one.cms");
	struct datadir again = datadir_make(a, in("again"));
	assert_int_equal(backup(file), 0);
	assert_int_equal(verify(file), 0);
	assert_int_equal(restore(file, again.dir), 0);
	assert_true(rc_ok(datadir_check(&again, NULL)));
	assert_true(bytes_equal(read_all(d.master_key), read_all(again.master_key)));
	assert_true(bytes_equal(read_all(d.server_key), read_all(again.server_key)));
	assert_true(bytes_equal(read_all(d.admin_token), read_all(again.admin_token)));
	assert_non_null(strstr((const char *)read_all(again.admin_json).data, again.ca_pem));
	assert_null(strstr((const char *)read_all(again.admin_json).data, ".restoring"));
	assert_int_equal(access(in("again.restoring"), F_OK), -1);
}

/* The first start takes the store for older than its fleet. */
static void the_note_is_newer_than_the_store(void **state)
{
	long long epoch, audit;
	struct copy_info info;
	struct copy_files files, none = { .count = 0 };
	CLEANUP(buf_release) struct buf copy = buf_make_secret(8 << 20);
	struct troth_err e = { 0 };
	assert_true(rc_ok(store_copy(d.store, 1, &none, &copy, &e)));
	assert_true(rc_ok(store_copy_check(a, buf_bytes(&copy), &info, &files, &e)));
	assert_int_equal(sscanf((const char *)read_all(in("again/epoch")).data, "epoch %lld\naudit %lld", &epoch, &audit), 2);
	assert_int_equal(epoch, info.epoch);
	assert_int_equal(audit, info.audit_seq + 1);
}

static void an_administrators_token_may_have_been_put_away(void **state)
{
	struct bytes token = read_all(d.admin_token);
	assert_int_equal(unlink(d.admin_token), 0);
	assert_int_equal(backup(in("quiet.cms")), 0);
	assert_int_equal(restore(in("quiet.cms"), in("quiet")), 0);
	assert_int_equal(access(in("quiet/admin.token"), F_OK), -1);
	assert_true(rc_ok(file_write(d.admin_token, token, 0600, NULL)));
}

/* A store and a master key that is not its own: worth nothing, and told of while the right one can still be looked for. */
static void a_foreign_master_key_is_found_when_the_backup_is_made(void **state)
{
	struct bytes master = read_all(d.master_key);
	assert_true(rc_ok(file_write(d.master_key, bytes_of_text("0123456789abcdef0123456789abcdef"), 0600, NULL)));
	assert_int_equal(backup(in("foreign.cms")), 1);
	assert_true(rc_ok(file_write(d.master_key, bytes_of_text("short"), 0600, NULL)));
	assert_int_equal(backup(in("foreign.cms")), 1);
	assert_int_equal(access(in("foreign.cms"), F_OK), -1);
	assert_true(rc_ok(file_write(d.master_key, master, 0600, NULL)));
}

/* Sealed by somebody else for us, with the files that are named here. */
static const char *forged(const char *name, const struct copy_files *files)
{
	struct troth_err e = { 0 };
	CLEANUP(buf_release) struct buf copy = buf_make_secret(8 << 20);
	CLEANUP(buf_release) struct buf sealed = buf_make(8 << 20);
	assert_true(rc_ok(store_copy(d.store, 1, files, &copy, &e)));
	assert_true(rc_ok(cms_seal_for(&recipient, 1, buf_bytes(&copy), &sealed, &e)));
	assert_true(rc_ok(file_write(in(name), buf_bytes(&sealed), 0600, &e)));
	return in(name);
}

static void nothing_is_made_of_what_is_not_whole(void **state)
{
	struct bytes x = bytes_of_text("x");
	struct copy_files files = { { { "admin.json", x }, { "ca.pem", x }, { "master.key", read_all(d.master_key) }, { "server.key", x },
				      { "server.listen", x }, { "server.pem", x }, { "../evil", x } }, 7 };
	assert_int_equal(restore(forged("evil.cms", &files), in("new")), 1);
	files.count = 6;
	assert_int_equal(verify(forged("fine.cms", &files)), 0); /* the names are all that was wrong */
	assert_int_equal(restore(in("fine.cms"), in("new")), 1); /* its admin.json is no JSON */
	files.count = 5;
	assert_int_equal(restore(forged("less.cms", &files), in("new")), 1);
	assert_int_equal(access(in("new"), F_OK), -1);
	assert_int_equal(access(in("new.restoring"), F_OK), -1);
	assert_int_equal(access(in("evil"), F_OK), -1);
}

static void a_restore_that_was_interrupted_is_named(void **state)
{
	assert_int_equal(mkdir(in("new.restoring"), 0700), 0);
	assert_int_equal(restore(in("one.cms"), in("new")), 1);
	assert_int_equal(access(in("new.restoring"), F_OK), 0); /* it may be somebody else's, who is at it now */
	assert_int_equal(rmdir(in("new.restoring")), 0);
	assert_int_equal(mkdir(in("new"), 0700), 0); /* an empty one is as good as none */
	assert_int_equal(restore(in("one.cms"), in("new")), 0);
	assert_int_equal(restore(in("one.cms"), in("new")), 1);
}

static void wrong_command_lines(void **state)
{
	assert_int_equal(RUN(backup_command, "backup", in("x.cms")), 2);
	assert_int_equal(RUN(backup_command, "backup", in("x.cms"), "--dir", d.dir), 2);
	assert_int_equal(RUN(backup_command, "backup", "--dir", d.dir, "--recipient", cert_file), 2);
	assert_int_equal(RUN(backup_verify_command, "verify", in("one.cms")), 2);
	assert_int_equal(RUN(backup_verify_command, "verify", in("one.cms"), "--key", key_file, "--dir", d.dir), 2);
	assert_int_equal(RUN(restore_command, "restore", in("one.cms"), "--key", key_file), 2);
	assert_int_equal(RUN(backup_verify_command, "verify", in("one.cms"), "--key", cert_file), 1);
	assert_int_equal(RUN(backup_command, "backup", in("x.cms"), "--dir", d.dir, "--recipient", key_file), 1);
	assert_int_equal(access(in("x.cms"), F_OK), -1);
}

static void make_recipient(void)
{
	CLEANUP(key_releasep) struct key *key = NULL;
	CLEANUP(buf_release) struct buf pem = buf_make_secret(LIMIT_PEM_BYTES);
	struct cert_spec spec = { .kind = CERT_ROOT, .common_name = "backup", .not_before = port_now(&PORT_CLOCK_REAL), .path_len = -1, .serial = { 1 } };
	struct troth_err e = { 0 };
	spec.not_after = spec.not_before + MSEC_HOUR;
	assert_true(rc_ok(key_generate(KEY_EC_P256, &key, &e)) && rc_ok(key_write(key, KEY_PKCS8_PEM, &pem, &e)));
	assert_true(rc_ok(key_spki(key, a, &spec.spki, &e)));
	if (rc_failed(cert_build(&spec, NULL, key, a, &recipient, &e)))
		fail_msg("%s", e.primary);
	cert_file = in("backup.pem");
	key_file = in("backup.key");
	assert_true(rc_ok(file_write(cert_file, bytes_of_text(cert_pem(a, recipient)), 0644, &e)));
	assert_true(rc_ok(file_write(key_file, buf_bytes(&pem), 0600, &e)));
}

static int setup(void **state)
{
	a = arena_new(64 << 20);
	strcpy(base, "/tmp/troth-backup-XXXXXX");
	assert_non_null(mkdtemp(base));
	d = datadir_make(a, in("data"));
	make_recipient();
	assert_int_equal(RUN(init_command, "init", "--dir", d.dir, "--listen", "127.0.0.1:0"), 0);
	return 0;
}

static int teardown(void **state)
{
	int rc = system(arena_printf(a, "rm -rf %s", base));
	arena_free(a);
	return rc;
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(there_and_back),
		cmocka_unit_test(the_note_is_newer_than_the_store),
		cmocka_unit_test(an_administrators_token_may_have_been_put_away),
		cmocka_unit_test(a_foreign_master_key_is_found_when_the_backup_is_made),
		cmocka_unit_test(nothing_is_made_of_what_is_not_whole),
		cmocka_unit_test(a_restore_that_was_interrupted_is_named),
		cmocka_unit_test(wrong_command_lines),
	};
	if (argc > 1 && strcmp(argv[1], "keeper") == 0)
		return keeper_command(argc - 1, argv + 1);
	return cmocka_run_group_tests(tests, setup, teardown);
}
