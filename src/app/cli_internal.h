/* What the files of the CLI share. */
#ifndef TROTH_APP_CLI_INTERNAL_H
#define TROTH_APP_CLI_INTERNAL_H

#include <stdio.h>

#include "app/cli.h"
#include "base/json.h"
#include "base/text.h"
#include "edge/client.h"
#include "port/port.h"

enum {
	CLI_WIDTH = 80,            /* of what is printed, unless a terminal says it is wider */
	CLI_WORDS_MAX = 64,        /* arguments: names for one command */
	CLI_VALUES_MAX = 256,      /* options given: 100 names and room */
	CLI_FILE_BYTES = 512 << 10, /* a PEM file named in an option: LIMIT_PEM_BYTES */
	CLI_PAGES_MAX = 500,       /* pages of a list: 100,000 rows */
	CLI_ARENA_BYTES = 256 << 20, /* all of a list at once */
};

/* -- the table ------------------------------------------------------------------------------------ */
struct cli;
struct cli_command;
typedef troth_rc cli_run_fn(struct cli *c, struct troth_err *e);

enum cli_member {
	CLI_OWN,      /* the command's run looks at it itself */
	CLI_TEXT, CLI_INT, CLI_TRUE, CLI_FALSE, CLI_NONE, /* NONE: an empty list */
	CLI_TEXTS,    /* may be given again and again */
	CLI_FILE,     /* names a file; its text is sent */
	CLI_LINE,     /* names a file of one line; without its line end that is sent */
	CLI_SLOT, CLI_STORE, CLI_CERT, /* key=value,... objects; may be given again and again */
	CLI_QUERY,    /* a query parameter */
};

struct cli_option {
	const char *name;    /* "--ttl"; NULL ends the list */
	const char *value;   /* "LIFE" in the help; NULL: a flag */
	const char *member;  /* of the request body, or of the query */
	enum cli_member kind;
	bool required;
	const char *help;
};

enum cli_cell {
	CELL_TEXT,
	CELL_TIME,    /* 2026-11-22 06:55 */
	CELL_DATE,    /* 2026-11-22: of what is years away */
	CELL_DAY,     /* 11-22 06:55: of what happened lately */
	CELL_COUNT,   /* of an array's members */
	CELL_LIST,    /* an array's texts with commas */
	CELL_ID,      /* never cut: it will be copied */
	CELL_SHORT,   /* the first 12 characters of a fingerprint or an id */
	CELL_FLAG,    /* yes, or - */
	CELL_PROSE,   /* a sentence: gives its room before any name does, and is cut at its end */
};
/* `path` picks from an item: "a.b", "list?flag.b" (the first member of the list whose flag is true),
 * alternatives with |. */
struct cli_column { const char *title, *path; enum cli_cell cell; };
/* An array inside a shown object, as a table of its own. */
struct cli_section { const char *title, *member; const struct cli_column *columns; };

struct cli_command {
	const char *noun, *verb;   /* verb NULL: a command of one word */
	const char *args;          /* "NAME", "NAME MEMBER", "[NAME]", "[NAME...]" (any number), "" */
	const char *summary;       /* one line of the list */
	const char *detail;        /* a paragraph of the help, or NULL */
	const char *example;       /* lines without the leading blanks */
	const struct cli_option *options; /* or NULL */
	cli_run_fn *run;
	const char *path;          /* "/v1/authorities" */
	const char *member;        /* where the first argument goes in the body of a create */
	const struct cli_column *columns;   /* of a list */
	const struct cli_section *sections; /* of a show; title NULL ends it */
	const char *empty;         /* what a list without rows says */
};
extern const struct cli_command CLI_COMMANDS[];
extern const size_t CLI_COMMAND_COUNT;
extern const struct cli_option CLI_GLOBALS[];

/* -- a run of it ------------------------------------------------------------------------------------ */
enum cli_format { CLI_AS_TABLE, CLI_AS_JSON, CLI_AS_YAML, CLI_AS_MAESTRO };

struct cli_value { const struct cli_option *option; const char *text; };

/* What the CLI does to the world; a test puts its own here. */
struct cli_port {
	void *self;
	troth_rc (*call)(void *self, struct arena *a, const struct http_client_config *config,
			 const struct http_outgoing *out, struct http_answer *ret, struct troth_err *e);
	msec_t (*now)(void *self);
	void (*pause)(void *self, msec_t length);
	const char *(*env)(void *self, const char *name); /* NULL if unset */
	const struct port_random *random;
};
extern const struct cli_port CLI_PORT_REAL;

struct cli {
	struct arena *a;
	const struct cli_port *port;
	FILE *out, *err;
	bool terminal;             /* out is one: colours, live display */
	bool colours;
	int width;
	enum cli_format format;
	const struct cli_command *command;
	const char *words[CLI_WORDS_MAX]; /* the arguments behind noun and verb */
	size_t word_count;
	struct cli_value values[CLI_VALUES_MAX];
	size_t value_count;
	bool help, version;
	bool usage;                /* the error is the caller's typing: exit 2 */
	bool found;                /* diff, expiring: there is something to see, and nothing was wrong: exit 1 without an error */
	struct http_client_config config; /* made at the first call */
	bool connected;
	const struct cli_program *programs;
	size_t program_count;
};

/* cli_finding.c: what a finding's JSON path is called by who typed the command; the path itself if it stands for nothing typed. */
const char *cli_finding_place(struct cli *c, const char *path);
void cli_findings_name(struct cli *c, struct troth_err *e);
/* cli.c */
int cli_run(struct cli *c, int argc, char **argv);
troth_rc cli_usage(struct cli *c, struct troth_err *e, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/* An escape sequence, or "" without colours: cli_colour(c, "1;31"). */
const char *cli_colour(const struct cli *c, const char *code);

/* cli_args.c: fills command, words, values, format from the words behind "troth". */
troth_rc cli_parse(struct cli *c, int argc, char **argv, struct troth_err *e);
/* The last value given, or NULL. */
const char *cli_value(const struct cli *c, const char *name);
bool cli_flag(const struct cli *c, const char *name);

/* cli_help.c */
void cli_help_all(struct cli *c);
void cli_help_noun(struct cli *c, const char *noun);
void cli_help_command(struct cli *c, const struct cli_command *cmd);
const struct cli_command *cli_command_find(const char *noun, const char *verb);
bool cli_noun_known(const char *noun);
/* The known word that looks most like it, or NULL. */
const char *cli_nearest(const struct cli *c, const char *word, const char *noun);

/* cli_connect.c: where the server is and who we are, from options, environment, admin.json. */
troth_rc cli_connect(struct cli *c, struct troth_err *e);

/* cli_call.c */
/* One exchange; an error status is a failure with the server's words.  *ret: the reply's JSON, an empty
 * object for a reply without a body.  body NULL: none.  wait 0, or how long the server may hold it. */
troth_rc cli_call(struct cli *c, enum http_method method, const char *target, const char *body, msec_t wait,
		  const struct json **ret, struct troth_err *e);
/* Over a server that goes away: what follows something goes on when it comes back. */
struct cli_patience { msec_t answered; bool told; };
void cli_answered(struct cli *c, struct cli_patience *p); /* also at the start */
/* A failure of the connection, not of the request: says so once (`meanwhile` is what goes on), waits a moment and is RC_OK,
 * until the last answer is two minutes ago.  Otherwise rc. */
troth_rc cli_endure(struct cli *c, struct cli_patience *p, const char *meanwhile, troth_rc rc, const struct troth_err *e);
/* All pages of a list as {"items":[...],"next":null}; `target` may have a query. */
troth_rc cli_list(struct cli *c, const char *target, const struct json **ret, struct troth_err *e);
/* {"items":[...],"next":null} of these. */
const struct json *cli_list_made(struct arena *a, struct json *items, size_t count);
/* An object of texts; a value NULL is null. */
struct json cli_object(struct arena *a, const struct http_pair *members, size_t count);
/* The id of the object of that name ("authority" is for the words); a UUID is taken as it is. */
troth_rc cli_find(struct cli *c, const char *path, const char *what, const char *name, const char **ret_id,
		  struct troth_err *e);
/* path?a=b&c=d from pairs; values are escaped, pairs with NULL left out. */
const char *cli_target(struct arena *a, const char *path, const struct http_pair *pairs, size_t count);

/* cli_body.c: the request body, or the query, that the options given make. */
bool cli_body_is_empty(const struct cli *c); /* no option that says something of the object was typed */
troth_rc cli_body(struct cli *c, const char **ret_json, struct troth_err *e);
size_t cli_query(struct cli *c, struct http_pair *pairs, size_t max);

/* cli_json.c, cli_yaml.c: a value for people to read and programs to parse. */
void cli_json_write(const struct json *j, struct buf *out);
void cli_yaml_write(const struct json *j, struct buf *out);
/* The same in the layout of go-yaml; members whose value is an empty list or object are written as [] and {}. */
void cli_yaml_write_go(const struct json *j, struct buf *out);

/* cli_table.c */
const struct json *cli_pick(const struct json *j, const char *path);
const char *cli_cell_text(struct arena *a, const struct json *j, enum cli_cell cell);
/* A table of `items` at most `width` columns wide; `bold`, `plain`: escapes around the head. */
void cli_table_write(struct arena *a, const struct json *items, const struct cli_column *columns, int width, int indent,
		     const char *bold, const char *plain, struct buf *out);
/* Characters, not bytes. */
int cli_text_width(const char *s);

/* cli_show.c */
/* Prints `j` as asked for (-o).  As a table: a list by the command's columns, an object member by member. */
troth_rc cli_print(struct cli *c, const struct json *j, struct troth_err *e);
void cli_show_write(struct arena *a, const struct json *j, const struct cli_section *sections, int width, const char *bold,
		    const char *plain, struct buf *out);
/* Breaks `s` at blanks before `width`; the lines that follow begin at column `indent`.  Ends with a line end. */
void cli_wrap_write(const char *s, int indent, int width, struct buf *out);
/* Writes out->data to the program's output. */
troth_rc cli_flush(struct cli *c, struct buf *out, struct troth_err *e);

/* cli_run.c: what most commands are. */
cli_run_fn cli_run_create, cli_run_list, cli_run_show, cli_run_set, cli_run_delete;
/* cli_forecast.c */
cli_run_fn cli_run_forecast;
/* cli_topology.c */
cli_run_fn cli_run_topology;
/* All certificates as GET /v1/topology tells them; name NULL: everything. */
troth_rc cli_certificates(struct cli *c, const char *name, bool all, const struct json **ret, struct troth_err *e);
/* cli_maestro.c: Maestro's commands, as ours. */
cli_run_fn cli_run_maestro_topology, cli_run_maestro_list, cli_run_maestro_regenerate, cli_run_maestro_update, cli_run_maestro_collect;
extern const struct cli_option CLI_MAESTRO_NAME[], CLI_MAESTRO_LIST[], CLI_MAESTRO_REGENERATE[], CLI_MAESTRO_UPDATE[], CLI_MAESTRO_COLLECT[];
/* cli_maestro_words.c: {"topology":[...]} of items of GET /v1/topology, of this one only or (NULL) of all but troth's own;
 * with `signs` each with what it signed. */
const struct json *cli_maestro_topology(struct arena *a, const struct json *items, const char *name, bool signs);
/* A member that is a time; 0 if absent. */
msec_t cli_time_of(const struct json *j, const char *key);
const char *cli_left_text(struct arena *a, msec_t end, msec_t now); /* "29 d", "5 h", "ended 3 d ago" */
/* cli_find_certs.c: all of them in one list, one line each. */
cli_run_fn cli_run_expiring, cli_run_search;
/* cli_instance.c: wanted, on disk, loaded, presented. */
cli_run_fn cli_run_instance_show, cli_run_diff;
/* cli_export.c */
cli_run_fn cli_run_credential_export;
/* cli_context.c: which server, when there are several. */
cli_run_fn cli_run_context_add, cli_run_context_list, cli_run_context_use, cli_run_context_show, cli_run_context_remove;
struct cli_context { const char *name, *dir, *server, *ca_file, *token_file, *cert, *key; };
/* The one that --context or TROTH_CONTEXT names, else the current one; name NULL: there is none. */
troth_rc cli_context_find(struct cli *c, struct cli_context *ret, struct troth_err *e);
/* cli_profile.c: the profiles of a node. */
cli_run_fn cli_run_profile_list, cli_run_profile_show, cli_run_profile_check;
/* cli_nouns.c: the commands with something of their own. */
cli_run_fn cli_run_bundle_add, cli_run_bundle_remove, cli_run_credential_renew, cli_run_credential_attest, cli_run_token_create, cli_run_completion, cli_run_man, cli_run_events, cli_run_principal_secret, cli_run_target_list, cli_run_target_show, cli_run_target_retry,
	cli_run_explain, cli_run_audit_verify, cli_run_health, cli_run_version;
/* cli_policy.c */
cli_run_fn cli_run_policy, cli_run_rollout, cli_run_freeze, cli_run_thaw;
/* cli_members.c: who counts, and who meets whom. */
cli_run_fn cli_run_instance_delete, cli_run_waive, cli_run_link_add, cli_run_link_remove;
/* cli_external.c: instances without an agent. */
cli_run_fn cli_run_instance_add, cli_run_instance_wanted, cli_run_instance_report;
/* cli_webhook.c */
cli_run_fn cli_run_webhook_add, cli_run_webhook_enable, cli_run_webhook_test;
/* cli_recover.c */
cli_run_fn cli_run_recover;
cli_run_fn cli_run_server_certificate_set, cli_run_server_certificate_show, cli_run_server_certificate_unset;
/* cli_outside.c */
cli_run_fn cli_run_post, cli_run_binding_fetch, cli_run_authority_create, cli_run_authority_csr, cli_run_authority_import;
/* cli_rotate.c */
/* By its id, or the newest one of a credential. */
troth_rc cli_rotation_id(struct cli *c, const char *word, const char **ret_id, struct troth_err *e);
/* Of a dry run: what the engine would do first. */
void cli_print_first(struct cli *c, const struct json *next);
cli_run_fn cli_run_rotate, cli_run_rotation_list, cli_run_rotation_show, cli_run_rotation_watch, cli_run_rotation_steer, cli_run_rotation_approve;

/* cli_progress.c: a rotation as the server shows it, as lines. */
/* One line: "introducing: 2/6 stores have the new CA, 0/3 slots use it; waits for app-2/trust: ...". */
const char *cli_progress_line(struct arena *a, const struct json *rotation);
/* Several lines for a terminal, each at most `width` wide; returns how many. */
int cli_progress_block(struct arena *a, const struct json *rotation, msec_t now, int width, const char *bold, const char *plain,
		       struct buf *out);
/* How long it has taken, or took; -1 when the server does not say when it started. */
msec_t cli_progress_took(const struct json *rotation, msec_t now);

#endif
