/* Tables: rows of JSON objects, columns picked by path, never wider than the terminal. */
#include "app/cli_internal.h"

enum {
	GAP = 2,
	COLUMNS_MAX = 12,
	CELL_MIN = 6,    /* a column is not made narrower than this */
	NAME_MIN = 12,   /* a name, as long as something else can give */
	PROSE_MIN = 16,  /* a sentence, as long as a name can give */
	SHORT_CHARS = 12, /* of a fingerprint or an id: enough to tell two apart */
};

/* -- picking -------------------------------------------------------------------------------------- */
static const struct json *flagged(const struct json *list, const char *flag)
{
	if (!list || list->type != JSON_ARRAY)
		return NULL;
	for (size_t i = 0; i < list->list.count; i++)
		if (json_get_bool(&list->list.items[i], flag, false))
			return &list->list.items[i];
	return NULL;
}

/* One way: names between dots, each perhaps with ?flag. */
static const struct json *pick_one(const struct json *j, const char *path, size_t len)
{
	while (j && len) {
		char name[64], *flag;
		size_t n = 0;
		while (n < len && path[n] != '.')
			n++;
		snprintf(name, sizeof name, "%.*s", (int)n, path);
		path += n + (n < len);
		len -= n + (n < len);
		flag = strchr(name, '?');
		if (flag)
			*flag++ = 0;
		j = json_get(j, name);
		if (flag)
			j = flagged(j, flag);
	}
	return j;
}

const struct json *cli_pick(const struct json *j, const char *path)
{
	const struct json *found = NULL;
	while (*path) {
		size_t n = strcspn(path, "|");
		found = pick_one(j, path, n);
		if (found && found->type != JSON_NULL)
			return found;
		path += n + (path[n] == '|');
	}
	return found;
}

/* -- cells ---------------------------------------------------------------------------------------- */
static const char *list_text(struct arena *a, const struct json *j)
{
	const char *text = "";
	for (size_t i = 0; i < j->list.count; i++)
		text = arena_printf(a, "%s%s%s", text, i ? ", " : "", cli_cell_text(a, &j->list.items[i], CELL_TEXT));
	return text[0] ? text : "-";
}

/* "2026-11-22T06:55:01Z" to "2026-11-22 06:55"; UTC as everything here. */
static const char *time_text(struct arena *a, const char *s)
{
	return strlen(s) >= 16 && s[10] == 'T' ? arena_printf(a, "%.10s %.5s", s, s + 11) : s;
}

/* "2026-11-22" */
static const char *date_text(struct arena *a, const char *s)
{
	return strlen(s) >= 16 && s[10] == 'T' ? arena_printf(a, "%.10s", s) : s;
}

/* "11-22 06:55" */
static const char *day_text(struct arena *a, const char *s)
{
	return strlen(s) >= 16 && s[10] == 'T' ? arena_printf(a, "%.5s %.5s", s + 5, s + 11) : s;
}

/* Line ends and other control characters would break the row; a command's output ends with some. */
static const char *one_line(struct arena *a, const char *s)
{
	size_t n = strlen(s);
	while (n > 1 && (unsigned char)s[n - 1] <= ' ')
		n--;
	char *copy = arena_text_n(a, s, n);
	for (char *p = copy; *p; p++)
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			*p = ' ';
	return copy;
}

static const char *string_text(struct arena *a, const char *s, enum cli_cell cell)
{
	if (!s[0])
		return "-";
	if (cell == CELL_TIME)
		return time_text(a, s);
	if (cell == CELL_DATE)
		return date_text(a, s);
	if (cell == CELL_DAY)
		return day_text(a, s);
	return cell == CELL_SHORT ? arena_printf(a, "%.*s", SHORT_CHARS, s) : one_line(a, s);
}

const char *cli_cell_text(struct arena *a, const struct json *j, enum cli_cell cell)
{
	if (!j)
		return "-";
	switch (j->type) {
	case JSON_NULL: return "-";
	case JSON_BOOL: return j->b ? "yes" : cell == CELL_FLAG ? "-" : "no";
	case JSON_INT: return arena_printf(a, "%lld", (long long)j->i);
	case JSON_DOUBLE: return arena_printf(a, "%g", j->d);
	case JSON_STRING: return string_text(a, j->str.s, cell);
	case JSON_ARRAY: return cell == CELL_COUNT ? arena_printf(a, "%zu", j->list.count) : list_text(a, j);
	case JSON_OBJECT: return cell == CELL_COUNT ? arena_printf(a, "%zu", j->map.count) : "...";
	}
	return "-";
}

int cli_text_width(const char *s)
{
	int n = 0;
	for (; *s; s++)
		n += (*s & 0xc0) != 0x80;
	return n;
}

/* -- widths --------------------------------------------------------------------------------------- */
struct table {
	const struct cli_column *columns;
	const char **cells; /* row by row */
	size_t column_count, row_count;
	int widths[COLUMNS_MAX];
};

static int total_width(const struct table *t)
{
	int total = GAP * ((int)t->column_count - 1);
	for (size_t i = 0; i < t->column_count; i++)
		total += t->widths[i];
	return total;
}

/* Who gives first: a sentence, then names (not below what their title takes), then names again, and times,
 * counts and short ids, which say nothing when cut, only when nothing else can. */
enum give { GIVE_PROSE, GIVE_NAMES, GIVE_ANY };

static bool can_give(const struct table *t, size_t i, enum give give)
{
	enum cli_cell cell = t->columns[i].cell;
	int title = cli_text_width(t->columns[i].title), least = title > PROSE_MIN ? title : PROSE_MIN;
	if (give == GIVE_PROSE)
		return cell == CELL_PROSE && t->widths[i] > least;
	if (give == GIVE_NAMES)
		return (cell == CELL_TEXT || cell == CELL_LIST) && t->widths[i] > (title > NAME_MIN ? title : NAME_MIN);
	return cell != CELL_ID && t->widths[i] > CELL_MIN;
}

/* The widest column that can give; column_count: none. */
static size_t widest(const struct table *t, enum give give)
{
	size_t best = t->column_count;
	for (size_t i = 0; i < t->column_count; i++)
		if (can_give(t, i, give) && (best == t->column_count || t->widths[i] > t->widths[best]))
			best = i;
	return best;
}

static void fit(struct table *t, int width)
{
	enum give give = GIVE_PROSE;
	while (total_width(t) > width) {
		size_t i = widest(t, give);
		if (i < t->column_count)
			t->widths[i]--;
		else if (give == GIVE_ANY)
			return;
		else
			give++;
	}
}

static void measure(struct table *t)
{
	for (size_t i = 0; i < t->column_count; i++) {
		t->widths[i] = cli_text_width(t->columns[i].title);
		for (size_t r = 0; r < t->row_count; r++) {
			int n = cli_text_width(t->cells[r * t->column_count + i]);
			t->widths[i] = n > t->widths[i] ? n : t->widths[i];
		}
	}
}

/* -- writing -------------------------------------------------------------------------------------- */
/* At most `width` characters; a name that is cut shows its end too, where names differ: "/prod/…/server". */
static void write_cell(const char *s, int width, bool prose, bool last, struct buf *out)
{
	int n = cli_text_width(s);
	if (n <= width) {
		buf_printf(out, "%s%*s", s, last ? 0 : width - n, "");
		return;
	}
	int head = prose ? width - 1 : width / 2, tail = width - 1 - head, at = 0;
	for (; *s; s++) {
		bool begins = (*s & 0xc0) != 0x80;
		at += begins;
		if (at <= head || at > n - tail)
			buf_add_byte(out, (uint8_t)*s);
		else if (begins && at == head + 1)
			buf_add_text(out, "\xe2\x80\xa6");
	}
}

static void write_row(const struct table *t, const char *const *cells, int indent, struct buf *out)
{
	buf_printf(out, "%*s", indent, "");
	for (size_t i = 0; i < t->column_count; i++) {
		bool last = i + 1 == t->column_count;
		write_cell(cells[i], t->widths[i], t->columns[i].cell == CELL_PROSE, last, out);
		if (!last)
			buf_printf(out, "%*s", GAP, "");
	}
}

void cli_table_write(struct arena *a, const struct json *items, const struct cli_column *columns, int width, int indent,
		     const char *bold, const char *plain, struct buf *out)
{
	struct table t = { .columns = columns, .row_count = items->list.count };
	const char *titles[COLUMNS_MAX];
	for (; columns[t.column_count].title; t.column_count++) {
		CHECK(t.column_count < COLUMNS_MAX);
		titles[t.column_count] = columns[t.column_count].title;
	}
	t.cells = ARENA_ARRAY(a, const char *, t.row_count * t.column_count + 1);
	for (size_t r = 0; r < t.row_count; r++)
		for (size_t i = 0; i < t.column_count; i++)
			t.cells[r * t.column_count + i] =
				cli_cell_text(a, cli_pick(&items->list.items[r], columns[i].path), columns[i].cell);
	measure(&t);
	fit(&t, width - indent);
	buf_add_text(out, bold);
	write_row(&t, titles, indent, out);
	buf_printf(out, "%s\n", plain);
	for (size_t r = 0; r < t.row_count; r++) {
		write_row(&t, &t.cells[r * t.column_count], indent, out);
		buf_add_byte(out, '\n');
	}
}
