/* Whole files: read bounded, written so that a crash leaves the old or the new one. */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

#include "base/text.h"
#include "port/port.h"

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

static troth_rc open_regular(const char *path, size_t max, int *ret_fd, size_t *ret_size, struct troth_err *e)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return err_errno(e, errno, "could not open file \"%s\"", path);
	struct stat st;
	troth_rc rc = RC_OK;
	if (fstat(fd, &st) != 0)
		rc = err_errno(e, errno, "could not inspect file \"%s\"", path);
	else if (!S_ISREG(st.st_mode))
		rc = err_set(e, TROTH_INVALID, "\"%s\" is not a regular file", path);
	else if ((uintmax_t)st.st_size > max)
		rc = err_set(e, TROTH_TOO_LARGE, "file \"%s\" has %jd bytes; at most %zu are accepted", path,
			     (intmax_t)st.st_size, max);
	if (rc_failed(rc)) {
		close(fd);
		return rc;
	}
	*ret_fd = fd;
	*ret_size = (size_t)st.st_size;
	return RC_OK;
}

static troth_rc read_into(const char *path, size_t max, struct buf *out, struct troth_err *e)
{
	CLEANUP(close_fd) int fd = -1;
	size_t size;
	TRY(open_regular(path, max, &fd, &size, e));
	uint8_t chunk[4096];
	troth_rc rc = RC_OK;
	for (;;) {
		ssize_t n = read(fd, chunk, sizeof chunk);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			rc = err_errno(e, errno, "could not read file \"%s\"", path);
		if (n <= 0)
			break;
		buf_add(out, chunk, (size_t)n);
	}
	if (out->secret)
		secret_wipe(chunk, sizeof chunk);
	TRY(rc);
	ENSURE(buf_ok(out), e, TROTH_TOO_LARGE, "file \"%s\" grew above %zu bytes", path, max);
	return RC_OK;
}

troth_rc file_read(struct arena *a, const char *path, size_t max, struct bytes *ret, struct troth_err *e)
{
	CLEANUP(buf_release) struct buf b = buf_make(max);
	TRY(read_into(path, max, &b, e));
	*ret = bytes_of(arena_text_n(a, (const char *)b.data, b.len), b.len); /* a 0 behind it, for text */
	return RC_OK;
}

troth_rc file_read_secret(const char *path, size_t max, struct buf *ret, struct troth_err *e)
{
	struct buf b = buf_make_secret(max);
	troth_rc rc = read_into(path, max, &b, e);
	if (rc_failed(rc)) {
		buf_release(&b);
		return rc;
	}
	*ret = b;
	return RC_OK;
}

static troth_rc write_all(int fd, struct bytes data, const char *path, struct troth_err *e)
{
	for (size_t done = 0; done < data.len;) {
		ssize_t n = write(fd, data.data + done, data.len - done);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_errno(e, errno, "could not write file \"%s\"", path);
		done += (size_t)n;
	}
	return RC_OK;
}

troth_rc file_sync_parent(const char *path, struct troth_err *e)
{
	char copy[PATH_MAX];
	ENSURE(text_copy(copy, sizeof copy, path), e, TROTH_INVALID, "path is too long");
	CLEANUP(close_fd) int dir = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0 || fsync(dir) != 0)
		return err_errno(e, errno, "could not sync the directory of \"%s\"", path);
	return RC_OK;
}

/* Not every file system can rename without replacing; where it cannot, a second name does the same. */
static int rename_new(const char *tmp, const char *path)
{
	if (renameat2(AT_FDCWD, tmp, AT_FDCWD, path, RENAME_NOREPLACE) == 0)
		return 0;
	if ((errno != EINVAL && errno != ENOSYS) || link(tmp, path) != 0)
		return -1;
	return unlink(tmp);
}

static troth_rc write_by(int (*take)(const char *, const char *), const char *path, struct bytes data, mode_t mode, struct troth_err *e)
{
	char tmp[PATH_MAX];
	ENSURE(snprintf(tmp, sizeof tmp, "%s.tmp", path) < (int)sizeof tmp, e, TROTH_INVALID, "path is too long");
	unlink(tmp); /* what a crash may have left */
	CLEANUP(close_fd) int fd = open(tmp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode);
	if (fd < 0)
		return err_errno(e, errno, "could not create file \"%s\"", tmp);
	troth_rc rc = write_all(fd, data, tmp, e);
	if (rc_ok(rc) && (fchmod(fd, mode) != 0 || fsync(fd) != 0))
		rc = err_errno(e, errno, "could not sync file \"%s\"", tmp);
	if (rc_ok(rc) && take(tmp, path) != 0)
		rc = err_errno(e, errno, "could not rename \"%s\" to \"%s\"", tmp, path);
	if (rc_failed(rc)) {
		unlink(tmp);
		return rc;
	}
	return file_sync_parent(path, e);
}

troth_rc file_write(const char *path, struct bytes data, mode_t mode, struct troth_err *e)
{
	return write_by(rename, path, data, mode, e);
}

troth_rc file_write_new(const char *path, struct bytes data, mode_t mode, struct troth_err *e)
{
	return write_by(rename_new, path, data, mode, e);
}

troth_rc dir_make(const char *path, mode_t mode, struct troth_err *e)
{
	char part[PATH_MAX];
	ENSURE(text_copy(part, sizeof part, path), e, TROTH_INVALID, "path is too long");
	for (char *p = part + 1; *p; p++) {
		if (*p != '/')
			continue;
		*p = 0;
		if (mkdir(part, mode) != 0 && errno != EEXIST)
			return err_errno(e, errno, "could not make directory \"%s\"", part);
		*p = '/';
	}
	if (mkdir(part, mode) != 0 && errno != EEXIST)
		return err_errno(e, errno, "could not make directory \"%s\"", part);
	struct stat st;
	ENSURE(stat(part, &st) == 0 && S_ISDIR(st.st_mode), e, TROTH_INVALID, "\"%s\" is not a directory", part);
	return RC_OK;
}
