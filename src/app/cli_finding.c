/* The server finds fault with members of a request; a person typed options.  The command's table says which is which.
 *
 *     $.ttl                 --ttl
 *     $.sans[1]             --san "b..c"             the value that was typed
 *     $.slots[0].sans[0]    --slot, san              of several: --slot 2, san
 *     $.name                NAME                     the argument
 *     ?sort                 --sort
 *
 * What stands for nothing that can be typed stays as it is. */
#include "app/cli_internal.h"

enum { VALUE_SHOWN = 60 };

static bool is_member(const struct cli_option *o, const char *name, size_t len)
{
	return o->member && strlen(o->member) == len && strncmp(o->member, name, len) == 0;
}

static bool is_given(const struct cli *c, const struct cli_option *o)
{
	for (size_t i = 0; i < c->value_count; i++)
		if (c->values[i].option == o)
			return true;
	return false;
}

/* Of several for one member (--window, --no-window) the one that was typed, else the first. */
static const struct cli_option *option_of(const struct cli *c, const char *name, size_t len, bool query)
{
	const struct cli_option *found = NULL;
	for (const struct cli_option *o = c->command->options; o && o->name; o++)
		if (is_member(o, name, len) && (o->kind == CLI_QUERY) == query && (!found || is_given(c, o)))
			found = o;
	return found;
}

/* The value of that number, from 0; ret_count: how many there are. */
static const char *value_at(const struct cli *c, const struct cli_option *o, size_t at, size_t *ret_count)
{
	const char *value = NULL;
	*ret_count = 0;
	for (size_t i = 0; i < c->value_count; i++) {
		if (c->values[i].option != o)
			continue;
		if ((*ret_count)++ == at)
			value = c->values[i].text;
	}
	return value;
}

/* ".sans[0]" of a SPEC is the key san; ".key_type" is key-type. */
static const char *key_of(struct arena *a, const char *rest)
{
	if (*rest != '.')
		return "";
	char *key = arena_text_n(a, rest + 1, strcspn(rest + 1, "["));
	if (text_equal(key, "sans"))
		return ", san";
	if (text_starts(key, "parameters."))
		return arena_printf(a, ", parameter%s", key + sizeof "parameters" - 1);
	for (char *p = key; *p; p++)
		*p = *p == '_' ? '-' : *p;
	return arena_printf(a, ", %s", text_equal(key, "pem") ? "file" : key);
}

static const char *place_in_list(struct cli *c, const struct cli_option *o, const char *rest)
{
	size_t count, at = (size_t)strtoul(rest + 1, NULL, 10);
	const char *end = strchr(rest, ']'), *value = value_at(c, o, at, &count);
	if (!end || !value)
		return o->name;
	if (o->kind == CLI_TEXTS)
		return arena_printf(c->a, "%s \"%.*s\"", o->name, VALUE_SHOWN, value);
	const char *which = count > 1 ? arena_printf(c->a, " %zu", at + 1) : "";
	return arena_printf(c->a, "%s%s%s", o->name, which, key_of(c->a, end + 1));
}

static const char *argument(struct arena *a, const char *args)
{
	args += *args == '[';
	return arena_text_n(a, args, strcspn(args, " ]."));
}

const char *cli_finding_place(struct cli *c, const char *path)
{
	bool query = path[0] == '?';
	if (!query && !text_starts(path, "$."))
		return path;
	const char *name = path + (query ? 1 : 2), *rest = name + strcspn(name, ".[");
	const struct cli_option *o = option_of(c, name, (size_t)(rest - name), query);
	if (o)
		return *rest == '[' ? place_in_list(c, o, rest) : *rest ? arena_printf(c->a, "%s%s", o->name, rest) : o->name;
	const char *first = c->command->member;
	bool is_first = first && !query && strlen(first) == (size_t)(rest - name) && strncmp(first, name, strlen(first)) == 0;
	return is_first ? argument(c->a, c->command->args) : path;
}

/* "$.ttl: is no length" -> "--ttl: is no length". */
static void rename_primary(struct cli *c, struct troth_err *e, const struct finding *first)
{
	size_t len = strlen(first->path);
	if (strncmp(e->primary, first->path, len) != 0 || !text_starts(e->primary + len, ": "))
		return;
	const char *text = arena_text(c->a, e->primary + len + 2);
	const char *place = text_equal(first->path, "$") ? "" : arena_printf(c->a, "%s: ", cli_finding_place(c, first->path));
	(void)snprintf(e->primary, sizeof e->primary, "%s%s", place, text); /* as much of it as there is room for */
}

void cli_findings_name(struct cli *c, struct troth_err *e)
{
	if (!c->command || !e->findings)
		return;
	rename_primary(c, e, e->findings);
	struct finding **last = &e->findings;
	for (const struct finding *f = e->findings; f; f = f->next) {
		struct finding *named = ARENA_NEW(c->a, struct finding);
		*named = *f;
		named->path = cli_finding_place(c, f->path);
		named->next = NULL;
		*last = named;
		last = &named->next;
	}
}
