/* The CLI from argv to exit code. */
#include "app/cli.h"

#include <signal.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "app/cli_internal.h"

enum { EXIT_FOUND = 1, EXIT_USAGE = 2 };

troth_rc cli_usage(struct cli *c, struct troth_err *e, const char *fmt, ...)
{
	char text[sizeof e->primary];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	c->usage = true;
	troth_rc rc = err_set(e, TROTH_INVALID, "%s", text);
	const struct cli_command *cmd = c->command;
	if (cmd)
		err_hint(e, "try: troth %s%s%s --help", cmd->noun, cmd->verb ? " " : "", cmd->verb ? cmd->verb : "");
	else
		err_hint(e, "try: troth --help");
	return rc;
}

const char *cli_colour(const struct cli *c, const char *code)
{
	return c->colours ? arena_printf(c->a, "\x1b[%sm", code) : "";
}

/* The first finding is the primary line again, and its hint the hint. */
static bool is_first_again(const struct troth_err *e)
{
	const struct finding *first = e->findings;
	return first && strstr(e->primary, first->text) && (!first->hint || !first->hint[0] || text_equal(first->hint, e->hint));
}

static void print_findings(struct cli *c, const struct troth_err *e)
{
	for (const struct finding *f = is_first_again(e) ? e->findings->next : e->findings; f; f = f->next) {
		fprintf(c->err, "  %s: %s\n", f->path, f->text);
		if (f->hint && f->hint[0] && !text_equal(f->hint, e->hint))
			fprintf(c->err, "    hint: %s\n", f->hint);
	}
}

/* "troth: what and why", the sentence more, each finding, what to do; of several findings each has its own below it. */
static void print_error(struct cli *c, const struct troth_err *e)
{
	bool below = is_first_again(e) && e->findings->next;
	fprintf(c->err, "troth: %s\n", e->primary);
	if (e->detail[0])
		fprintf(c->err, "  %s\n", e->detail);
	if (below && e->hint[0])
		fprintf(c->err, "    hint: %s\n", e->hint);
	print_findings(c, e);
	if (!below && e->hint[0])
		fprintf(c->err, "hint: %s\n", e->hint);
}

static int exit_code(const struct cli *c, const struct troth_err *e)
{
	return c->usage ? EXIT_USAGE : err_exit_code(e->kind);
}

static void print_help(struct cli *c)
{
	if (c->command)
		cli_help_command(c, c->command);
	else if (c->words[0])
		cli_help_noun(c, c->words[0]);
	else
		cli_help_all(c);
}

int cli_run(struct cli *c, int argc, char **argv)
{
	struct troth_err e = { 0 };
	troth_rc rc = cli_parse(c, argc, argv, &e);
	if (cli_flag(c, "--no-colour"))
		c->colours = false;
	if (rc_ok(rc) && c->help)
		print_help(c);
	else if (rc_ok(rc) && c->version)
		fprintf(c->out, "troth %s\n", TROTH_VERSION);
	else if (rc_ok(rc))
		rc = c->command->run(c, &e);
	fflush(c->out);
	if (rc_ok(rc))
		return c->found ? EXIT_FOUND : 0;
	cli_findings_name(c, &e);
	print_error(c, &e);
	return exit_code(c, &e);
}

/* -- the world ---------------------------------------------------------------------------------------------- */
static troth_rc real_call(void *self, struct arena *a, const struct http_client_config *config, const struct http_outgoing *out,
			  struct http_answer *ret, struct troth_err *e)
{
	return http_call(a, config, out, ret, e);
}

static msec_t real_now(void *self)
{
	return port_now(&PORT_CLOCK_REAL);
}

static void real_pause(void *self, msec_t length)
{
	struct timespec t = { length / 1000, length % 1000 * 1000000 };
	nanosleep(&t, NULL);
}

static const char *real_env(void *self, const char *name)
{
	return getenv(name);
}

const struct cli_port CLI_PORT_REAL = { NULL, real_call, real_now, real_pause, real_env, &PORT_RANDOM_REAL };

static int terminal_width(int fd)
{
	struct winsize size;
	bool known = ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col >= 40;
	return known ? size.ws_col : CLI_WIDTH;
}

int cli_main(int argc, char **argv, const struct cli_program *programs, size_t program_count)
{
	const char *dumb = getenv("TERM");
	bool terminal = isatty(STDOUT_FILENO) && !(dumb && text_equal(dumb, "dumb"));
	signal(SIGPIPE, SIG_DFL); /* troth audit list | head */
	struct cli c = { .a = arena_new(CLI_ARENA_BYTES), .port = &CLI_PORT_REAL, .out = stdout, .err = stderr, .terminal = terminal,
			 .colours = terminal && !getenv("NO_COLOR"), .width = terminal ? terminal_width(STDOUT_FILENO) : CLI_WIDTH,
			 .programs = programs, .program_count = program_count };
	int code = cli_run(&c, argc - 1, argv + 1);
	arena_free(c.a);
	return code;
}
