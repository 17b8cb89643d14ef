/* One object for people: its members as "name  value" lines, its arrays of objects as small tables. */
#include "app/cli_internal.h"

enum { LABEL_MAX = 20, OUTPUT_BYTES = 128 << 20, AUTO_COLUMNS = 5 };

static bool is_scalar(const struct json *j)
{
	return j->type != JSON_ARRAY && j->type != JSON_OBJECT;
}

static bool is_long_text(const struct json *j)
{
	return j->type == JSON_STRING && (strchr(j->str.s, '\n') || j->str.len > 200);
}

static bool is_table(const struct json *j)
{
	return j->type == JSON_ARRAY && j->list.count && j->list.items[0].type == JSON_OBJECT;
}

static const char *label_of(struct arena *a, const char *key)
{
	char *label = arena_text(a, key);
	for (char *p = label; *p; p++)
		if (*p == '_')
			*p = ' ';
	return label;
}

void cli_wrap_write(const char *s, int indent, int width, struct buf *out)
{
	int room = width - indent > 20 ? width - indent : 20;
	while (cli_text_width(s) > room) {
		int at = 0;
		const char *cut = NULL, *p = s;
		for (; *p && at <= room; p++) {
			at += (*p & 0xc0) != 0x80;
			if (*p == ' ' && at <= room + 1)
				cut = p;
		}
		if (!cut || cut == s) /* one long word: leave it whole, it may be copied */
			break;
		buf_printf(out, "%.*s\n%*s", (int)(cut - s), s, indent, "");
		s = cut + 1;
	}
	buf_printf(out, "%s\n", s);
}

static void write_member(struct arena *a, const char *label, const struct json *v, int column, int width, struct buf *out)
{
	const char *text = is_long_text(v) ? "(see -o json)" : cli_cell_text(a, v, CELL_TEXT);
	buf_printf(out, "%-*s  ", column, label);
	cli_wrap_write(text, column + 2, width, out);
}

/* An object inside: "instance.name" lines, one level; deeper ones are for -o json. */
static void write_inner(struct arena *a, const char *key, const struct json *j, int column, int width, struct buf *out)
{
	for (size_t i = 0; i < j->map.count; i++)
		write_member(a, label_of(a, arena_printf(a, "%s.%s", key, j->map.keys[i])), &j->map.values[i], column, width, out);
}

static int label_width(const struct json *j)
{
	int width = 0;
	for (size_t i = 0; i < j->map.count; i++) {
		int n = cli_text_width(j->map.keys[i]);
		width = n > width && !is_table(&j->map.values[i]) ? n : width;
		for (size_t k = 0; j->map.values[i].type == JSON_OBJECT && k < j->map.values[i].map.count; k++) {
			int inner = n + 1 + cli_text_width(j->map.values[i].map.keys[k]);
			width = inner > width ? inner : width;
		}
	}
	return width > LABEL_MAX ? LABEL_MAX : width;
}

/* For an array that nobody described: its first plain members. */
static const struct cli_column *columns_of(struct arena *a, const struct json *list)
{
	struct cli_column *columns = ARENA_ARRAY(a, struct cli_column, AUTO_COLUMNS + 1);
	const struct json *first = &list->list.items[0];
	size_t n = 0;
	for (size_t i = 0; i < first->map.count && n < AUTO_COLUMNS; i++) {
		if (!is_scalar(&first->map.values[i]) || is_long_text(&first->map.values[i]))
			continue;
		char *title = arena_text(a, label_of(a, first->map.keys[i]));
		for (char *p = title; *p; p++)
			*p = *p >= 'a' && *p <= 'z' ? (char)(*p - 32) : *p;
		columns[n++] = (struct cli_column){ title, first->map.keys[i], CELL_TEXT };
	}
	return columns;
}

static const struct cli_section *section_of(const struct cli_section *sections, const char *member)
{
	for (; sections && sections->title; sections++)
		if (text_equal(sections->member, member))
			return sections;
	return NULL;
}

static void write_table(struct arena *a, const char *key, const struct json *list, const struct cli_section *sections, int width,
			const char *bold, const char *plain, struct buf *out)
{
	const struct cli_section *s = section_of(sections, key);
	buf_printf(out, "\n%s%s%s\n", bold, s ? s->title : label_of(a, key), plain);
	cli_table_write(a, list, s ? s->columns : columns_of(a, list), width, 2, bold, plain, out);
}

void cli_show_write(struct arena *a, const struct json *j, const struct cli_section *sections, int width, const char *bold,
		    const char *plain, struct buf *out)
{
	int column = label_width(j);
	for (size_t i = 0; i < j->map.count; i++) {
		const struct json *v = &j->map.values[i];
		if (v->type == JSON_OBJECT && v->map.count)
			write_inner(a, j->map.keys[i], v, column, width, out);
		else if (!is_table(v))
			write_member(a, label_of(a, j->map.keys[i]), v, column, width, out);
	}
	for (size_t i = 0; i < j->map.count; i++)
		if (is_table(&j->map.values[i]))
			write_table(a, j->map.keys[i], &j->map.values[i], sections, width, bold, plain, out);
}

static void write_as_table(struct cli *c, const struct json *j, struct buf *out)
{
	const struct json *items = json_get(j, "items");
	const char *bold = cli_colour(c, "1"), *plain = cli_colour(c, "0");
	if (!items || items->type != JSON_ARRAY || !c->command->columns) {
		cli_show_write(c->a, j, c->command->sections, c->width, bold, plain, out);
		return;
	}
	if (items->list.count)
		cli_table_write(c->a, items, c->command->columns, c->width, 0, bold, plain, out);
	else
		buf_printf(out, "%s\n", c->command->empty ? c->command->empty : "none");
}

troth_rc cli_flush(struct cli *c, struct buf *out, struct troth_err *e)
{
	ENSURE(buf_ok(out), e, TROTH_TOO_LARGE, "the output is too large");
	bool ok = fwrite(out->data ? out->data : (const uint8_t *)"", 1, out->len, c->out) == out->len && fflush(c->out) == 0;
	ENSURE(ok, e, TROTH_IO, "could not write the output");
	return RC_OK;
}

troth_rc cli_print(struct cli *c, const struct json *j, struct troth_err *e)
{
	CLEANUP(buf_release) struct buf out = buf_make(OUTPUT_BYTES);
	if (c->format == CLI_AS_JSON)
		cli_json_write(j, &out);
	else if (c->format == CLI_AS_YAML)
		cli_yaml_write(j, &out);
	else
		write_as_table(c, j, &out);
	return cli_flush(c, &out, e);
}
