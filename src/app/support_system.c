/* Facts of the machine, of a process and of a directory, as text for people. */
#include "app/support.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/timex.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/text.h"
#include "port/port.h"

enum { PROC_BYTES = 64 << 10, DIR_ENTRIES = 1000 };

static void say(struct buf *out, const char *what, const char *value) { buf_printf(out, "%-16s%s\n", what, value); }

/* Of a file of /proc or /etc; NULL if it cannot be read. */
static const char *contents(struct arena *a, const char *path)
{
	struct bytes text;
	if (rc_failed(file_read(a, path, PROC_BYTES, &text, NULL)))
		return NULL;
	return arena_text_n(a, (const char *)text.data, strnlen((const char *)text.data, text.len));
}

static const char *first_line(struct arena *a, const char *path)
{
	const char *text = contents(a, path);
	return text ? arena_text_n(a, text, strcspn(text, "\n")) : "unknown";
}

/* The value of "NAME=..." in os-release(5), or of "Name:   ..." in /proc/meminfo. */
static const char *value_of(struct arena *a, const char *text, const char *name)
{
	const char *at = text;
	while (at && strncmp(at, name, strlen(name)) != 0) {
		at = strchr(at, '\n');
		at = at ? at + 1 : NULL;
	}
	if (!at)
		return "unknown";
	at += strlen(name);
	at += strspn(at, " \t\"");
	return arena_text_n(a, at, strcspn(at, "\"\n"));
}

static const char *clock_state(void)
{
	struct timex t = { 0 };
	int state = adjtimex(&t); /* modes 0: nothing is changed */
	return state < 0 ? "unknown" : state == TIME_ERROR || (t.status & STA_UNSYNC) ? "not synchronised, says the kernel" : "synchronised, says the kernel";
}

static void say_kernel(struct arena *a, struct buf *out)
{
	struct utsname u;
	if (uname(&u) == 0)
		say(out, "system", arena_printf(a, "%s %s %s %s", u.sysname, u.release, u.machine, u.version));
}

static void say_space(struct arena *a, const char *dir, struct buf *out)
{
	struct statvfs v;
	if (statvfs(dir, &v) != 0)
		return;
	say(out, "disk", arena_printf(a, "%llu of %llu MiB free", (unsigned long long)v.f_bavail * v.f_frsize >> 20,
				      (unsigned long long)v.f_blocks * v.f_frsize >> 20));
	say(out, "inodes", arena_printf(a, "%llu of %llu free", (unsigned long long)v.f_favail, (unsigned long long)v.f_files));
}

void support_system(struct arena *a, const char *dir, struct buf *out)
{
	char now[RFC3339_LEN];
	const char *release = contents(a, "/etc/os-release"), *memory = contents(a, "/proc/meminfo");
	say(out, "time", time_format(port_now(&PORT_CLOCK_REAL), now));
	say(out, "clock", clock_state());
	say_kernel(a, out);
	say(out, "distribution", value_of(a, release, "PRETTY_NAME="));
	say(out, "openssl", OpenSSL_version(OPENSSL_VERSION));
	say(out, "processors", arena_printf(a, "%ld", sysconf(_SC_NPROCESSORS_ONLN)));
	say(out, "memory", value_of(a, memory, "MemTotal:"));
	say(out, "available", value_of(a, memory, "MemAvailable:"));
	say(out, "swap free", value_of(a, memory, "SwapFree:"));
	say(out, "load", first_line(a, "/proc/loadavg"));
	say(out, "up (s)", first_line(a, "/proc/uptime"));
	say_space(a, dir, out);
	say(out, "this user", arena_printf(a, "%u:%u", (unsigned)geteuid(), (unsigned)getegid()));
}

/* -- a process ---------------------------------------------------------------------------------------------------- */
static size_t count_entries(const char *dir)
{
	DIR *d = opendir(dir);
	size_t n = 0;
	while (d && readdir(d))
		n++;
	if (d)
		closedir(d);
	return n > 2 ? n - 2 : 0;
}

static void put_file(struct arena *a, const char *path, struct buf *out)
{
	const char *text = contents(a, path);
	buf_printf(out, "\n-- %s\n%s", path, text ? text : "could not be read\n");
}

void support_process(struct arena *a, pid_t pid, struct buf *out)
{
	const char *dir = arena_printf(a, "/proc/%ld", (long)(pid ? pid : getpid()));
	say(out, "process", arena_printf(a, "%s%s", dir, pid ? "" : " (no server runs: this is the program that made the bundle)"));
	say(out, "open files", arena_printf(a, "%zu", count_entries(arena_printf(a, "%s/fd", dir))));
	put_file(a, arena_printf(a, "%s/status", dir), out);
	put_file(a, arena_printf(a, "%s/limits", dir), out);
}

/* -- a directory ----------------------------------------------------------------------------------------------------- */
static void put_entry(int dir, const char *name, struct buf *out)
{
	struct stat st;
	char when[RFC3339_LEN];
	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
		return;
	buf_printf(out, "%06o %5u:%-5u %12lld %s %s\n", (unsigned)st.st_mode, (unsigned)st.st_uid, (unsigned)st.st_gid, (long long)st.st_size,
		   time_format(st.st_mtim.tv_sec * MSEC_S, when), name);
}

void support_files(struct arena *a, const char *dir, struct buf *out)
{
	struct dirent **names = NULL;
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC), n = fd < 0 ? -1 : scandir(dir, &names, NULL, alphasort);
	if (n < 0)
		buf_printf(out, "%s: %s\n", dir, strerror(errno));
	for (int i = 0; i < n; i++) {
		if (i < DIR_ENTRIES)
			put_entry(fd, names[i]->d_name, out);
		free(names[i]);
	}
	if (n > DIR_ENTRIES)
		buf_printf(out, "... and %d more\n", n - DIR_ENTRIES);
	free(names);
	if (fd >= 0)
		close(fd);
}

/* -- the end of a log ---------------------------------------------------------------------------------------------------- */
static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

/* Where the last `lines` lines begin; a first line that is cut is none. */
static size_t tail_begin(const char *s, size_t len, bool cut, int64_t lines)
{
	size_t at = len && s[len - 1] == '\n' ? len - 1 : len;
	while (at > 0 && (s[at - 1] != '\n' || --lines > 0))
		at--;
	if (at == 0 && cut) {
		const char *end = memchr(s, '\n', len);
		return end ? (size_t)(end - s) + 1 : len;
	}
	return at;
}

/* The directory is the server's: a name in it may lead to what only root may read, and this may be root. */
static troth_rc open_plain(const char *path, int *ret_fd, struct stat *ret, struct troth_err *e)
{
	*ret_fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW);
	if (*ret_fd < 0 && errno == ELOOP) {
		troth_rc rc = err_set(e, TROTH_INVALID, "\"%s\" is a symbolic link, and is not followed", path);
		err_hint(e, "look where it leads, and who made it");
		return rc;
	}
	if (*ret_fd < 0 || fstat(*ret_fd, ret) != 0)
		return err_errno(e, errno, "could not open file \"%s\"", path);
	ENSURE(S_ISREG(ret->st_mode), e, TROTH_INVALID, "\"%s\" is not a regular file", path);
	ENSURE(ret->st_nlink == 1, e, TROTH_INVALID, "\"%s\" has another name too (a hard link), and is not read", path);
	return RC_OK;
}

troth_rc support_tail(const char *path, int64_t lines, struct buf *out, struct troth_err *e)
{
	CLEANUP(close_fd) int fd = -1;
	CLEANUP(buf_release) struct buf text = buf_make(LIMIT_SUPPORT_LOG_BYTES);
	char chunk[16 << 10];
	struct stat st;
	TRY(open_plain(path, &fd, &st, e));
	off_t at = st.st_size > LIMIT_SUPPORT_LOG_BYTES ? st.st_size - LIMIT_SUPPORT_LOG_BYTES : 0;
	bool cut = at > 0;
	while (at < st.st_size) { /* what is written meanwhile is not in it */
		size_t want = (size_t)(st.st_size - at) < sizeof chunk ? (size_t)(st.st_size - at) : sizeof chunk;
		ssize_t n = pread(fd, chunk, want, at);
		if (n < 0)
			return err_errno(e, errno, "could not read file \"%s\"", path);
		if (n == 0)
			break;
		buf_add(&text, chunk, (size_t)n);
		at += n;
	}
	size_t begin = lines > 0 ? tail_begin((const char *)text.data, text.len, cut, lines) : text.len;
	buf_add(out, text.data + begin, text.len - begin);
	return RC_OK;
}
