/* Command lines of the agent's commands: "--name value", "--name=value", nothing else. */
#ifndef TROTH_AGENT_OPTIONS_H
#define TROTH_AGENT_OPTIONS_H

#include "base/err.h"

struct agent_option { const char *name; const char **value; bool required; };

/* INVALID names what is unknown, empty or missing. */
troth_rc agent_options_read(int argc, char **argv, const struct agent_option *options, size_t count, struct troth_err *e);
/* "troth: ..." and "hint: ..." to standard error; the exit code. */
int agent_failed(const struct troth_err *e);

#endif
