/* What is written is what the tar program reads. */
#include "../unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "app/tar.h"
#include "base/arena.h"
#include "port/port.h"

/* What the real program says about it. */
static const char *tar_says(struct arena *a, struct bytes archive, const char *how)
{
	char path[] = "/tmp/troth-tar-XXXXXX", out[2048] = "";
	int fd = mkstemp(path);
	assert_true(fd >= 0);
	close(fd);
	assert_ok(file_write(path, archive, 0600, &unit_err));
	FILE *p = popen(arena_printf(a, "TZ=UTC tar %s -f %s 2>&1", how, path), "r");
	size_t n = fread(out, 1, sizeof out - 1, p);
	out[n] = 0;
	assert_int_equal(pclose(p), 0);
	unlink(path);
	return arena_text(a, out);
}

static void the_tar_program_reads_it(void **state)
{
	struct arena *a = arena_new(4 << 20);
	CLEANUP(buf_release) struct buf out = buf_make(1 << 20);
	const struct tar t = { &out, 1763820000 * MSEC_S };
	uint8_t block[TAR_BLOCK];
	memset(block, 'x', sizeof block);
	assert_ok(tar_add(&t, "d/one.txt", bytes_of_text("first\n"), &unit_err));
	assert_ok(tar_add(&t, "d/none", bytes_of(NULL, 0), &unit_err));
	assert_ok(tar_add(&t, "d/block", bytes_of(block, sizeof block), &unit_err));
	assert_ok(tar_add(&t, "d/two.txt", bytes_of_text("second\n"), &unit_err));
	assert_ok(tar_end(&t, &unit_err));
	assert_int_equal(out.len % TAR_BLOCK, 0);
	assert_string_equal(tar_says(a, buf_bytes(&out), "-xO"), arena_printf(a, "first\n%.512ssecond\n", (const char *)block));
	const char *list = tar_says(a, buf_bytes(&out), "-tv --numeric-owner");
	assert_contains(list, "-rw------- 0/0 ");
	assert_contains(list, " 6 2025-11-22 14:00 d/one.txt\n");
	assert_contains(list, " 0 2025-11-22 14:00 d/none\n");
	arena_free(a);
}

static void what_cannot_be_in_it_is_refused(void **state)
{
	CLEANUP(buf_release) struct buf out = buf_make(1024);
	const struct tar t = { &out, 0 };
	char longest[TAR_NAME_BYTES + 2];
	memset(longest, 'n', sizeof longest);
	longest[TAR_NAME_BYTES + 1] = 0;
	assert_fails(tar_add(&t, "", bytes_of_text("x"), &unit_err), TROTH_INVALID);
	assert_fails(tar_add(&t, "/etc/x", bytes_of_text("x"), &unit_err), TROTH_INVALID);
	assert_fails(tar_add(&t, longest, bytes_of_text("x"), &unit_err), TROTH_INVALID);
	assert_int_equal(out.len, 0);
	longest[TAR_NAME_BYTES] = 0;
	assert_ok(tar_add(&t, longest, bytes_of(NULL, 0), &unit_err));
	assert_fails(tar_add(&t, "x", bytes_of_text("x"), &unit_err), TROTH_TOO_LARGE);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(the_tar_program_reads_it), cmocka_unit_test(what_cannot_be_in_it_is_refused) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
