/* The keeper as a process: `troth keeper`, started by the server through keeper_spawn.
 *
 * It inherits two descriptors, a SOCK_SEQPACKET socket and its log, hardens itself (not dumpable, no
 * core, no new privileges, locked memory when allowed, OpenSSL's secure heap), reads the master key,
 * warms OpenSSL up, starts its two lanes and then enters the sandbox (port/sandbox.h).  It ends when
 * the other side of the socket is closed. */
#ifndef TROTH_KEEPER_PROCESS_H
#define TROTH_KEEPER_PROCESS_H

enum { KEEPER_SOCKET_FD = 3, KEEPER_LOG_FD = 4 };

struct keeper_config {
	int fd;                      /* KEEPER_SOCKET_FD */
	int log_fd;                  /* KEEPER_LOG_FD; a regular file must be open with O_APPEND */
	const char *master_key_path; /* NULL: CREDENTIALS_DIRECTORY */
};

/* Runs until the socket closes; returns the exit code.  Says on standard error why it could not start. */
int keeper_main(const struct keeper_config *config);
/* The `keeper` command: parses "--master-key PATH" from argv[1..] and calls keeper_main with the two
 * descriptors above.  Not for people: keeper_spawn writes this command line. */
int keeper_command(int argc, char **argv);

#endif
