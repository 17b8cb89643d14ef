/* YAML 1.2 for -o yaml, in the small part of it that every reader reads the same way: block style,
 * plain texts only where they cannot be taken for anything else, PEM as literal blocks. */
#include "app/cli_internal.h"

static void write_value(const struct json *j, int depth, bool in_list, struct buf *out);

static bool plain_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || strchr("/._-+@=*()", c);
}

/* Words that YAML 1.1 and 1.2 readers turn into something else. */
static bool reserved(const char *s)
{
	static const char *const words[] = { "true", "false", "yes", "no", "on", "off", "null", "y", "n", "~", ".inf", ".nan", "-", "=" };
	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (strcasecmp(s, words[i]) == 0)
			return true;
	return false;
}

/* Plain: a letter or a slash first (so never a number or a date), then quiet characters; a blank or a
 * colon only between two of them, and a colon never before a blank. */
static bool is_plain(const char *s, size_t len)
{
	bool first = len && ((s[0] >= 'a' && s[0] <= 'z') || (s[0] >= 'A' && s[0] <= 'Z') || s[0] == '/');
	if (!first || strlen(s) != len || reserved(s))
		return false;
	for (size_t i = 1; i < len; i++) {
		bool quiet = s[i] && plain_char(s[i]);
		bool inner = (s[i] == ' ' && s[i - 1] != ' ' && s[i - 1] != ':') || (s[i] == ':' && s[i + 1] && s[i + 1] != ' ');
		if (!quiet && !(inner && i + 1 < len))
			return false;
	}
	return true;
}

/* A literal block keeps a text of whole lines as it is; anything strange goes into quotes instead. */
static bool is_block(const char *s, size_t len)
{
	if (len < 2 || s[len - 1] != '\n' || s[len - 2] == '\n' || s[0] == ' ' || s[0] == '\n')
		return false;
	for (size_t i = 0; i < len; i++)
		if ((s[i] < 0x20 && s[i] != '\n') || s[i] == 0x7f)
			return false;
	return true;
}

static void write_text(const char *s, size_t len, int depth, struct buf *out)
{
	if (is_plain(s, len)) {
		buf_add(out, s, len);
		return;
	}
	if (!is_block(s, len)) {
		struct json_writer w = json_writer_make(out); /* a JSON string is a YAML one */
		jw_text_n(&w, s, len);
		return;
	}
	buf_add_byte(out, '|');
	for (const char *line = s; line < s + len;) {
		const char *end = memchr(line, '\n', (size_t)(s + len - line));
		if (end == line)
			buf_add_byte(out, '\n');
		else
			buf_printf(out, "\n%*s%.*s", 2 * depth, "", (int)(end - line), line);
		line = end + 1;
	}
}

static void write_list(const struct json *j, int depth, struct buf *out)
{
	for (size_t i = 0; i < j->list.count; i++) {
		buf_printf(out, "\n%*s- ", 2 * depth, "");
		write_value(&j->list.items[i], depth + 1, true, out);
	}
}

static void write_map(const struct json *j, int depth, bool in_list, struct buf *out)
{
	for (size_t i = 0; i < j->map.count; i++) {
		const struct json *v = &j->map.values[i];
		if (i || !in_list) /* behind "- " the first member stands on the same line */
			buf_printf(out, "\n%*s", 2 * depth, "");
		write_text(j->map.keys[i], strlen(j->map.keys[i]), depth + 1, out);
		bool below = (v->type == JSON_ARRAY && v->list.count) || (v->type == JSON_OBJECT && v->map.count);
		buf_add_text(out, below ? ":" : ": ");
		write_value(v, depth + 1, false, out);
	}
}

static void write_value(const struct json *j, int depth, bool in_list, struct buf *out)
{
	switch (j->type) {
	case JSON_NULL: buf_add_text(out, "null"); break;
	case JSON_BOOL: buf_add_text(out, j->b ? "true" : "false"); break;
	case JSON_INT: buf_printf(out, "%lld", (long long)j->i); break;
	case JSON_DOUBLE: buf_printf(out, "%.17g", j->d); break;
	case JSON_STRING: write_text(j->str.s, j->str.len, depth, out); break;
	case JSON_ARRAY:
		if (j->list.count)
			write_list(j, depth, out);
		else
			buf_add_text(out, "[]");
		break;
	case JSON_OBJECT:
		if (j->map.count)
			write_map(j, depth, in_list, out);
		else
			buf_add_text(out, "{}");
		break;
	}
}

/* -- as Go programs print it ------------------------------------------------------------------------------
 * go-yaml (v3, 4 blanks): a list begins at the next column of four behind its key's, its members' members two further. */
static int go_deeper(int indent)
{
	return 4 * ((indent + 4) / 4);
}

/* Ids and times are what they look like there: neither is quoted. */
static void go_text(const char *s, size_t len, struct buf *out)
{
	msec_t at;
	if (strlen(s) == len && (is_plain(s, len) || uuid_valid(s) || rc_ok(time_parse(s, &at, NULL)))) {
		buf_add(out, s, len);
		return;
	}
	struct json_writer w = json_writer_make(out);
	jw_text_n(&w, s, len);
}

static void go_scalar(const struct json *j, struct buf *out)
{
	if (j->type == JSON_STRING)
		go_text(j->str.s, j->str.len, out);
	else
		write_value(j, 0, false, out);
	buf_add_byte(out, '\n');
}

static bool is_nested(const struct json *j)
{
	return (j->type == JSON_ARRAY && j->list.count) || (j->type == JSON_OBJECT && j->map.count);
}

static void go_write(const struct json *j, int indent, bool begun, struct buf *out)
{
	for (size_t i = 0; j->type == JSON_ARRAY && i < j->list.count; i++) {
		const struct json *v = &j->list.items[i];
		buf_printf(out, "%*s- ", indent, "");
		if (is_nested(v))
			go_write(v, indent + 2, true, out);
		else
			go_scalar(v, out);
	}
	for (size_t i = 0; j->type == JSON_OBJECT && i < j->map.count; i++) {
		const struct json *v = &j->map.values[i];
		buf_printf(out, "%*s", begun && !i ? 0 : indent, "");
		go_text(j->map.keys[i], strlen(j->map.keys[i]), out);
		buf_add_text(out, is_nested(v) ? ":\n" : ": ");
		if (is_nested(v))
			go_write(v, go_deeper(indent), false, out);
		else
			go_scalar(v, out);
	}
}

void cli_yaml_write_go(const struct json *j, struct buf *out)
{
	go_write(j, 0, false, out);
}

void cli_yaml_write(const struct json *j, struct buf *out)
{
	bool below = (j->type == JSON_ARRAY && j->list.count) || (j->type == JSON_OBJECT && j->map.count);
	buf_add_text(out, below ? "---" : "--- ");
	write_value(j, 0, false, out);
	buf_add_byte(out, '\n');
}
