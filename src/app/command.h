/* A command of the one binary: `troth NAME ...`.
 *
 * main.c finds the longest name that fits the first words ("authority create" before "authority") and
 * calls it with argv[0] = the last word of the name.  The result is the exit code (err_exit_code). */
#ifndef TROTH_APP_COMMAND_H
#define TROTH_APP_COMMAND_H

#include <stddef.h>

#include "base/err.h"

struct command {
	const char *name;    /* "server", "authority create" */
	const char *summary; /* one line for `troth help` */
	const char *usage;   /* what --help prints: usage, options, examples */
	int (*run)(int argc, char **argv);
};
struct command_table { const char *title; const struct command *rows; size_t count; };

/* One line "troth: text" and, if there is one, "hint: ..."; returns the exit code. */
int command_failed(const struct troth_err *e);
/* Exit code of a wrong command line, with words and a pointer to --help. */
int command_usage(const struct command *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* -- options --------------------------------------------------------------------------------------
 * "--name value", "--name=value", "--flag"; "--" ends them; the rest are words. */
enum { OPTION_VALUES = 32 };
struct option_values { const char *items[OPTION_VALUES]; size_t count; };
struct option {
	const char *name;             /* without the dashes */
	const char **value;           /* one of the three: a value, */
	bool *flag;                   /* a flag, */
	struct option_values *values; /* or a value that may come again */
};
troth_rc options_read(int argc, char **argv, const struct option *options, size_t count, struct option_values *words,
		      struct troth_err *e);

#endif
