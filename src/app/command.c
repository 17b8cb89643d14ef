/* What all commands share: reading options, saying what went wrong. */
#include "app/command.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { EXIT_USAGE = 2 }; /* design.md section 7 */

int command_failed(const struct troth_err *e)
{
	fprintf(stderr, "troth: %s%s%s\n", e->primary, e->detail[0] ? ": " : "", e->detail);
	for (const struct finding *f = e->findings; f; f = f->next)
		fprintf(stderr, "  %s: %s\n", f->path, f->text);
	if (e->hint[0])
		fprintf(stderr, "hint: %s\n", e->hint);
	return err_exit_code(e->kind);
}

int command_usage(const struct command *c, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	fprintf(stderr, "troth %s: ", c->name);
	vfprintf(stderr, fmt, ap);
	fprintf(stderr, "\nhint: troth %s --help\n", c->name);
	va_end(ap);
	return EXIT_USAGE;
}

static const struct option *option_find(const struct option *options, size_t count, const char *name, size_t len)
{
	for (size_t i = 0; i < count; i++)
		if (strlen(options[i].name) == len && strncmp(options[i].name, name, len) == 0)
			return &options[i];
	return NULL;
}

static troth_rc values_add(struct option_values *v, const char *value, struct troth_err *e)
{
	ENSURE(v && v->count < OPTION_VALUES, e, TROTH_INVALID, "\"%.80s\" is one word too many", value);
	v->items[v->count++] = value;
	return RC_OK;
}

/* One option; *i moves on when its value is the next word. */
static troth_rc option_read(int argc, char **argv, int *i, const struct option *options, size_t count, struct troth_err *e)
{
	const char *name = argv[*i] + 2, *equals = strchr(name, '=');
	size_t len = equals ? (size_t)(equals - name) : strlen(name);
	const struct option *o = option_find(options, count, name, len);
	ENSURE(o, e, TROTH_INVALID, "unknown option --%.*s", (int)len, name);
	if (o->flag) {
		ENSURE(!equals, e, TROTH_INVALID, "option --%s takes no value", o->name);
		*o->flag = true;
		return RC_OK;
	}
	ENSURE(equals || *i + 1 < argc, e, TROTH_INVALID, "option --%s needs a value", o->name);
	const char *value = equals ? equals + 1 : argv[++*i];
	if (o->values)
		return values_add(o->values, value, e);
	*o->value = value;
	return RC_OK;
}

troth_rc options_read(int argc, char **argv, const struct option *options, size_t count, struct option_values *words,
		      struct troth_err *e)
{
	bool ended = false;
	for (int i = 1; i < argc; i++) {
		if (!ended && strcmp(argv[i], "--") == 0)
			ended = true;
		else if (!ended && strncmp(argv[i], "--", 2) == 0)
			TRY(option_read(argc, argv, &i, options, count, e));
		else
			TRY(values_add(words, argv[i], e));
	}
	return RC_OK;
}
