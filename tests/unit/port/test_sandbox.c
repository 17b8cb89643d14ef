/* The sandbox, from inside: a child enters it and makes one call; the parent sees what became of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants these four first */
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "port/sandbox.h"

enum { DONE = 42 };

static void call_open(void) { syscall(SYS_openat, AT_FDCWD, "/etc/hostname", O_RDONLY); }
static void call_open_old(void) { syscall(SYS_open, "/etc/hostname", O_RDONLY); }
static void call_socket(void) { syscall(SYS_socket, AF_INET, SOCK_STREAM, 0); }
static void call_socket_unix(void) { syscall(SYS_socket, AF_UNIX, SOCK_STREAM, 0); }
static void call_exec(void)
{
	char *argv[] = { (char *)(uintptr_t)"/bin/true", NULL };
	syscall(SYS_execve, argv[0], argv, argv + 1);
}
static void call_ptrace(void) { syscall(SYS_ptrace, PTRACE_TRACEME, 0, 0, 0); }
static void call_fork(void) { syscall(SYS_fork); }
static void call_clone(void) { syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0); }
static void call_kill(void) { syscall(SYS_kill, getppid(), 0); }
static void call_unlink(void) { syscall(SYS_unlink, "/nonexistent"); }
static void call_prctl(void) { syscall(SYS_prctl, PR_SET_DUMPABLE, 1, 0, 0, 0); }
static void call_dup(void) { syscall(SYS_dup, 0); }
static void call_process_vm(void) { syscall(SYS_process_vm_readv, getppid(), 0, 0, 0, 0, 0); }
static void call_ioctl(void) { syscall(SYS_ioctl, 0, 0, 0); }
static void call_mprotect(void) { syscall(SYS_mprotect, 0, 4096, PROT_READ | PROT_EXEC); }
static void call_mmap_exec(void)
{
	syscall(SYS_mmap, 0, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}
static void call_mmap_file(void) { syscall(SYS_mmap, 0, 4096, PROT_READ, MAP_PRIVATE, 0, 0); }

static void call_what_is_needed(void)
{
	char byte = 'x';
	struct timespec ts;
	int fds[2] = { 8, 9 };
	if (syscall(SYS_write, fds[1], &byte, 1) != 1 || syscall(SYS_read, fds[0], &byte, 1) != 1)
		syscall(SYS_exit_group, 1);
	if (syscall(SYS_getrandom, &byte, 1, 0) != 1 || syscall(SYS_getpid) <= 0)
		syscall(SYS_exit_group, 2);
	if (syscall(SYS_clock_gettime, CLOCK_REALTIME, &ts) != 0)
		syscall(SYS_exit_group, 3);
	long p = syscall(SYS_mmap, 0, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (p <= 0 || syscall(SYS_munmap, p, 4096) != 0)
		syscall(SYS_exit_group, 4);
}

/* The wait status of a child that enters the sandbox and then makes the call. */
static int inside(void (*call)(void))
{
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		bool locked;
		int fds[2];
		if (pipe(fds) != 0 || dup2(fds[0], 8) < 0 || dup2(fds[1], 9) < 0 || rc_failed(sandbox_harden(&locked, NULL)))
			_exit(3);
		sandbox_heap_prepare();
		if (rc_failed(sandbox_enter(SANDBOX_STRICT, NULL)))
			_exit(4);
		call();
		syscall(SYS_exit_group, DONE);
	}
	int status;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

static void what_signing_needs_is_allowed(void **state)
{
	int status = inside(call_what_is_needed);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), DONE);
}

static void everything_else_kills(void **state)
{
	static const struct { const char *name; void (*call)(void); } CALLS[] = {
		{ "openat", call_open }, { "open", call_open_old }, { "socket", call_socket },
		{ "unix socket", call_socket_unix }, { "execve", call_exec }, { "ptrace", call_ptrace },
		{ "fork", call_fork }, { "clone", call_clone }, { "kill", call_kill },
		{ "unlink", call_unlink }, { "prctl", call_prctl }, { "dup", call_dup },
		{ "process_vm_readv", call_process_vm }, { "ioctl", call_ioctl }, { "mprotect", call_mprotect },
		{ "executable mmap", call_mmap_exec }, { "mmap of a file", call_mmap_file },
	};
	for (size_t i = 0; i < ARRAY_LEN(CALLS); i++) {
		int status = inside(CALLS[i].call);
		if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGSYS)
			fail_msg("%s was not killed: status %x", CALLS[i].name, status);
		assert_false(WCOREDUMP(status));
	}
}

static void *thread_opens(void *go)
{
	char byte;
	while (read(*(int *)go, &byte, 1) != 1) /* until the main thread stands in the sandbox */
		;
	call_open();
	return NULL;
}

static int threaded_child(void)
{
	int go[2];
	pthread_t t;
	char byte = 1;
	if (pipe(go) != 0 || pthread_create(&t, NULL, thread_opens, &go[0]) != 0 || rc_failed(sandbox_enter(SANDBOX_STRICT, NULL)))
		return 3;
	if (syscall(SYS_write, go[1], &byte, 1) != 1)
		return 4;
	for (;;)
		syscall(SYS_read, 8, &byte, 1); /* a pipe that never has anything */
}

static void a_thread_that_ran_before_is_inside_too(void **state)
{
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		int never[2];
		if (pipe(never) != 0 || dup2(never[0], 8) < 0)
			_exit(5);
		_exit(threaded_child());
	}
	int status;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGSYS);
}

static int hardened_child(void)
{
	struct rlimit core;
	bool locked;
	if (rc_failed(sandbox_harden(&locked, NULL)))
		return 1;
	if (prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) != 0 || prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1)
		return 2;
	if (getrlimit(RLIMIT_CORE, &core) != 0 || core.rlim_cur != 0 || core.rlim_max != 0)
		return 3;
	return DONE;
}

static void hardening_takes_dumps_cores_and_privileges(void **state)
{
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		_exit(hardened_child());
	int status;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), DONE);
}

static void the_release_build_uses_the_strict_list(void **state)
{
#ifdef TROTH_SANITIZED
	assert_int_equal(sandbox_keeper_list(), SANDBOX_SANITIZER);
#else
	assert_int_equal(sandbox_keeper_list(), SANDBOX_STRICT);
#endif
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_signing_needs_is_allowed),
		cmocka_unit_test(everything_else_kills),
		cmocka_unit_test(a_thread_that_ran_before_is_inside_too),
		cmocka_unit_test(hardening_takes_dumps_cores_and_privileges),
		cmocka_unit_test(the_release_build_uses_the_strict_list),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
