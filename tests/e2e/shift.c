/* The program with a wall clock that a test moves: `troth-shifted` is troth linked with this.
 *
 * Beside the program lies FILE.shift, a number of seconds; it is read when a process starts, before any sandbox.  The
 * definitions here come before libc's for the program and for the libraries it loads, so certificates are judged by the
 * same clock everywhere.  The clocks that only go forward (monotonic) are left alone. */
#include <dlfcn.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static time_t shift;
static int (*real_clock_gettime)(clockid_t, struct timespec *);

__attribute__((constructor)) static void read_shift(void)
{
	char path[4096], text[32] = "";
	ssize_t n = readlink("/proc/self/exe", path, sizeof path - 8);
	real_clock_gettime = (int (*)(clockid_t, struct timespec *))(uintptr_t)dlsym(RTLD_NEXT, "clock_gettime");
	if (n <= 0)
		return;
	memcpy(path + n, ".shift", 7);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	if (read(fd, text, sizeof text - 1) > 0)
		shift = strtoll(text, NULL, 10);
	close(fd);
}

int clock_gettime(clockid_t id, struct timespec *t)
{
	if (!real_clock_gettime) /* somebody's constructor came first */
		real_clock_gettime = (int (*)(clockid_t, struct timespec *))(uintptr_t)dlsym(RTLD_NEXT, "clock_gettime");
	int rc = real_clock_gettime(id, t);
	if (rc == 0 && (id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE))
		t->tv_sec += shift;
	return rc;
}

time_t time(time_t *out)
{
	struct timespec t = { 0 };
	(void)clock_gettime(CLOCK_REALTIME, &t);
	if (out)
		*out = t.tv_sec;
	return t.tv_sec;
}

int gettimeofday(struct timeval *restrict tv, void *restrict zone)
{
	struct timespec t = { 0 };
	(void)clock_gettime(CLOCK_REALTIME, &t);
	*tv = (struct timeval){ t.tv_sec, t.tv_nsec / 1000 };
	return 0;
}
