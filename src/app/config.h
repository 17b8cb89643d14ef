/* How `troth server` is set: one table of settings, and what the command line, a file and the defaults say about each.
 *
 *     default  <  file (YAML)  <  command line           the highest that speaks counts; of lists too
 *
 * The file is --config FILE, or troth.yaml in the data directory if it is there.  SIGHUP has it read again: what may change
 * while the server runs does, what needs a restart is named, and a file with a fault changes nothing.
 *
 * A setting is a row of SETTINGS.  Reading, checking, `troth config`, the options of `troth server` and the table in
 * docs/ops.md (a test) follow from it. */
#ifndef TROTH_APP_CONFIG_H
#define TROTH_APP_CONFIG_H

#include "app/command.h"
#include "base/arena.h"
#include "base/buf.h"
#include "base/bytes.h"

enum setting_id {
	SETTING_LISTEN,
	SETTING_PUBLIC_NAMES,
	SETTING_LOOPS,
	SETTING_CONNECTIONS,
	SETTING_REQUEST_TIME,
	SETTING_IDLE_TIME,
	SETTING_CREDHUB_EXPORTABLE,
	SETTING_LOG_LEVEL,
	SETTING_LOG_FORMAT,
	SETTING_COUNT
};
enum setting_type { SETTING_ADDRESS, SETTING_NAMES, SETTING_NUMBER, SETTING_DURATION, SETTING_WORD };

struct setting {
	const char *name;      /* in the file: "request_time" */
	const char *option;    /* on the command line, without dashes: "request-time" */
	enum setting_type type;
	const char *otherwise; /* the default as it would be written; NULL: found when the server starts */
	const char *found;     /* then: how, in words */
	const char *help;
	bool reload;           /* SIGHUP changes it; otherwise it takes a restart */
	int64_t min, max;      /* a number, a duration (ms) */
	const char *words;     /* a word: the ones there are, with spaces between; the number is its place */
};
extern const struct setting SETTINGS[SETTING_COUNT];
const char *setting_type_name(enum setting_type type); /* "address": docs and `config show` */

enum setting_source { SETTING_DEFAULT, SETTING_FILE, SETTING_COMMAND };
struct setting_value {
	enum setting_source source;
	unsigned line;              /* in the file */
	const char *text;           /* as it was written; NULL: names, or a default that is found at start */
	int64_t number;             /* a number, ms, or a word's place */
	struct option_values names;
};

/* What is known; texts live in the arena of config_read. */
struct config {
	const char *file;           /* that was read; NULL: none */
	unsigned from_file;         /* how many settings it has */
	struct setting_value values[SETTING_COUNT];
};

/* Where it comes from.  Kept as long as the server runs. */
struct config_from {
	const char *file;           /* NULL: none */
	bool must_exist;            /* --config; otherwise it may be absent */
	const char *given[SETTING_COUNT]; /* on the command line; NULL: not said */
	struct option_values names; /* the same of SETTING_PUBLIC_NAMES */
};

/* The file, whole: every finding with its line ("line 3") and what to do.  INVALID with findings; NOT_FOUND. */
troth_rc config_read_file(struct arena *a, const char *file, struct config *ret, struct troth_err *e);
/* The same from bytes; `file` is for words only.  Starts from the defaults. */
troth_rc config_parse(struct arena *a, struct bytes yaml, const char *file, struct config *ret, struct troth_err *e);
/* What the command line says over what is there.  INVALID names the option. */
troth_rc config_take_options(struct arena *a, const struct config_from *from, struct config *c, struct troth_err *e);
/* All three.  `ret` is written on success only. */
troth_rc config_read(struct arena *a, const struct config_from *from, struct config *ret, struct troth_err *e);

/* Options of `troth server` for options_read, SETTING_COUNT of them, that fill `from`. */
void config_options(struct config_from *from, struct option ret[SETTING_COUNT]);

/* What reading again means for a server that runs: `fresh` is what was read, and becomes what counts from now on: a setting
 * that takes a restart is put back to what it is. */
struct config_change {
	bool changed[SETTING_COUNT]; /* may change at once, and is another now */
	bool restart[SETTING_COUNT]; /* is another, and takes a restart */
	bool any;                    /* of `changed` */
};
struct config_change config_merge(const struct config *running, struct config *fresh);
static inline int64_t config_number(const struct config *c, enum setting_id id) { return c->values[id].number; }
static inline const char *config_text(const struct config *c, enum setting_id id) { return c->values[id].text; }

/* -- telling -------------------------------------------------------------------------------------------------- */
/* What a server that runs says of itself beside its settings; zeros: none runs. */
struct config_server { const char *dir; int64_t pid; };
/* {"file","dir","pid","settings":[{"name","value","source","line","type","default","reload","help"}]} */
void config_write(const struct config *c, const struct config_server *server, struct buf *out);

#endif
