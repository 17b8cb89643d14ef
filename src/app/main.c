/* The one binary: tables of commands, and `help` over them. */
#include <stdio.h>
#include <string.h>

#include "app/command.h"
#include "app/server.h"
#include "keeper/keeper.h"

static const struct command SERVER_COMMANDS[] = {
	{ "init", "make a data directory: keys, troth's own authorities, the admin's token", INIT_USAGE, init_command },
	{ "server", "run the server and its keeper", SERVER_USAGE, server_command },
	{ "keeper", "(started by the server) hold keys", KEEPER_USAGE, keeper_command },
};

static const struct command_table TABLES[] = {
	{ "Server", SERVER_COMMANDS, ARRAY_LEN(SERVER_COMMANDS) },
};

/* How many of the words the name takes; 0 if it does not fit. */
static int words_matched(const char *name, int argc, char **argv)
{
	int n = 0;
	while (*name) {
		size_t len = strcspn(name, " ");
		if (n >= argc || strlen(argv[n]) != len || strncmp(argv[n], name, len) != 0)
			return 0;
		n++;
		name += len + (name[len] ? 1 : 0);
	}
	return n;
}

static const struct command *find(int argc, char **argv, int *ret_words)
{
	const struct command *best = NULL;
	*ret_words = 0;
	for (size_t t = 0; t < ARRAY_LEN(TABLES); t++)
		for (size_t i = 0; i < TABLES[t].count; i++) {
			int n = words_matched(TABLES[t].rows[i].name, argc, argv);
			if (n > *ret_words) {
				*ret_words = n;
				best = &TABLES[t].rows[i];
			}
		}
	return best;
}

static void print_all(FILE *out)
{
	fprintf(out, "usage: troth COMMAND ...\n");
	for (size_t t = 0; t < ARRAY_LEN(TABLES); t++) {
		fprintf(out, "\n%s\n", TABLES[t].title);
		for (size_t i = 0; i < TABLES[t].count; i++)
			fprintf(out, "  %-22s %s\n", TABLES[t].rows[i].name, TABLES[t].rows[i].summary);
	}
	fprintf(out, "\n`troth COMMAND --help` says more about one.\n");
}

static bool wants_help(int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
			return true;
	return false;
}

/* Words that name a group of commands ("authority") list the group. */
static int unknown(int argc, char **argv)
{
	size_t shown = 0, len = strlen(argv[0]);
	for (size_t t = 0; t < ARRAY_LEN(TABLES); t++)
		for (size_t i = 0; i < TABLES[t].count; i++) {
			const struct command *c = &TABLES[t].rows[i];
			if (strncmp(c->name, argv[0], len) == 0 && c->name[len] == ' ')
				shown += (size_t)(fprintf(stderr, "  troth %-22s %s\n", c->name, c->summary) > 0);
		}
	if (!shown)
		fprintf(stderr, "troth: no command \"%s\"\nhint: troth help\n", argv[0]);
	return 2;
}

int main(int argc, char **argv)
{
	int words;
	if (argc < 2 || strcmp(argv[1], "help") == 0 || strcmp(argv[1], "--help") == 0) {
		print_all(argc < 2 ? stderr : stdout);
		return argc < 2 ? 2 : 0;
	}
	if (strcmp(argv[1], "--version") == 0) {
		printf("troth %s\n", TROTH_VERSION);
		return 0;
	}
	const struct command *c = find(argc - 1, argv + 1, &words);
	if (!c)
		return unknown(argc - 1, argv + 1);
	if (wants_help(argc - words, argv + words)) {
		fputs(c->usage, stdout);
		return 0;
	}
	return c->run(argc - words, argv + words);
}
