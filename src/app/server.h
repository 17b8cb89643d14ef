/* `troth init` and `troth server`, and the data directory they share. */
#ifndef TROTH_APP_SERVER_H
#define TROTH_APP_SERVER_H

#include "app/command.h"
#include "base/arena.h"
#include "edge/server.h"

extern const char INIT_USAGE[], SERVER_USAGE[], KEEPER_USAGE[], DEV_USAGE[];
int init_command(int argc, char **argv);
int server_command(int argc, char **argv);
int dev_command(int argc, char **argv);

extern const char BACKUP_USAGE[], BACKUP_VERIFY_USAGE[], RESTORE_USAGE[];
int backup_command(int argc, char **argv);
int backup_verify_command(int argc, char **argv);
int restore_command(int argc, char **argv);

/* What a server is started with; texts NULL: the default. */
struct server_options {
	const char *dir, *listen, *log_level, *log_format, *loops, *request_time;
	bool clock_went_back;       /* what was written last may be in the future */
	const char *plain_listen;   /* also without TLS, loopback only; NULL: no */
	struct option_values public_names; /* that its certificate shall hold beside those of init */
	/* Called once it answers; http_url is NULL without plain_listen.  May be NULL. */
	void (*ready)(void *self, const char *url, const char *http_url);
	void *self;
};
/* INVALID for a log level or format that is none. */
troth_rc server_set_log(const struct server_options *o, struct troth_err *e);
/* Runs it to its end; the exit code. */
int server_run(struct arena *a, const struct server_options *o);

/* What init makes.  CONFLICT if the directory is complete already. */
struct init_options {
	const char *dir, *listen;
	struct option_values names;
};
troth_rc init_dir(struct arena *a, const struct init_options *o, struct troth_err *e);
/* One verb on a data directory on which no server runs, as the system, with a keeper of its own. */
struct verb;
troth_rc datadir_do(struct arena *a, const char *dir, const struct verb *verb, const void *cmd, void *ret, struct troth_err *e);

/* The files of a data directory D; all paths live in the arena. */
struct datadir {
	const char *dir;
	const char *store;        /* troth.db */
	const char *master_key;   /* master.key, 0600: only the keeper reads it */
	const char *server_key;   /* server.key, 0600: of the TLS listener */
	const char *server_pem;   /* its certificate, then the chain with its root */
	const char *ca_pem;       /* what a client trusts: the bundle of /troth/server */
	const char *admin_token;  /* 0600 */
	const char *admin_json;   /* {"url","ca_file","token_file"}: what the CLI reads */
	const char *note;         /* epoch: what was written last, beside the database (note.h) */
	const char *listen;       /* server.listen: where to listen when the command line does not say */
	const char *keeper_log;   /* the keeper's own */
	const char *url;          /* server.url: there while the server is ready */
};
struct datadir datadir_make(struct arena *a, const char *dir);
/* NOT_FOUND with "run troth init first" unless it is a complete data directory. */
troth_rc datadir_check(const struct datadir *d, struct troth_err *e);

/* For who will run a server on it: and all of it can be read, and written where a server writes. */
troth_rc datadir_check_usable(const struct datadir *d, struct troth_err *e);

/* Leaf, chain, bridge (server_certificate_ret) and the root that the chain ends at: agents that know only a fingerprint
 * need to see the root.  `server_ca` holds the candidates; chain and bridge may be NULL.  Lives in a. */
troth_rc server_pem_make(struct arena *a, const char *certificate, const char *chain, const char *bridge, const char *server_ca,
			 const char **ret_pem, struct troth_err *e);
/* admin.json and server.listen: how to reach the server, and where it listens next time. */
troth_rc datadir_write_address(const struct datadir *d, const char *url, const char *listen, struct troth_err *e);
troth_rc datadir_read_address(struct arena *a, const struct datadir *d, const char **ret_url, const char **ret_listen,
			      struct troth_err *e);
/* "https://host:port": the listening address's host, or the first name when it listens on all. */
const char *server_url(struct arena *a, const char *listen, const char *name, int port);
/* Everything in the file of the server's key as a CSR (PEM). */
troth_rc server_csr(struct arena *a, const struct datadir *d, const char **ret_csr, struct troth_err *e);

#endif
