/* Giving up rights for good: what the keeper does to itself before it reads the first request.
 *
 * Two steps, because the master key is read and the lanes are started between them. */
#ifndef TROTH_PORT_SANDBOX_H
#define TROTH_PORT_SANDBOX_H

#include "base/err.h"

enum sandbox_list {
	/* read write recvmsg sendmsg futex getrandom getpid clock_gettime brk mmap (anonymous, never
	 * executable) munmap rt_sigreturn restart_syscall exit exit_group; anything else ends the process. */
	SANDBOX_STRICT,
	/* STRICT and what the address sanitizer's own runtime calls.  Only for builds with TROTH_SANITIZED:
	 * it can open files for reading, so it proves nothing about the release build. */
	SANDBOX_SANITIZER,
};

/* Not dumpable (no ptrace by the same user, no core), core limit 0, no new privileges; locks memory when
 * the limit allows it (*ret_locked; false is not an error: see docs/threat-model.md). */
troth_rc sandbox_harden(bool *ret_locked, struct troth_err *e);
/* Makes glibc's heap use only the calls that the strict list has (one heap, grown by brk; no mremap).
 * Call it before the first thread. */
void sandbox_heap_prepare(void);
/* Installs the list for every thread of the process.  There is no way back. */
troth_rc sandbox_enter(enum sandbox_list list, struct troth_err *e);
/* The list this build's keeper uses: STRICT, or SANITIZER in a sanitized build. */
enum sandbox_list sandbox_keeper_list(void);
/* sandbox_enter(sandbox_keeper_list()). */
troth_rc sandbox_keeper(struct troth_err *e);

#endif
