/* Reading and making the master key file.  It is read straight into the caller's secure memory. */
#include "keeper/master.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "keeper/state.h"

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

/* systemd makes a credential readable for the service's user by an access list, which shows as group
 * bits; there the directory is what protects it. */
static troth_rc file_check(const char *path, const struct stat *st, bool credential, struct troth_err *e)
{
	ENSURE(S_ISREG(st->st_mode), e, TROTH_INVALID, "master key \"%s\" is not a regular file", path);
	unsigned mode = st->st_mode & 07777, forbidden = credential ? 07137 : 07177;
	if (mode & forbidden) {
		troth_rc rc = err_set(e, TROTH_INVALID, "master key \"%s\" has mode %04o; it must be 0600", path, mode);
		err_hint(e, "chmod 600 %s; if others may have read it, make a new one and re-create the authorities", path);
		return rc;
	}
	ENSURE(credential || st->st_uid == geteuid() || st->st_uid == 0, e, TROTH_INVALID,
	       "master key \"%s\" belongs to another user (uid %u)", path, (unsigned)st->st_uid);
	if (st->st_size != KEEPER_MASTER_KEY_BYTES) {
		troth_rc rc = err_set(e, TROTH_INVALID, "master key \"%s\" has %lld bytes; it must have exactly %d", path,
				      (long long)st->st_size, KEEPER_MASTER_KEY_BYTES);
		err_hint(e, "it is 32 raw random bytes, not text: restore it from its backup");
		return rc;
	}
	return RC_OK;
}

static troth_rc read_exact(int fd, const char *path, unsigned char *out, struct troth_err *e)
{
	for (size_t done = 0; done < KEEPER_MASTER_KEY_BYTES;) {
		ssize_t n = read(fd, out + done, KEEPER_MASTER_KEY_BYTES - done);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			secret_wipe(out, KEEPER_MASTER_KEY_BYTES);
			return n < 0 ? err_errno(e, errno, "could not read master key \"%s\"", path)
				     : err_set(e, TROTH_IO, "master key \"%s\" ended early", path);
		}
		done += (size_t)n;
	}
	return RC_OK;
}

troth_rc keeper_master_read(const char *path, unsigned char *out, struct troth_err *e)
{
	char in_directory[PATH_MAX];
	bool credential = !path;
	if (credential) {
		const char *dir = getenv("CREDENTIALS_DIRECTORY");
		ENSURE(dir && *dir == '/', e, TROTH_INVALID,
		       "no master key: give --master-key PATH, or run under systemd with LoadCredential=" KEEPER_MASTER_KEY_FILE);
		int n = snprintf(in_directory, sizeof in_directory, "%s/" KEEPER_MASTER_KEY_FILE, dir);
		ENSURE(n > 0 && (size_t)n < sizeof in_directory, e, TROTH_INVALID, "CREDENTIALS_DIRECTORY is too long");
		path = in_directory;
	}
	CLEANUP(close_fd) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0) {
		int err_no = errno;
		troth_rc rc = err_errno(e, err_no, "could not open master key \"%s\"", path);
		err_hint(e, err_no == ENOENT ? "put it back from its backup: no other opens the keys in the store"
					     : "it must be readable by the user that the server runs as, and by nobody else");
		return rc;
	}
	struct stat st;
	if (fstat(fd, &st) != 0)
		return err_errno(e, errno, "could not inspect master key \"%s\"", path);
	TRY(file_check(path, &st, credential, e));
	return read_exact(fd, path, out, e);
}

/* Written whole under another name, then linked: link() refuses to replace what is there. */
troth_rc keeper_master_create(const char *path, struct troth_err *e)
{
	char part[PATH_MAX];
	int len = snprintf(part, sizeof part, "%s.new", path);
	ENSURE(len > 0 && (size_t)len < sizeof part, e, TROTH_INVALID, "path is too long");
	unsigned char key[KEEPER_MASTER_KEY_BYTES];
	PORT_RANDOM_REAL.fill(PORT_RANDOM_REAL.self, key, sizeof key);
	troth_rc rc = file_write(part, bytes_of(key, sizeof key), 0600, e);
	secret_wipe(key, sizeof key);
	TRY(rc);
	int err_no = link(part, path) == 0 ? 0 : errno;
	unlink(part);
	if (err_no == EEXIST)
		return err_set(e, TROTH_CONFLICT, "master key \"%s\" exists already; it is never overwritten", path);
	if (err_no)
		return err_errno(e, err_no, "could not make master key \"%s\"", path);
	return RC_OK;
}
