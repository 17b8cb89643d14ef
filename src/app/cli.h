/* The CLI's door: everything a person types that is not one of the program's own processes.
 *
 *     troth [--dir D] <noun> <verb> [ARGUMENT] [--option VALUE] [-o table|json|yaml]
 *
 * One table (cli_commands.c) drives parsing, --help and dispatch.  main.c keeps the table of processes
 * (init, server, keeper, agent) and hands everything else here. */
#ifndef TROTH_APP_CLI_H
#define TROTH_APP_CLI_H

#include <stddef.h>

/* What main.c runs itself, for the CLI's help, manual and completion: { "agent run", "keep this node's ...", its --help }. */
struct cli_program { const char *usage, *summary, *help; };

/* Also answers --help, --version and no arguments at all.  Returns the exit code (design.md section 7). */
int cli_main(int argc, char **argv, const struct cli_program *programs, size_t program_count);

#endif
