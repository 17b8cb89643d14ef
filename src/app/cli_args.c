/* Words to a command: global options anywhere, noun and verb, then the command's own options and
 * arguments in any order.  "--x=v" and "--x v" are the same; "--" ends the options. */
#include "app/cli_internal.h"

struct words {
	int argc;
	char **argv;
	int at;
	bool no_options; /* behind "--" */
};

static const struct cli_option *option_in(const struct cli_option *options, const char *name, size_t len)
{
	for (; options && options->name; options++)
		if (strlen(options->name) == len && strncmp(options->name, name, len) == 0)
			return options;
	return NULL;
}

static const struct cli_option *option_find(const struct cli *c, const char *name, size_t len)
{
	const struct cli_option *o = option_in(CLI_GLOBALS, name, len);
	return !o && c->command ? option_in(c->command->options, name, len) : o;
}

static const char *spell_out(const char *word)
{
	return text_equal(word, "-o") ? "--output" : text_equal(word, "-h") ? "--help" : word;
}

static troth_rc take_option(struct cli *c, struct words *w, struct troth_err *e)
{
	const char *word = spell_out(w->argv[w->at++]), *equals = strchr(word, '='), *text = NULL;
	size_t len = equals ? (size_t)(equals - word) : strlen(word);
	const struct cli_option *o = option_find(c, word, len);
	if (!o)
		return cli_usage(c, e, "option %.*s is not known here", (int)len, word);
	if (o->value && equals)
		text = equals + 1;
	else if (o->value && w->at < w->argc)
		text = w->argv[w->at++];
	else if (o->value)
		return cli_usage(c, e, "option %s needs a value: %s %s", o->name, o->name, o->value);
	else if (equals)
		return cli_usage(c, e, "option %s takes no value", o->name);
	if (c->value_count >= CLI_VALUES_MAX)
		return cli_usage(c, e, "more than %d options", CLI_VALUES_MAX);
	c->values[c->value_count++] = (struct cli_value){ o, text ? text : "" };
	return RC_OK;
}

/* -- noun and verb ---------------------------------------------------------------------------------- */
static troth_rc unknown(struct cli *c, const char *noun, const char *word, struct troth_err *e)
{
	const char *nearest = cli_nearest(c, word, noun);
	troth_rc rc = noun ? cli_usage(c, e, "%s has no verb \"%.60s\"", noun, word)
			   : cli_usage(c, e, "there is no command \"%.60s\"", word);
	if (nearest)
		err_hint(e, "did you mean \"%s%s%s\"?", noun ? noun : "", noun ? " " : "", nearest);
	else
		err_hint(e, noun ? "try: troth %s --help" : "try: troth --help", noun);
	return rc;
}

static troth_rc needs_verb(struct cli *c, const char *noun, struct troth_err *e)
{
	troth_rc rc = cli_usage(c, e, "%s needs a verb", noun);
	err_hint(e, "try: troth %s --help", noun);
	return rc;
}

static troth_rc take_noun(struct cli *c, const char *word, const char **noun, struct troth_err *e)
{
	*noun = word;
	c->command = cli_command_find(word, NULL);
	return c->command || cli_noun_known(word) ? RC_OK : unknown(c, NULL, word, e);
}

static troth_rc take_word(struct cli *c, const char *word, const char **noun, struct troth_err *e)
{
	if (!*noun)
		return take_noun(c, word, noun, e);
	if (!c->command) {
		c->command = cli_command_find(*noun, word);
		return c->command ? RC_OK : unknown(c, *noun, word, e);
	}
	if (c->word_count >= CLI_WORDS_MAX)
		return cli_usage(c, e, "too many arguments");
	c->words[c->word_count++] = word;
	return RC_OK;
}

/* -- what must be there ------------------------------------------------------------------------------ */
static size_t words_wanted(const char *args, size_t *ret_optional)
{
	size_t n = 0, optional = 0;
	for (const char *p = args; *p; p++) {
		bool begins = *p != ' ' && (p == args || p[-1] == ' ');
		n += begins;
		optional += begins && *p == '[';
	}
	*ret_optional = optional;
	return n;
}

static troth_rc check_complete(struct cli *c, struct troth_err *e)
{
	size_t optional, wanted = words_wanted(c->command->args, &optional);
	bool any_number = strstr(c->command->args, "...") != NULL;
	if (c->word_count > wanted && !any_number)
		return cli_usage(c, e, "argument \"%.100s\" is one too many", c->words[wanted]);
	if (c->word_count < wanted - optional)
		return cli_usage(c, e, "%s%s%s needs: %s", c->command->noun, c->command->verb ? " " : "",
				 c->command->verb ? c->command->verb : "", c->command->args);
	for (const struct cli_option *o = c->command->options; o && o->name; o++)
		if (o->required && !cli_value(c, o->name))
			return cli_usage(c, e, "option %s %s is missing", o->name, o->value);
	return RC_OK;
}

static troth_rc take_format(struct cli *c, struct troth_err *e)
{
	static const char *const names[] = { [CLI_AS_TABLE] = "table", [CLI_AS_JSON] = "json", [CLI_AS_YAML] = "yaml" };
	const char *text = cli_flag(c, "--json") ? "json" : cli_value(c, "--output");
	if (!text)
		return RC_OK;
	bool topology = c->command && c->command->run == cli_run_topology;
	if (topology && text_equal(text, "tree"))
		return RC_OK; /* a tree is its table */
	if (topology && text_equal(text, "maestro")) {
		c->format = CLI_AS_MAESTRO;
		return RC_OK;
	}
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (text_equal(text, names[i])) {
			c->format = (enum cli_format)i;
			return RC_OK;
		}
	return cli_usage(c, e, "output \"%.40s\" is not table, json or yaml", text);
}

const char *cli_value(const struct cli *c, const char *name)
{
	for (size_t i = c->value_count; i-- > 0;)
		if (text_equal(c->values[i].option->name, name))
			return c->values[i].text;
	return NULL;
}

bool cli_flag(const struct cli *c, const char *name)
{
	return cli_value(c, name) != NULL;
}

static bool asks_for_help(const struct words *w)
{
	for (int i = w->at; i < w->argc && !text_equal(w->argv[i], "--"); i++)
		if (text_equal(spell_out(w->argv[i]), "--help"))
			return true;
	return false;
}

troth_rc cli_parse(struct cli *c, int argc, char **argv, struct troth_err *e)
{
	struct words w = { .argc = argc, .argv = argv };
	const char *noun = NULL;
	c->help = asks_for_help(&w); /* first: help is given to who types half a command */
	while (w.at < w.argc) {
		const char *word = w.argv[w.at];
		if (!w.no_options && text_equal(word, "--")) {
			w.no_options = true;
			w.at++;
		} else if (!w.no_options && word[0] == '-' && word[1]) {
			TRY(take_option(c, &w, e));
		} else {
			TRY(take_word(c, w.argv[w.at++], &noun, e));
		}
	}
	c->version = cli_flag(c, "--version");
	if (c->help && noun && !c->command)
		c->words[0] = noun; /* cli.c prints the noun's help */
	if (c->help || c->version)
		return RC_OK;
	TRY(take_format(c, e));
	if (c->command)
		return check_complete(c, e);
	return noun ? needs_verb(c, noun, e) : cli_usage(c, e, "which command?");
}
