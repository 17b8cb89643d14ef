/* JSON for -o json: the server's value, two blanks a level, members in the server's order. */
#include "app/cli_internal.h"

static void indent(struct buf *out, int depth)
{
	buf_printf(out, "\n%*s", 2 * depth, "");
}

static void write_text(const char *s, size_t len, struct buf *out)
{
	struct json_writer w = json_writer_make(out);
	jw_text_n(&w, s, len);
}

static void write_value(const struct json *j, int depth, struct buf *out)
{
	switch (j->type) {
	case JSON_NULL: buf_add_text(out, "null"); break;
	case JSON_BOOL: buf_add_text(out, j->b ? "true" : "false"); break;
	case JSON_INT: buf_printf(out, "%lld", (long long)j->i); break;
	case JSON_DOUBLE: buf_printf(out, "%.17g", j->d); break;
	case JSON_STRING: write_text(j->str.s, j->str.len, out); break;
	case JSON_ARRAY:
		buf_add_byte(out, '[');
		for (size_t i = 0; i < j->list.count; i++) {
			buf_add_text(out, i ? "," : "");
			indent(out, depth + 1);
			write_value(&j->list.items[i], depth + 1, out);
		}
		if (j->list.count)
			indent(out, depth);
		buf_add_byte(out, ']');
		break;
	case JSON_OBJECT:
		buf_add_byte(out, '{');
		for (size_t i = 0; i < j->map.count; i++) {
			buf_add_text(out, i ? "," : "");
			indent(out, depth + 1);
			write_text(j->map.keys[i], strlen(j->map.keys[i]), out);
			buf_add_text(out, ": ");
			write_value(&j->map.values[i], depth + 1, out);
		}
		if (j->map.count)
			indent(out, depth);
		buf_add_byte(out, '}');
		break;
	}
}

void cli_json_write(const struct json *j, struct buf *out)
{
	write_value(j, 0, out);
	buf_add_byte(out, '\n');
}
