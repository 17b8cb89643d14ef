/* `troth init` and `troth server`, and the data directory they share. */
#ifndef TROTH_APP_SERVER_H
#define TROTH_APP_SERVER_H

#include "app/command.h"
#include "app/config.h"
#include "base/address.h"
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

extern const char SUPPORT_USAGE[];
int support_command(int argc, char **argv);

extern const char CONFIG_CHECK_USAGE[], CONFIG_SHOW_USAGE[];
int config_check_command(int argc, char **argv);
int config_show_command(int argc, char **argv);
/* What the server that runs on `dir` is set to, if `ask` and it is ready; else what one would be started with.  As config_write
 * has it; dir may be NULL. */
troth_rc config_effective(struct arena *a, const char *dir, const struct config_from *from, bool ask, struct buf *out, struct troth_err *e);

/* What a server is started with. */
struct server_options {
	const char *dir;
	bool clock_went_back;       /* what was written last may be in the future */
	const struct config_from *from; /* read again at SIGHUP */
	struct config config;       /* what was read there (server_take_config) */
	const char *plain_listen;   /* also without TLS, loopback only; NULL: no */
	/* Called once it answers; http_url is NULL without plain_listen.  May be NULL. */
	void (*ready)(void *self, const char *url, const char *http_url);
	void *self;
};
/* Reads the configuration, and logs as it says.  It lives in the arena. */
/* Which file that is: DIR/troth.yaml if it is there, or `file` (may be NULL), which must be. */
void server_config_file(struct arena *a, const char *dir, const char *file, struct config_from *ret);
troth_rc server_take_config(struct arena *a, const struct config_from *from, struct server_options *o, struct troth_err *e);
/* Runs it to its end; the exit code. */
int server_run(struct arena *a, const struct server_options *o);

/* What init makes.  CONFLICT if the directory is complete already. */
struct init_options {
	const char *dir, *listen;
	struct address address; /* of listen; init_dir reads it */
	struct option_values names;
};
troth_rc init_dir(struct arena *a, const struct init_options *o, struct troth_err *e);
/* Verbs on a data directory on which no server runs, as the system, with a keeper of their own: opened, done, closed. */
struct verb;
struct server_port;
struct datadir_session {
	struct keeper_client *keeper;
	struct store *store;
	struct service *svc;
	struct server_port *port; /* in the arena */
};
troth_rc datadir_open(struct arena *a, const char *dir, struct datadir_session *ret, struct troth_err *e);
troth_rc datadir_do(struct datadir_session *s, struct arena *a, const struct verb *verb, const void *cmd, void *ret, struct troth_err *e);
void datadir_close(struct datadir_session *s); /* also what was not, or half, opened */

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
	const char *listen;       /* server.listen: where to listen when nobody says */
	const char *config;       /* troth.yaml: how the server is set, if it is there (config.h) */
	const char *settings;     /* server.settings: what it is set to, while it is ready (config_write) */
	const char *keeper_log;   /* the keeper's own */
	const char *url;          /* server.url: there while the server is ready */
};
struct datadir datadir_make(struct arena *a, const char *dir);
const char *datadir_said(const char *dir); /* by --dir, else by TROTH_DIR; NULL: by neither */
/* NOT_FOUND with "run troth init first" unless it is a complete data directory. */
troth_rc datadir_check(const struct datadir *d, struct troth_err *e);

/* The process of the server that holds the directory's store; 0: none does.  Looked up in /proc/locks, as a try of the lock itself
 * would turn away a server that starts at that moment. */
pid_t datadir_server(const struct datadir *d);
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
const char *server_url(struct arena *a, const struct address *listen, const char *name, int port);
/* Everything in the file of the server's key as a CSR (PEM). */
troth_rc server_csr(struct arena *a, const struct datadir *d, const char **ret_csr, struct troth_err *e);

#endif
