/* `troth completion bash|zsh|fish`: what a shell offers while one types, from the table that parses and helps. */
#include "app/cli_internal.h"

/* -- pieces --------------------------------------------------------------------------------------------------- */
/* In single quotes, for all three shells. */
static const char *quoted(struct arena *a, const char *s)
{
	const char *out = "'";
	for (const char *q; (q = strchr(s, '\'')); s = q + 1)
		out = arena_printf(a, "%s%.*s'\\''", out, (int)(q - s), s);
	return arena_printf(a, "%s%s'", out, s);
}

static const char *first_word(struct arena *a, const char *s) { return arena_text_n(a, s, strcspn(s, " ")); }

static bool listed(const char *list, const char *word)
{
	size_t n = strlen(word);
	for (const char *p = list; (p = strstr(p, word)); p += n)
		if ((p == list || p[-1] == ' ') && (p[n] == ' ' || !p[n]))
			return true;
	return false;
}

static const char *with(struct arena *a, const char *list, const char *word)
{
	return listed(list, word) ? list : arena_printf(a, "%s%s%s", list, list[0] ? " " : "", word);
}

/* What may come first: nouns, and the parts of a running troth. */
static const char *all_nouns(struct cli *c)
{
	const char *list = "";
	for (size_t i = 0; i < c->program_count; i++)
		list = with(c->a, list, first_word(c->a, c->programs[i].usage));
	for (size_t i = 0; i < CLI_COMMAND_COUNT; i++)
		list = with(c->a, list, CLI_COMMANDS[i].noun);
	return list;
}

static const char *verbs_of(struct cli *c, const char *noun)
{
	const char *list = "";
	for (size_t i = 0; i < c->program_count; i++) {
		const char *space = strchr(c->programs[i].usage, ' ');
		if (space && text_equal(first_word(c->a, c->programs[i].usage), noun))
			list = with(c->a, list, space + 1);
	}
	for (size_t i = 0; i < CLI_COMMAND_COUNT; i++)
		if (CLI_COMMANDS[i].verb && text_equal(CLI_COMMANDS[i].noun, noun))
			list = with(c->a, list, CLI_COMMANDS[i].verb);
	return list;
}

static const char *option_names(struct arena *a, const struct cli_option *options, bool valued_only)
{
	const char *list = "";
	for (const struct cli_option *o = options; o && o->name; o++)
		if (!valued_only || o->value)
			list = with(a, list, o->name);
	return list;
}

/* Those behind which a word is a value, and neither noun nor verb. */
static const char *valued_options(struct cli *c)
{
	const char *list = with(c->a, option_names(c->a, CLI_GLOBALS, true), "-o");
	for (size_t i = 0; i < CLI_COMMAND_COUNT; i++)
		for (const struct cli_option *o = CLI_COMMANDS[i].options; o && o->name; o++)
			if (o->value)
				list = with(c->a, list, o->name);
	return list;
}

static const char *alternatives(struct arena *a, const char *list)
{
	char *out = arena_text(a, list);
	for (char *p = out; *p; p++)
		if (*p == ' ')
			*p = '|';
	return out;
}

/* -- bash, and zsh by its bashcompinit ---------------------------------------------------------------------------- */
static void bash_cases(struct cli *c)
{
	const char *nouns = all_nouns(c);
	while (*nouns) {
		const char *noun = first_word(c->a, nouns), *verbs = verbs_of(c, noun);
		if (verbs[0])
			fprintf(c->out, "  '%s ') list='%s' ;;\n", noun, verbs);
		nouns += strlen(noun) + (nouns[strlen(noun)] == ' ');
	}
	for (size_t i = 0; i < CLI_COMMAND_COUNT; i++) {
		const struct cli_command *cmd = &CLI_COMMANDS[i];
		if (cmd->options)
			fprintf(c->out, "  '%s %s'*) list='%s' ;;\n", cmd->noun, cmd->verb ? cmd->verb : "",
				option_names(c->a, cmd->options, false));
	}
}

static void write_bash(struct cli *c)
{
	fprintf(c->out,
		"# bash completion for troth: troth completion bash >/etc/bash_completion.d/troth\n"
		"_troth() {\n"
		"  local cur=${COMP_WORDS[COMP_CWORD]} noun= verb= list= skip= i w\n"
		"  for ((i = 1; i < COMP_CWORD; i++)); do\n"
		"    w=${COMP_WORDS[i]}\n"
		"    if [ -n \"$skip\" ]; then skip=; continue; fi\n"
		"    case $w in\n"
		"    %s) skip=1 ;;\n"
		"    -*) ;;\n"
		"    *) if [ -z \"$noun\" ]; then noun=$w; elif [ -z \"$verb\" ]; then verb=$w; fi ;;\n"
		"    esac\n"
		"  done\n"
		"  if [ -n \"$skip\" ]; then COMPREPLY=($(compgen -f -- \"$cur\")); return; fi\n"
		"  case \"$noun $verb\" in\n"
		"  ' ') list='%s' ;;\n",
		alternatives(c->a, valued_options(c)), all_nouns(c));
	bash_cases(c);
	fprintf(c->out,
		"  esac\n"
		"  case $cur in -*) list=\"$list %s\" ;; esac\n"
		"  COMPREPLY=($(compgen -W \"$list\" -- \"$cur\"))\n"
		"}\n"
		"complete -F _troth troth\n",
		option_names(c->a, CLI_GLOBALS, false));
}

static void write_zsh(struct cli *c)
{
	fprintf(c->out, "#compdef troth\n"
			"# zsh completion for troth: troth completion zsh >\"${fpath[1]}/_troth\"\n"
			"autoload -U +X bashcompinit && bashcompinit\n");
	write_bash(c);
}

/* -- fish ------------------------------------------------------------------------------------------------------------ */
static void fish_options(struct cli *c, const char *condition, const struct cli_option *options)
{
	for (const struct cli_option *o = options; o && o->name; o++)
		fprintf(c->out, "complete -c troth%s%s -l %s%s -d %s\n", condition[0] ? " -n " : "", condition, o->name + 2,
			o->value ? " -r" : "", quoted(c->a, o->help));
}

static void fish_command(struct cli *c, const struct cli_command *cmd)
{
	const char *seen = arena_printf(c->a, "'__fish_seen_subcommand_from %s'", cmd->noun);
	if (cmd->verb) {
		fprintf(c->out, "complete -c troth -f -n '__fish_seen_subcommand_from %s; and not __fish_seen_subcommand_from %s' -a %s -d %s\n",
			cmd->noun, verbs_of(c, cmd->noun), cmd->verb, quoted(c->a, cmd->summary));
		seen = arena_printf(c->a, "'__fish_seen_subcommand_from %s; and __fish_seen_subcommand_from %s'", cmd->noun, cmd->verb);
	} else {
		fprintf(c->out, "complete -c troth -f -n __fish_use_subcommand -a %s -d %s\n", cmd->noun, quoted(c->a, cmd->summary));
	}
	fish_options(c, seen, cmd->options);
}

static void write_fish(struct cli *c)
{
	const char *nouns = "";
	fprintf(c->out, "# fish completion for troth: troth completion fish >~/.config/fish/completions/troth.fish\n");
	for (size_t i = 0; i < c->program_count; i++)
		if (!strchr(c->programs[i].usage, ' '))
			fprintf(c->out, "complete -c troth -f -n __fish_use_subcommand -a %s -d %s\n", c->programs[i].usage,
				quoted(c->a, c->programs[i].summary));
	for (size_t i = 0; i < CLI_COMMAND_COUNT; i++) {
		if (CLI_COMMANDS[i].verb && !listed(nouns, CLI_COMMANDS[i].noun)) {
			nouns = with(c->a, nouns, CLI_COMMANDS[i].noun);
			fprintf(c->out, "complete -c troth -f -n __fish_use_subcommand -a %s\n", CLI_COMMANDS[i].noun);
		}
		fish_command(c, &CLI_COMMANDS[i]);
	}
	fish_options(c, "", CLI_GLOBALS);
}

/* -- the command -------------------------------------------------------------------------------------------------------- */
troth_rc cli_run_completion(struct cli *c, struct troth_err *e)
{
	static const struct { const char *name; void (*write)(struct cli *c); } shells[] = {
		{ "bash", write_bash }, { "zsh", write_zsh }, { "fish", write_fish },
	};
	for (size_t i = 0; i < ARRAY_LEN(shells); i++)
		if (text_equal(shells[i].name, c->words[0])) {
			shells[i].write(c);
			return RC_OK;
		}
	return cli_usage(c, e, "there is no completion for \"%.40s\": bash, zsh or fish", c->words[0]);
}
