/* The table of file system calls reaches the real system and hands errno through. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "../unit.h"
#include "port/port.h"

static void the_calls_do_what_they_say(void **state)
{
	const struct port_fs *fs = &PORT_FS_REAL;
	char dir[] = "/tmp/troth-fs-XXXXXX", text[16];
	assert_non_null(mkdtemp(dir));
	int d = fs->openat(fs->self, AT_FDCWD, dir, O_RDONLY | O_DIRECTORY, 0);
	assert_true(d >= 0);
	assert_int_equal(fcntl(d, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
	assert_int_equal(fs->mkdirat(fs->self, d, "v1", 0700), 0);
	int f = fs->openat(fs->self, d, "v1/a", O_WRONLY | O_CREAT | O_EXCL, 0600);
	assert_int_equal(fs->flock(fs->self, f, LOCK_EX | LOCK_NB), 0);
	assert_int_equal(fs->write(fs->self, f, "hello", 5), 5);
	assert_int_equal(fs->fchmod(fs->self, f, 0640), 0);
	assert_int_equal(fs->fchown(fs->self, f, (uid_t)-1, (gid_t)-1), 0);
	assert_int_equal(fs->fsync(fs->self, f), 0);
	assert_int_equal(fs->close(fs->self, f), 0);
	assert_int_equal(fs->symlinkat(fs->self, "v1", d, "next"), 0);
	assert_int_equal(fs->renameat(fs->self, d, "next", d, "current"), 0);
	assert_int_equal(fs->readlinkat(fs->self, d, "current", text, sizeof text), 2);
	struct stat st;
	assert_int_equal(fs->fstatat(fs->self, d, "current/a", &st, 0), 0);
	assert_int_equal(st.st_mode & 0777, 0640);
	f = fs->openat(fs->self, d, "current/a", O_RDONLY, 0);
	assert_int_equal(fs->read(fs->self, f, text, sizeof text), 5);
	fs->close(fs->self, f);
	assert_int_equal(fs->openat(fs->self, d, "none", O_RDONLY, 0), -1);
	assert_int_equal(errno, ENOENT);
	assert_int_equal(fs->unlinkat(fs->self, d, "v1/a", 0), 0);
	assert_int_equal(fs->unlinkat(fs->self, d, "current", 0), 0);
	assert_int_equal(fs->unlinkat(fs->self, d, "v1", AT_REMOVEDIR), 0);
	fs->close(fs->self, d);
	assert_int_equal(rmdir(dir), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(the_calls_do_what_they_say) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
