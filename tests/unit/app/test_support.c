/* A support bundle of a data directory on which no server runs: whole, of all pages, never over another file.  That no secret is in it
 * is looked at in tests/e2e/test_support.py.  This program is its own keeper when it is called as one. */
#include "../unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "app/server.h"
#include "app/tar.h"
#include "base/limits.h"
#include "base/text.h"
#include "keeper/keeper.h"
#include "port/port.h"
#include "store/store.h"

static struct arena *a;
static char base[64];
static struct datadir d;

static const char *in(const char *name) { return arena_printf(a, "%s/%s", base, name); }

static int bundle(const char *file, const char *dir)
{
	char *argv[] = { (char *)"support-bundle", arena_text(a, file), (char *)"--dir", arena_text(a, dir) };
	return support_command(4, argv);
}

static struct bytes read_all(const char *path)
{
	struct bytes b;
	assert_ok(file_read(a, path, LIMIT_SUPPORT_BYTES, &b, &unit_err));
	return b;
}

/* Contents of a member, or NULL. */
static const char *member(struct bytes tar, const char *name)
{
	for (size_t at = 0; at + TAR_BLOCK <= tar.len && tar.data[at];) {
		size_t size = strtoul((const char *)tar.data + at + 124, NULL, 8);
		if (strcmp((const char *)tar.data + at, name) == 0)
			return arena_text_n(a, (const char *)tar.data + at + TAR_BLOCK, size);
		at += TAR_BLOCK + (size + TAR_BLOCK - 1) / TAR_BLOCK * TAR_BLOCK;
	}
	return NULL;
}

static void it_is_whole_and_for_its_owner(void **state)
{
	struct stat st;
	assert_int_equal(bundle(in("one.tar"), d.dir), 0);
	assert_int_equal(stat(in("one.tar"), &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	struct bytes tar = read_all(in("one.tar"));
	assert_contains(member(tar, "troth-support/README"), "No server runs on");
	assert_contains(member(tar, "troth-support/store.json"), "\"epoch\":1,");
	assert_contains(member(tar, "troth-support/settings.json"), "\"name\":\"listen\",\"value\":\"127.0.0.1:0\"");
	assert_contains(member(tar, "troth-support/api/authorities.jsonl"), "\"name\":\"/troth/agents\"");
	assert_contains(member(tar, "troth-support/keeper.log"), "act=authority-create result=granted");
	static const char *const failed[] = { "json.failed", "jsonl.failed", "txt.failed", "log.failed" };
	for (size_t i = 0; i < ARRAY_LEN(failed); i++)
		assert_null(memmem(tar.data, tar.len, failed[i], strlen(failed[i])));
	assert_null(memmem(tar.data, tar.len, read_all(d.master_key).data, 32));
}

static void it_never_replaces_a_file(void **state)
{
	assert_ok(file_write(in("mine"), bytes_of_text("mine"), 0600, &unit_err));
	assert_int_equal(bundle(in("mine"), d.dir), 1);
	assert_int_equal(symlink(in("nowhere"), in("link")), 0); /* a name that is taken, though nothing is behind it */
	assert_int_equal(bundle(in("link"), d.dir), 1);
	assert_int_equal(access(in("nowhere"), F_OK), -1);
	assert_true(bytes_equal(read_all(in("mine")), bytes_of_text("mine")));
}

static void add_bundles(int count)
{
	struct store *store;
	struct tx *tx;
	const struct store_options options = { .must_exist = true };
	assert_ok(store_open(d.store, &options, &store, &unit_err));
	assert_ok(store_write_begin(store, &tx, &unit_err));
	for (int i = 0; i < count; i++) {
		char uuid[UUID_LEN];
		port_uuid(&PORT_RANDOM_REAL, uuid);
		struct bundle_row row = { .uuid = uuid, .name = arena_printf(a, "/many/%04d", i), .rev = 1, .created = 1 };
		assert_ok(bundle_row_insert(tx, &row, &unit_err));
	}
	assert_ok(store_write_commit(tx, &unit_err));
	store_close(store);
}

static void all_pages_are_in_it(void **state)
{
	add_bundles(2 * LIMIT_PAGE + 1);
	assert_int_equal(bundle(in("pages.tar"), d.dir), 0);
	const char *text = member(read_all(in("pages.tar")), "troth-support/api/bundles.jsonl");
	size_t pages = 0;
	for (const char *line = text; (line = strchr(line, '\n')); line++)
		pages++;
	assert_int_equal(pages, 3);
	assert_contains(text, "\"name\":\"/many/0000\"");
	assert_contains(text, arena_printf(a, "\"name\":\"/many/%04d\"", 2 * LIMIT_PAGE));
}

static void wrong_places(void **state)
{
	assert_int_equal(bundle(in("x.tar"), in("none")), 4);
	assert_int_equal(bundle(in("none/x.tar"), d.dir), 4);
	char *no_dir[] = { (char *)"support-bundle", (char *)"x.tar" };
	assert_int_equal(support_command(2, no_dir), 2);
	assert_int_equal(access(in("x.tar"), F_OK), -1);
}

static int setup(void **state)
{
	char *init[] = { (char *)"init", (char *)"--dir", NULL, (char *)"--listen", (char *)"127.0.0.1:0" };
	a = arena_new(64 << 20);
	strcpy(base, "/tmp/troth-support-XXXXXX");
	assert_non_null(mkdtemp(base));
	d = datadir_make(a, in("data"));
	init[2] = arena_text(a, d.dir);
	return init_command(5, init);
}

static int teardown(void **state)
{
	int rc = system(arena_printf(a, "rm -rf %s", base));
	arena_free(a);
	return rc;
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(it_is_whole_and_for_its_owner), cmocka_unit_test(it_never_replaces_a_file),
					    cmocka_unit_test(all_pages_are_in_it), cmocka_unit_test(wrong_places) };
	if (argc > 1 && strcmp(argv[1], "keeper") == 0)
		return keeper_command(argc - 1, argv + 1);
	return cmocka_run_group_tests(tests, setup, teardown);
}
