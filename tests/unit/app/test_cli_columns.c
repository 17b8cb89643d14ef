/* What the tables of the CLI pick out of answers is what the API says it answers. */
#include "cli_fixture.h"

#include "facade/native/describe.h"
#include "facade/native/native.h"

struct noun { char text[64]; };

static struct noun noun_of(const char *text, size_t len)
{
	struct noun n = { 0 };
	assert_true(len < sizeof n.text);
	memcpy(n.text, text, len);
	return n;
}

/* The noun that GET of a pattern gives: of "[X]" X.  Text "": it gives several, or none. */
static struct noun given_by(const char *path, bool one)
{
	char pattern[128];
	snprintf(pattern, sizeof pattern, "%s%s", path, one ? "/{id}" : "");
	for (size_t t = 0; t < NATIVE_TABLE_COUNT; t++)
		for (size_t i = 0; i < NATIVE_TABLES[t]->count; i++) {
			const struct route *row = &NATIVE_TABLES[t]->rows[i];
			struct api_answer answer;
			if (row->method != HTTP_GET || strcmp(row->pattern, pattern) != 0 || !api_gives(row, 200, &answer))
				continue;
			bool list = answer.len && answer.words[0] == '[';
			assert_true(list != one);
			return memchr(answer.words, '|', answer.len) ? noun_of("", 0) : noun_of(answer.words + list, answer.len - 2 * list);
		}
	return noun_of("", 0);
}

/* "a.b", "list?flag.b": each a member of what stands before it.  The type of the last one; NULL: it is not there. */
static const char *type_at(struct noun in, const char *path, size_t len)
{
	const char *type = NULL;
	for (const char *end = path + len; path < end;) {
		size_t n = 0;
		while (path + n < end && !strchr(".?", path[n]))
			n++;
		const struct api_field *f = api_field_of(in.text, noun_of(path, n).text);
		if (!f)
			return NULL;
		type = f->type;
		struct api_type t = api_type_read(type);
		bool flag = api_type_is(&t, "bool") && path + n < end; /* it chooses among its fellows */
		if (t.map || api_type_is(&t, "any"))
			return "any"; /* whatever it holds */
		if (!flag)
			in = noun_of(t.word, t.len < sizeof in.text ? t.len : 0);
		path += n + 1;
	}
	return type;
}

static void column_fits(const char *noun, const struct cli_column *c)
{
	struct noun in = noun_of(noun, strlen(noun));
	for (const char *at = c->path; *at; at += *at == '|') {
		size_t len = strcspn(at, "|");
		const char *type = type_at(in, at, len);
		if (!type)
			fail_msg("%s: column %s shows \"%s\", which is no member of it", noun, c->title, c->path);
		if ((c->cell == CELL_COUNT || c->cell == CELL_LIST) && !api_type_read(type).list)
			fail_msg("%s: column %s wants a list, and \"%s\" is %s", noun, c->title, c->path, type);
		at += len;
	}
}

static void lists_show_what_is_answered(void **state)
{
	size_t seen = 0;
	for (size_t i = 0; i < CLI_COMMAND_COUNT; i++) {
		const struct cli_command *cmd = &CLI_COMMANDS[i];
		struct noun noun = cmd->run == cli_run_list ? given_by(cmd->path, false) : noun_of("", 0);
		for (const struct cli_column *c = cmd->columns; noun.text[0] && c->title; c++, seen++)
			column_fits(noun.text, c);
	}
	assert_true(seen > 40); /* the tables are found */
}

static void sections_show_what_is_answered(void **state)
{
	size_t seen = 0;
	for (size_t i = 0; i < CLI_COMMAND_COUNT; i++) {
		const struct cli_command *cmd = &CLI_COMMANDS[i];
		struct noun noun = cmd->run == cli_run_show ? given_by(cmd->path, true) : noun_of("", 0);
		for (const struct cli_section *s = cmd->sections; noun.text[0] && s && s->title; s++) {
			const struct api_field *f = api_field_of(noun.text, s->member);
			if (!f || !api_type_read(f->type).list)
				fail_msg("%s has no list \"%s\" to show as \"%s\"", noun.text, s->member, s->title);
			struct api_type t = api_type_read(f->type);
			for (const struct cli_column *c = s->columns; c->title; c++, seen++)
				column_fits(noun_of(t.word, t.len).text, c);
		}
	}
	assert_true(seen > 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(lists_show_what_is_answered), cmocka_unit_test(sections_show_what_is_answered) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
