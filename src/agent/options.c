/* Reading a command line; telling what failed. */
#include "agent/options.h"

#include <stdio.h>
#include <string.h>

static const struct agent_option *find(const struct agent_option *options, size_t count, const char *name, size_t len)
{
	for (size_t i = 0; i < count; i++)
		if (strlen(options[i].name) == len && memcmp(options[i].name, name, len) == 0)
			return &options[i];
	return NULL;
}

static troth_rc read_all(int argc, char **argv, const struct agent_option *options, size_t count, struct troth_err *e)
{
	for (int i = 1; i < argc; i++) {
		const char *word = argv[i];
		ENSURE(word[0] == '-' && word[1] == '-', e, TROTH_INVALID, "unexpected word \"%.100s\"", word);
		size_t len = strcspn(word + 2, "=");
		const struct agent_option *o = find(options, count, word + 2, len);
		ENSURE(o, e, TROTH_INVALID, "unknown option \"%.100s\"", word);
		const char *value = word[2 + len] == '=' ? word + 3 + len : i + 1 < argc ? argv[++i] : NULL;
		ENSURE(value && value[0], e, TROTH_INVALID, "option --%s wants a value", o->name);
		*o->value = value;
	}
	for (size_t i = 0; i < count; i++)
		ENSURE(!options[i].required || *options[i].value, e, TROTH_INVALID, "option --%s is missing", options[i].name);
	return RC_OK;
}

troth_rc agent_options_read(int argc, char **argv, const struct agent_option *options, size_t count, struct troth_err *e)
{
	troth_rc rc = read_all(argc, argv, options, count, e);
	if (rc_failed(rc))
		err_hint(e, "troth agent %s --help shows the options", argv[0]);
	return rc;
}

int agent_failed(const struct troth_err *e)
{
	fprintf(stderr, "troth: %s\n", e->primary);
	if (e->detail[0])
		fprintf(stderr, "  %s\n", e->detail);
	for (const struct finding *f = e->findings; f && f->next; f = f->next) /* the first is the line above */
		fprintf(stderr, "  %s: %s\n", f->next->path, f->next->text);
	if (e->hint[0])
		fprintf(stderr, "hint: %s\n", e->hint);
	return err_exit_code(e->kind);
}
