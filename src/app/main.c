/* The one binary: the table of its processes; everything else a person types is the CLI's (cli.h). */
#include <stdio.h>
#include <string.h>

#include "agent/agent.h"
#include "app/cli.h"
#include "app/command.h"
#include "app/server.h"
#include "keeper/keeper.h"

static const struct command SERVER_COMMANDS[] = {
	{ "init", "make a data directory: keys, troth's own authorities, the admin's token", INIT_USAGE, init_command },
	{ "server", "run the server and its keeper", SERVER_USAGE, server_command },
	{ "dev", "a server for trying and testing, in one directory", DEV_USAGE, dev_command },
	{ "backup", "a data directory as one sealed file, while a server runs on it", BACKUP_USAGE, backup_command },
	{ "backup verify", "can a backup be restored?", BACKUP_VERIFY_USAGE, backup_verify_command },
	{ "restore", "a data directory from a backup", RESTORE_USAGE, restore_command },
	{ "config check", "is a configuration of the server right?", CONFIG_CHECK_USAGE, config_check_command },
	{ "config show", "what the server is set to, and where each value comes from", CONFIG_SHOW_USAGE, config_show_command },
	{ "support-bundle", "for whoever helps you: one file, without secrets", SUPPORT_USAGE, support_command },
	{ "keeper", "(started by the server) hold keys", KEEPER_USAGE, keeper_command },
};

static const struct command AGENT_COMMANDS[] = {
	{ "agent enroll", "make this node an instance: a one-time token for an identity", AGENT_ENROLL_USAGE, agent_enroll },
	{ "agent run", "keep this node's certificates and trust stores as the server wants them", AGENT_RUN_USAGE, agent_run },
	{ "agent status", "what this node's agent knows", AGENT_STATUS_USAGE, agent_status },
};

static const struct command_table TABLES[] = {
	{ "Server", SERVER_COMMANDS, ARRAY_LEN(SERVER_COMMANDS) },
	{ "Agent", AGENT_COMMANDS, ARRAY_LEN(AGENT_COMMANDS) },
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

static bool wants_help(int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
			return true;
	return false;
}

/* What is no process of the program is the CLI's, --help and --version too; it lists ours in its help. */
static int hand_to_cli(int argc, char **argv)
{
	struct cli_program programs[16];
	size_t n = 0;
	for (size_t t = 0; t < ARRAY_LEN(TABLES); t++)
		for (size_t i = 0; i < TABLES[t].count && n < ARRAY_LEN(programs); i++)
			if (TABLES[t].rows[i].summary[0] != '(') /* started by the program itself */
				programs[n++] = (struct cli_program){ TABLES[t].rows[i].name, TABLES[t].rows[i].summary, TABLES[t].rows[i].usage };
	return cli_main(argc, argv, programs, n);
}

/* "troth agent" or "troth config", alone, with --help or with a verb that is none: its commands. */
static int tell_verbs(const struct command *rows, size_t count, const char *noun, int argc, char **argv)
{
	bool help = wants_help(argc, argv);
	FILE *to = help ? stdout : stderr;
	size_t len = strlen(noun);
	const char *first = NULL;
	if (!help && argc > 2 && argv[2][0] != '-')
		fprintf(to, "troth: %s has no verb \"%.60s\"\n", noun, argv[2]);
	else if (!help)
		fprintf(to, "troth: %s needs a verb\n", noun);
	for (size_t i = 0; i < count; i++)
		if (strncmp(rows[i].name, noun, len) == 0 && rows[i].name[len] == ' ') {
			first = first ? first : rows[i].name;
			fprintf(to, "  troth %-14s %s\n", rows[i].name, rows[i].summary);
		}
	fprintf(to, "%s: troth %s --help\n", help ? "more, with an example" : "hint", first);
	return help ? 0 : 2;
}

static bool is_program(int argc, char **argv)
{
	int words;
	return argc > 0 && (find(argc, argv, &words) || strcmp(argv[0], "agent") == 0 || strcmp(argv[0], "config") == 0);
}

/* "troth --dir D server" is "troth server --dir D": where everything is may be said first, as for the CLI's commands. */
static void put_dir_last(int argc, char **argv)
{
	int n = argc > 1 && strncmp(argv[1], "--dir=", 6) == 0 ? 1 : argc > 2 && strcmp(argv[1], "--dir") == 0 ? 2 : 0;
	char *said[2];
	if (!n || !is_program(argc - 1 - n, argv + 1 + n))
		return;
	for (int i = 0; i < n; i++)
		said[i] = argv[1 + i];
	for (int i = 1; i + n < argc; i++)
		argv[i] = argv[i + n];
	for (int i = 0; i < n; i++)
		argv[argc - n + i] = said[i];
}

int main(int argc, char **argv)
{
	int words = 0;
	put_dir_last(argc, argv);
	const struct command *c = argc > 1 ? find(argc - 1, argv + 1, &words) : NULL;
	if (!c && argc > 1 && strcmp(argv[1], "agent") == 0)
		return tell_verbs(AGENT_COMMANDS, ARRAY_LEN(AGENT_COMMANDS), "agent", argc, argv);
	if (!c && argc > 1 && strcmp(argv[1], "config") == 0)
		return tell_verbs(SERVER_COMMANDS, ARRAY_LEN(SERVER_COMMANDS), "config", argc, argv);
	if (!c)
		return hand_to_cli(argc, argv);
	if (wants_help(argc - words, argv + words)) {
		fputs(c->usage, stdout);
		return 0;
	}
	return c->run(argc - words, argv + words);
}
