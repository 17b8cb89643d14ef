/* `troth man`: manual pages (man(7) macros), from the table that parses and helps.
 *
 * troth.1 is the whole; troth-NOUN-VERB.1 each command; the parts of a running troth have their usage as it is. */
#include <errno.h>

#include "app/cli_internal.h"

enum { PAGE_BYTES = 256 << 10 };

/* -- roff --------------------------------------------------------------------------------------------------- */
/* Text as text: no dash becomes a hyphen, no line a request. */
static void put_text(struct buf *out, const char *s)
{
	bool line_start = true;
	for (; *s; s++) {
		if (line_start && (*s == '.' || *s == '\''))
			buf_add_text(out, "\\&");
		if (*s == '\\')
			buf_add_text(out, "\\e");
		else if (*s == '-')
			buf_add_text(out, "\\-");
		else
			buf_add_byte(out, (uint8_t)*s);
		line_start = *s == '\n';
	}
}

static void put_line(struct buf *out, const char *macro, const char *s)
{
	buf_printf(out, "%s%s", macro, macro[0] ? " " : "");
	put_text(out, s);
	buf_add_byte(out, '\n');
}

static void put_block(struct buf *out, const char *s)
{
	buf_add_text(out, ".nf\n");
	put_text(out, s);
	if (out->len && out->data[out->len - 1] != '\n')
		buf_add_byte(out, '\n');
	buf_add_text(out, ".fi\n");
}

static void put_head(struct buf *out, const char *page, const char *command, const char *summary)
{
	buf_add_text(out, ".TH \"");
	for (const char *p = page; *p; p++)
		buf_add_byte(out, (uint8_t)(*p >= 'a' && *p <= 'z' ? *p - 'a' + 'A' : *p));
	buf_printf(out, "\" 1 \"\" \"troth %s\"\n.SH NAME\n", TROTH_VERSION);
	put_text(out, page);
	buf_add_text(out, " \\- ");
	put_text(out, summary);
	buf_add_text(out, "\n.SH SYNOPSIS\n");
	put_line(out, ".B", command);
}

static void put_options(struct cli *c, struct buf *out, const char *title, const struct cli_option *options)
{
	if (!options)
		return;
	buf_printf(out, ".SH %s\n", title);
	for (const struct cli_option *o = options; o->name; o++) {
		buf_add_text(out, ".TP\n.B ");
		put_text(out, o->value ? arena_printf(c->a, "%s %s", o->name, o->value) : o->name);
		buf_add_byte(out, '\n');
		put_line(out, "", o->required ? arena_printf(c->a, "%s (required)", o->help) : o->help);
	}
}

static void put_exit_status(struct buf *out)
{
	buf_add_text(out, ".SH EXIT STATUS\n0 ok, 1 failed, 2 usage, 3 refused for safety, 4 not found, 5 timed out\n");
}

/* -- pages --------------------------------------------------------------------------------------------------- */
static const char *page_name(struct arena *a, const char *words)
{
	char *name = arena_printf(a, "troth-%s", words);
	for (char *p = name; *p; p++)
		if (*p == ' ')
			*p = '-';
	return name;
}

static const char *command_words(struct arena *a, const struct cli_command *cmd)
{
	return cmd->verb ? arena_printf(a, "%s %s", cmd->noun, cmd->verb) : cmd->noun;
}

static void write_command(struct cli *c, const struct cli_command *cmd, struct buf *out)
{
	const char *words = command_words(c->a, cmd);
	put_head(out, page_name(c->a, words), arena_printf(c->a, "troth %s %s%s", words, cmd->args, cmd->options ? " [options]" : ""),
		 cmd->summary);
	buf_add_text(out, ".SH DESCRIPTION\n");
	put_line(out, "", cmd->detail ? cmd->detail : arena_printf(c->a, "%s.", cmd->summary));
	put_options(c, out, "OPTIONS", cmd->options);
	buf_add_text(out, ".SH EXAMPLES\n");
	put_block(out, cmd->example);
	put_exit_status(out);
	buf_add_text(out, ".SH SEE ALSO\n.BR troth (1)\n");
}

static void write_program(struct cli *c, const struct cli_program *program, struct buf *out)
{
	put_head(out, page_name(c->a, program->usage), arena_printf(c->a, "troth %s", program->usage), program->summary);
	buf_add_text(out, ".SH DESCRIPTION\n");
	put_block(out, program->help);
	put_exit_status(out);
	buf_add_text(out, ".SH SEE ALSO\n.BR troth (1)\n");
}

static void put_entry(struct buf *out, const char *page, const char *summary)
{
	buf_add_text(out, ".TP\n.BR ");
	put_text(out, page);
	buf_add_text(out, " (1)\n");
	put_line(out, "", summary);
}

static void write_whole(struct cli *c, struct buf *out)
{
	put_head(out, "troth", "troth [--dir D] COMMAND [ARGUMENT] [--option VALUE]", "keeps a fleet's certificates valid and its trust true");
	buf_add_text(out, ".SH COMMANDS\n");
	for (size_t i = 0; i < c->program_count; i++)
		put_entry(out, page_name(c->a, c->programs[i].usage), c->programs[i].summary);
	for (size_t i = 0; i < CLI_COMMAND_COUNT; i++)
		put_entry(out, page_name(c->a, command_words(c->a, &CLI_COMMANDS[i])), CLI_COMMANDS[i].summary);
	put_options(c, out, "OPTIONS OF EVERY COMMAND", CLI_GLOBALS);
	put_exit_status(out);
}

/* -- the command ------------------------------------------------------------------------------------------------ */
static troth_rc save(struct cli *c, const char *dir, const char *page, struct buf *out, struct troth_err *e)
{
	ENSURE(buf_ok(out), e, TROTH_INTERNAL, "the page %s is too large", page);
	troth_rc rc = file_write(arena_printf(c->a, "%s/%s.1", dir, page), buf_bytes(out), 0644, e);
	buf_clear(out);
	return rc;
}

static troth_rc save_all(struct cli *c, const char *dir, struct troth_err *e)
{
	CLEANUP(buf_release) struct buf out = buf_make(PAGE_BYTES);
	write_whole(c, &out);
	TRY(save(c, dir, "troth", &out, e));
	for (size_t i = 0; i < c->program_count; i++) {
		write_program(c, &c->programs[i], &out);
		TRY(save(c, dir, page_name(c->a, c->programs[i].usage), &out, e));
	}
	for (size_t i = 0; i < CLI_COMMAND_COUNT; i++) {
		write_command(c, &CLI_COMMANDS[i], &out);
		TRY(save(c, dir, page_name(c->a, command_words(c->a, &CLI_COMMANDS[i])), &out, e));
	}
	return RC_OK;
}

static bool write_one(struct cli *c, const char *words, struct buf *out)
{
	for (size_t i = 0; i < c->program_count; i++)
		if (text_equal(c->programs[i].usage, words))
			return (write_program(c, &c->programs[i], out), true);
	for (size_t i = 0; i < CLI_COMMAND_COUNT; i++)
		if (text_equal(command_words(c->a, &CLI_COMMANDS[i]), words))
			return (write_command(c, &CLI_COMMANDS[i], out), true);
	return false;
}

troth_rc cli_run_man(struct cli *c, struct troth_err *e)
{
	CLEANUP(buf_release) struct buf out = buf_make(PAGE_BYTES);
	const char *into = cli_value(c, "--into"), *words = c->words[0];
	if (into)
		return save_all(c, into, e);
	if (words && c->words[1])
		words = arena_printf(c->a, "%s %s", words, c->words[1]);
	if (!words)
		write_whole(c, &out);
	else if (!write_one(c, words, &out))
		return cli_noun_known(words) ? cli_usage(c, e, "%.60s has a page for each of its verbs: troth man %.60s VERB", words, words) :
					       cli_usage(c, e, "there is no command \"%.60s\"", words);
	fwrite(out.data, 1, out.len, c->out);
	return RC_OK;
}
