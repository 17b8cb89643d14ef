/* --help, from the table: never wider than 80 columns, with an example on every page. */
#include "app/cli_internal.h"

enum { USAGE_COLUMN = 30, OPTION_COLUMN = 28, DISTANCE_MAX = 3, WORD_MAX = 24 };

const struct cli_command *cli_command_find(const char *noun, const char *verb)
{
	for (size_t i = 0; i < CLI_COMMAND_COUNT; i++)
		if (text_equal(CLI_COMMANDS[i].noun, noun) && text_equal(CLI_COMMANDS[i].verb, verb))
			return &CLI_COMMANDS[i];
	return NULL;
}

bool cli_noun_known(const char *noun)
{
	for (size_t i = 0; i < CLI_COMMAND_COUNT; i++)
		if (text_equal(CLI_COMMANDS[i].noun, noun))
			return true;
	return false;
}

/* -- did you mean ------------------------------------------------------------------------------------ */
/* Levenshtein's distance, one row at a time; long words are not asked about. */
static int distance(const char *a, const char *b)
{
	int row[WORD_MAX + 1];
	int n = (int)strlen(b);
	if (strlen(a) > WORD_MAX || n > WORD_MAX)
		return WORD_MAX;
	for (int k = 0; k <= n; k++)
		row[k] = k;
	for (int i = 1; a[i - 1]; i++) {
		int corner = row[0]++;
		for (int k = 1; k <= n; k++) {
			int best = corner + (a[i - 1] != b[k - 1]);
			corner = row[k];
			best = row[k] + 1 < best ? row[k] + 1 : best;
			row[k] = row[k - 1] + 1 < best ? row[k - 1] + 1 : best;
		}
	}
	return row[n];
}

struct nearest { const char *word, *best; int least; };

static void consider(struct nearest *n, const char *known)
{
	int far = known ? distance(n->word, known) : n->least;
	if (far >= n->least)
		return;
	n->least = far;
	n->best = known;
}

const char *cli_nearest(const struct cli *c, const char *word, const char *noun)
{
	struct nearest n = { .word = word, .least = DISTANCE_MAX };
	for (size_t i = 0; i < CLI_COMMAND_COUNT; i++) {
		const struct cli_command *cmd = &CLI_COMMANDS[i];
		consider(&n, noun ? (text_equal(cmd->noun, noun) ? cmd->verb : NULL) : cmd->noun);
	}
	for (size_t i = 0; i < c->program_count && !noun; i++)
		consider(&n, arena_text_n(c->a, c->programs[i].usage, strcspn(c->programs[i].usage, " ")));
	return n.best;
}

/* -- pages ------------------------------------------------------------------------------------------- */
/* Words of `text` from column `indent` on, broken before 80. */
static void print_wrapped(FILE *out, const char *text, int indent, int column)
{
	while (*text) {
		size_t n = strcspn(text, " \n");
		if (column > indent && column + 1 + (int)n > CLI_WIDTH) {
			fprintf(out, "\n%*s", indent, "");
			column = indent;
		} else if (column > indent) {
			fputc(' ', out);
			column++;
		}
		fprintf(out, "%.*s", (int)n, text);
		column += (int)n;
		text += n;
		if (*text == '\n') {
			fprintf(out, "\n%*s", indent, "");
			column = indent;
		}
		text += *text != 0;
	}
	fputc('\n', out);
}

/* "  usage       what it does", the second part at `at`; on a line of its own when the first is long. */
static void print_pair(FILE *out, const char *first, const char *second, int at)
{
	int n = fprintf(out, "  %s", first);
	if (n + 2 > at)
		n = fprintf(out, "\n%*s", at, "") - 1;
	else
		n += fprintf(out, "%*s", at - n, "");
	print_wrapped(out, second, at, at);
}

static const char *usage_of(struct arena *a, const struct cli_command *cmd)
{
	return arena_printf(a, "%s%s%s%s%s", cmd->noun, cmd->verb ? " " : "", cmd->verb ? cmd->verb : "", cmd->args[0] ? " " : "",
			    cmd->args);
}

static void print_options(struct cli *c, const struct cli_option *options)
{
	for (const struct cli_option *o = options; o && o->name; o++) {
		const char *left = o->value ? arena_printf(c->a, "%s %s", o->name, o->value) : o->name;
		print_pair(c->out, left, o->required ? arena_printf(c->a, "%s (required)", o->help) : o->help, OPTION_COLUMN);
	}
}

void cli_help_all(struct cli *c)
{
	fprintf(c->out, "troth keeps a fleet's certificates valid and its trust true.\n\n"
			"Usage: troth [--dir D] COMMAND [ARGUMENT] [--option VALUE]\n");
	if (c->program_count)
		fprintf(c->out, "\nThe parts of a running troth\n");
	for (size_t i = 0; i < c->program_count; i++)
		print_pair(c->out, c->programs[i].usage, c->programs[i].summary, USAGE_COLUMN);
	fprintf(c->out, "\nCommands for people and scripts\n");
	for (size_t i = 0; i < CLI_COMMAND_COUNT; i++)
		print_pair(c->out, usage_of(c->a, &CLI_COMMANDS[i]), CLI_COMMANDS[i].summary, USAGE_COLUMN);
	fprintf(c->out, "\nFor all of them\n");
	print_options(c, CLI_GLOBALS);
	fprintf(c->out, "\nExit codes\n  0 ok, 1 failed, 2 usage, 3 refused for safety, 4 not found, 5 timed out\n"
			"\nExample\n  troth --dir /var/lib/troth/server authority list\n"
			"\n\"troth COMMAND --help\" tells more, with examples.\n");
}

/* With `one` only the first command, which a backslash may carry on to the next line. */
static void print_example(FILE *out, const char *lines, bool one)
{
	fprintf(out, "\nExample\n");
	while (*lines) {
		size_t n = strcspn(lines, "\n");
		bool carried = n && lines[n - 1] == '\\';
		fprintf(out, "  %.*s\n", (int)n, lines);
		lines += n + (lines[n] == '\n');
		if (one && !carried)
			return;
	}
}

void cli_help_noun(struct cli *c, const char *noun)
{
	fprintf(c->out, "Usage: troth %s VERB\n\n", noun);
	const struct cli_command *first = NULL;
	for (size_t i = 0; i < CLI_COMMAND_COUNT; i++) {
		if (!text_equal(CLI_COMMANDS[i].noun, noun))
			continue;
		first = first ? first : &CLI_COMMANDS[i];
		print_pair(c->out, usage_of(c->a, &CLI_COMMANDS[i]), CLI_COMMANDS[i].summary, USAGE_COLUMN);
	}
	if (first)
		print_example(c->out, first->example, true);
}

void cli_help_command(struct cli *c, const struct cli_command *cmd)
{
	fprintf(c->out, "Usage: troth %s%s\n\n", usage_of(c->a, cmd), cmd->options ? " [--option VALUE]" : "");
	print_wrapped(c->out, arena_printf(c->a, "%s.", cmd->summary), 0, 0);
	if (cmd->detail) {
		fputc('\n', c->out);
		print_wrapped(c->out, cmd->detail, 0, 0);
	}
	if (cmd->options) {
		fprintf(c->out, "\nOptions\n");
		print_options(c, cmd->options);
	}
	print_example(c->out, cmd->example, false);
	fprintf(c->out, "\nFor every command: --dir, -o table|json|yaml and others, see troth --help\n");
}
