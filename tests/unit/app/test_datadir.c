/* The data directory: names, what is missing, the address, the chain that is served. */
#include "plant.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "app/server.h"

static struct arena *a;
static char dir[64];
static struct datadir d;

static void names(void **state)
{
	struct datadir x = datadir_make(a, "/var/lib/troth/");
	assert_string_equal(x.store, "/var/lib/troth/troth.db");
	assert_string_equal(x.master_key, "/var/lib/troth/master.key");
	assert_string_equal(datadir_make(a, "/").dir, "/");
}

static void which_one_is_said_or_in_the_environment(void **state)
{
	setenv("TROTH_DIR", "/env", 1);
	assert_string_equal(datadir_said("/said"), "/said");
	assert_string_equal(datadir_said(NULL), "/env");
	setenv("TROTH_DIR", "", 1);
	assert_null(datadir_said(NULL));
	unsetenv("TROTH_DIR");
	assert_null(datadir_said(NULL));
}

static void missing_files_are_named(void **state)
{
	struct troth_err e = { 0 };
	assert_int_equal(datadir_check(&d, &e).code, TROTH_NOT_FOUND);
	assert_non_null(strstr(e.primary, d.store));
	assert_non_null(strstr(e.hint, "troth init"));
}

/* What is missing of one that was whole is not made by init. */
static void a_hole_in_a_whole_one_is_told_as_such(void **state)
{
	struct troth_err e = { 0 };
	assert_true(rc_ok(file_write(d.store, bytes_of_text("x"), 0600, &e)));
	assert_int_equal(datadir_check(&d, &e).code, TROTH_NOT_FOUND);
	assert_non_null(strstr(e.primary, d.server_key));
	assert_non_null(strstr(e.hint, "troth restore"));
	assert_int_equal(datadir_check_usable(&d, &e).code, TROTH_NOT_FOUND);
	unlink(d.store);
}

static void a_broken_address_is_told_with_its_file(void **state)
{
	const char *url, *at;
	struct troth_err e = { 0 };
	assert_true(rc_ok(file_write(d.listen, bytes_of_text("nowhere\n"), 0600, &e)));
	assert_true(rc_ok(file_write(d.admin_json, bytes_of_text("junk\n"), 0600, &e)));
	assert_int_equal(datadir_read_address(a, &d, &url, &at, &e).code, TROTH_INVALID);
	assert_non_null(strstr(e.primary, d.admin_json));
	assert_true(rc_ok(file_write(d.admin_json, bytes_of_text("{}\n"), 0600, &e)));
	assert_int_equal(datadir_read_address(a, &d, &url, &at, &e).code, TROTH_INVALID);
	assert_non_null(strstr(e.primary, d.listen));
	assert_non_null(strstr(e.hint, "ADDRESS:PORT"));
}

static void address_there_and_back(void **state)
{
	const char *url, *at;
	struct troth_err e = { 0 };
	assert_true(rc_ok(datadir_write_address(&d, "https://troth.example:8443", "0.0.0.0:8443", &e)));
	assert_true(rc_ok(datadir_read_address(a, &d, &url, &at, &e)));
	assert_string_equal(url, "https://troth.example:8443");
	assert_string_equal(at, "0.0.0.0:8443");
}

static const char *url_of(const char *listen, const char *name, int port)
{
	struct address at;
	assert_true(address_parse(listen, &at));
	return server_url(a, &at, name, port);
}

static void urls(void **state)
{
	assert_string_equal(url_of("127.0.0.1:0", NULL, 81), "https://127.0.0.1:81");
	assert_string_equal(url_of("0.0.0.0:0", "t.example", 81), "https://t.example:81");
	assert_string_equal(url_of("[::]:0", NULL, 81), "https://localhost:81");
	assert_string_equal(url_of("[::1]:0", NULL, 81), "https://[::1]:81");
}

static const char *issue(enum cert_kind kind, struct key *key, const struct cert *issuer, const struct key *issuer_key, const struct cert **ret)
{
	struct bytes der;
	struct troth_err e = { 0 };
	msec_t now = port_now(&PORT_CLOCK_REAL);
	static const struct san san = { SAN_DNS, "localhost" };
	struct cert_spec spec = { .kind = kind, .common_name = kind == CERT_ROOT ? "root" : "leaf", .not_before = now, .not_after = now + MSEC_HOUR,
				  .path_len = -1, .serial = { 1 }, .eku = kind == CERT_LEAF ? EKU_SERVER : 0, .sans = &san,
				  .san_count = kind == CERT_LEAF };
	assert_true(rc_ok(key_spki(key, a, &spec.spki, &e)));
	if (rc_failed(cert_build(&spec, issuer, issuer_key, a, &der, &e)))
		fail_msg("%s", e.primary);
	assert_true(rc_ok(cert_parse(a, der, ret, &e)));
	return cert_pem(a, der);
}

/* Enrolment knows only the root's fingerprint, so the server has to show its root. */
static void served_chain_ends_with_the_root(void **state)
{
	struct key *k1, *k2;
	const struct cert *root, *other, *leaf;
	const char *pem;
	assert_true(rc_ok(key_generate(KEY_EC_P256, &k1, NULL)) && rc_ok(key_generate(KEY_EC_P256, &k2, NULL)));
	const char *root_pem = issue(CERT_ROOT, k1, NULL, k1, &root), *other_pem = issue(CERT_ROOT, k2, NULL, k2, &other);
	const char *leaf_pem = issue(CERT_LEAF, k2, root, k1, &leaf);
	assert_true(rc_ok(server_pem_make(a, leaf_pem, "", NULL, arena_printf(a, "%s%s", other_pem, root_pem), &pem, NULL)));
	assert_string_equal(pem, arena_printf(a, "%s%s", leaf_pem, root_pem));
	assert_true(rc_ok(server_pem_make(a, leaf_pem, root_pem, NULL, root_pem, &pem, NULL)));
	assert_string_equal(pem, arena_printf(a, "%s%s", leaf_pem, root_pem));
	assert_int_equal(server_pem_make(a, "nothing", "", NULL, root_pem, &pem, NULL).code, TROTH_CORRUPT);
	key_release(k1);
	key_release(k2);
}

/* "troth init --dir data" named its files data/ca.pem, which the CLI looked for below data. */
static void a_relative_directory_is_named_once(void **state)
{
	struct bytes text;
	char here[4096];
	assert_non_null(getcwd(here, sizeof here));
	assert_int_equal(chdir(dir), 0);
	struct datadir near = datadir_make(a, ".");
	assert_true(rc_ok(datadir_write_address(&near, "https://127.0.0.1:1", "127.0.0.1:1", NULL)));
	assert_true(rc_ok(file_read(a, near.admin_json, 4096, &text, NULL)));
	assert_non_null(strstr((const char *)text.data, "\"ca.pem\""));
	assert_non_null(strstr((const char *)text.data, "\"admin.token\""));
	assert_int_equal(chdir(here), 0);
}

static int setup(void **state)
{
	a = arena_new(16 << 20);
	snprintf(dir, sizeof dir, "/tmp/troth-datadir-XXXXXX");
	assert_non_null(mkdtemp(dir));
	d = datadir_make(a, dir);
	return 0;
}

static int teardown(void **state)
{
	unlink(d.admin_json);
	unlink(d.listen);
	rmdir(dir);
	arena_free(a);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(names), cmocka_unit_test(which_one_is_said_or_in_the_environment), cmocka_unit_test(missing_files_are_named),
					    cmocka_unit_test(a_hole_in_a_whole_one_is_told_as_such), cmocka_unit_test(urls),
					    cmocka_unit_test(a_broken_address_is_told_with_its_file), cmocka_unit_test(address_there_and_back),
					    cmocka_unit_test(a_relative_directory_is_named_once),
					    cmocka_unit_test(served_chain_ends_with_the_root) };
	return cmocka_run_group_tests(tests, setup, teardown);
}
