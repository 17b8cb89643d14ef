/* seccomp, and the other small doors that are closed with it.
 *
 * The default is to kill the whole process.  The strict list is what 20,000 signatures, key
 * generation and CMS sealing were seen to call, and nothing that could reach a file, another process
 * or the network; sockets that are already open are the only way in and out. */
#include "port/sandbox.h"

#include <errno.h>
#include <malloc.h>
#include <seccomp.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

static const int STRICT[] = {
	SCMP_SYS(read),          SCMP_SYS(write),      SCMP_SYS(recvmsg),      SCMP_SYS(sendmsg),
	SCMP_SYS(futex),         SCMP_SYS(getrandom),  SCMP_SYS(getpid),       SCMP_SYS(brk),
	SCMP_SYS(munmap),        SCMP_SYS(exit),       SCMP_SYS(exit_group),   SCMP_SYS(rt_sigreturn),
	SCMP_SYS(clock_gettime), SCMP_SYS(restart_syscall), /* mmap: below */
};

/* What the sanitizers' runtime calls while it watches, reports and symbolizes. */
static const int SANITIZER[] = {
	SCMP_SYS(mmap),        SCMP_SYS(mprotect),  SCMP_SYS(madvise),        SCMP_SYS(mremap),      SCMP_SYS(sigaltstack),
	SCMP_SYS(rt_sigaction), SCMP_SYS(rt_sigprocmask), SCMP_SYS(gettid),   SCMP_SYS(tgkill),      SCMP_SYS(sched_yield),
	SCMP_SYS(openat),      SCMP_SYS(close),     SCMP_SYS(readlink),       SCMP_SYS(readlinkat),  SCMP_SYS(fstat),
	SCMP_SYS(newfstatat),  SCMP_SYS(lseek),     SCMP_SYS(pread64),        SCMP_SYS(prctl),       SCMP_SYS(prlimit64),
	SCMP_SYS(getrlimit),   SCMP_SYS(set_robust_list), SCMP_SYS(rseq),     SCMP_SYS(sched_getaffinity),
	SCMP_SYS(clock_nanosleep), SCMP_SYS(nanosleep), SCMP_SYS(poll), SCMP_SYS(gettimeofday),
};

static troth_rc lock_memory(bool *ret_locked, struct troth_err *e)
{
	struct rlimit limit;
	(void)e;
	*ret_locked = false;
#ifndef TROTH_SANITIZED /* the sanitizers' shadow memory is terabytes of address space */
	/* With a limit the heap could not grow later: then better not at all. */
	if (getrlimit(RLIMIT_MEMLOCK, &limit) == 0 && (limit.rlim_cur == RLIM_INFINITY || geteuid() == 0))
		*ret_locked = mlockall(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT) == 0;
#else
	(void)limit;
#endif
	return RC_OK;
}

troth_rc sandbox_harden(bool *ret_locked, struct troth_err *e)
{
	struct rlimit none = { 0, 0 };
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0)
		return err_errno(e, errno, "could not make the process undumpable");
	if (setrlimit(RLIMIT_CORE, &none) != 0)
		return err_errno(e, errno, "could not forbid core files");
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		return err_errno(e, errno, "could not give up new privileges");
	return lock_memory(ret_locked, e);
}

void sandbox_heap_prepare(void)
{
#ifndef TROTH_SANITIZED /* there the heap is the sanitizer's */
	CHECK(mallopt(M_ARENA_MAX, 1) == 1);             /* a thread's own heap would grow by mprotect */
	CHECK(mallopt(M_MMAP_THRESHOLD, 32 << 20) == 1); /* a block of its own would grow by mremap */
#endif
}

/* Memory may be asked for, but never a file's and never to run code from. */
static int mmap_allow(scmp_filter_ctx ctx)
{
	const uint64_t writable = PROT_READ | PROT_WRITE;
	return seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 2, SCMP_A2(SCMP_CMP_MASKED_EQ, ~writable, 0),
				SCMP_A3(SCMP_CMP_MASKED_EQ, MAP_ANONYMOUS, MAP_ANONYMOUS));
}

static int list_allow(scmp_filter_ctx ctx, const int *calls, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		int rc = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, calls[i], 0);
		if (rc != 0)
			return rc;
	}
	return 0;
}

static int filter_fill(scmp_filter_ctx ctx, enum sandbox_list list)
{
	int rc = seccomp_attr_set(ctx, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
	if (rc == 0)
		rc = seccomp_attr_set(ctx, SCMP_FLTATR_CTL_TSYNC, 1); /* the threads that run already, too */
	if (rc == 0)
		rc = list_allow(ctx, STRICT, ARRAY_LEN(STRICT));
	if (rc == 0 && list == SANDBOX_STRICT)
		rc = mmap_allow(ctx);
	if (rc == 0 && list == SANDBOX_SANITIZER)
		rc = list_allow(ctx, SANITIZER, ARRAY_LEN(SANITIZER));
	return rc;
}

troth_rc sandbox_enter(enum sandbox_list list, struct troth_err *e)
{
	scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_KILL_PROCESS);
	ENSURE(ctx, e, TROTH_UNAVAILABLE, "could not prepare the sandbox: no memory");
	int rc = filter_fill(ctx, list);
	if (rc == 0)
		rc = seccomp_load(ctx);
	seccomp_release(ctx);
	if (rc != 0) {
		troth_rc failed = err_errno(e, -rc, "could not enter the sandbox");
		err_hint(e, "the kernel needs seccomp filters (CONFIG_SECCOMP_FILTER)");
		return failed;
	}
	return RC_OK;
}

enum sandbox_list sandbox_keeper_list(void)
{
#ifdef TROTH_SANITIZED
	return SANDBOX_SANITIZER;
#else
	return SANDBOX_STRICT;
#endif
}

troth_rc sandbox_keeper(struct troth_err *e) { return sandbox_enter(sandbox_keeper_list(), e); }
