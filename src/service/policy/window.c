/* Maintenance windows.  See window.h.  A pure function of a text, a zone's rules and a time. */
#include "service/policy/window.h"

#include "base/log.h"
#include "port/port.h"

#define ZONES "/usr/share/zoneinfo"

enum { DAY_MINUTES = 24 * 60, WINDOW_WORDS = 7 };

/* -- reading ------------------------------------------------------------------------------------------ */
static const struct field { const char *name; int low, high; } FIELDS[] = {
	{ "minute", 0, 59 }, { "hour", 0, 23 }, { "day of the month", 1, 31 }, { "month", 1, 12 }, { "day of the week", 0, 7 },
};

static const char *number(const char *at, int *ret)
{
	int n = 0, digits = 0;
	for (; *at >= '0' && *at <= '9' && digits < 4; at++, digits++)
		n = n * 10 + (*at - '0');
	*ret = digits ? n : -1;
	return at;
}

/* "a", "a-b", "*", each perhaps with "/step"; ends at a comma or the end.  NULL: it is none of these. */
static const char *part(const struct field *f, const char *at, uint64_t *bits)
{
	int low = f->low, high = f->high, step = 1;
	bool all = *at == '*';
	at = all ? at + 1 : number(at, &low);
	if (!all) {
		high = low;
		if (*at == '-')
			at = number(at + 1, &high);
	}
	if (*at == '/') {
		at = number(at + 1, &step);
		if (!all && high == low)
			high = f->high; /* "5/15": from five on */
	}
	if (low < f->low || high > f->high || low > high || step < 1)
		return NULL;
	for (int i = low; i <= high; i += step)
		*bits |= UINT64_C(1) << i;
	return *at == 0 || *at == ',' ? at : NULL;
}

static bool field_read(const struct field *f, const char *text, uint64_t *ret_bits)
{
	*ret_bits = 0;
	for (const char *at = text;; at++) {
		at = part(f, at, ret_bits);
		if (!at)
			return false;
		if (*at == 0)
			return true;
	}
}

static troth_rc refused(struct troth_err *e)
{
	err_hint(e, "write it like \"0 2 * * 6 4h Europe/Zurich\": minute hour day month weekday LENGTH ZONE");
	return (troth_rc){ TROTH_INVALID };
}

/* The words between blanks, in place; how many there are, at most one more than fits. */
static size_t split(char *at, const char **words)
{
	size_t n = 0;
	while (*at == ' ')
		at++;
	while (*at && n <= WINDOW_WORDS) {
		words[n++] = at;
		at += strcspn(at, " ");
		while (*at == ' ')
			*at++ = 0;
	}
	return n;
}

static troth_rc fields_read(const char *const *words, struct window *ret, struct troth_err *e)
{
	uint64_t *bits[] = { &ret->minutes, &ret->hours, &ret->days, &ret->months, &ret->weekdays };
	for (size_t i = 0; i < ARRAY_LEN(FIELDS); i++) {
		if (field_read(&FIELDS[i], words[i], bits[i]))
			continue;
		(void)err_set(e, TROTH_INVALID, "\"%.40s\" is no %s (%d to %d)", words[i], FIELDS[i].name, FIELDS[i].low, FIELDS[i].high);
		return refused(e);
	}
	ret->weekdays |= ret->weekdays >> 7 & 1; /* 7 is Sunday too */
	ret->any_day = words[2][0] == '*';
	ret->any_weekday = words[4][0] == '*';
	return RC_OK;
}

static troth_rc length_read(const char *word, msec_t *ret, struct troth_err *e)
{
	if (rc_failed(duration_parse(word, ret, NULL)) || *ret < MSEC_MIN || *ret > LIMIT_WINDOW_S * MSEC_S) {
		(void)err_set(e, TROTH_INVALID, "\"%.40s\" is no length of a window (1m to 7d)", word);
		return refused(e);
	}
	return RC_OK;
}

troth_rc window_parse(const char *text, struct window *ret, struct troth_err *e)
{
	char buf[LIMIT_WINDOW_BYTES + 1];
	const char *words[WINDOW_WORDS + 1];
	*ret = (struct window){ 0 };
	if (!text_copy(buf, sizeof buf, text) || split(buf, words) != WINDOW_WORDS) {
		(void)err_set(e, TROTH_INVALID, "\"%.60s\" does not have seven words", text);
		return refused(e);
	}
	TRY(fields_read(words, ret, e));
	TRY(length_read(words[5], &ret->length, e));
	if (!zone_name_valid(words[6])) {
		(void)err_set(e, TROTH_INVALID, "\"%.70s\" is no name of a time zone", words[6]);
		return refused(e);
	}
	(void)text_copy(ret->zone, sizeof ret->zone, words[6]); /* zone_name_valid: it fits */
	return RC_OK;
}

/* -- asking ---------------------------------------------------------------------------------------------- */

static bool has(uint64_t bits, int i) { return bits >> i & 1; }

static bool day_matches(const struct window *w, int64_t days)
{
	int64_t year;
	int month, day;
	date_of_days(days, &year, &month, &day);
	bool by_day = has(w->days, day), by_weekday = has(w->weekdays, weekday_of_days(days));
	if (!has(w->months, month))
		return false;
	return w->any_day || w->any_weekday ? by_day && by_weekday : by_day || by_weekday;
}

/* The starts of one local day, in order; returns how many. */
static size_t starts_of(const struct window *w, const struct zone *zone, int64_t days, msec_t *ret)
{
	size_t n = 0;
	for (int hour = 0; hour < 24; hour++)
		for (int minute = 0; has(w->hours, hour) && minute < 60; minute++)
			if (has(w->minutes, minute))
				ret[n++] = zone_moment(zone, days, hour * 60 + minute);
	return n;
}

static int64_t local_day(const struct zone *zone, msec_t at)
{
	msec_t local = at + zone_offset(zone, at) * MSEC_S;
	return local / MSEC_DAY - (local % MSEC_DAY < 0);
}

/* What one look along the days has found. */
struct found { msec_t closes, opens; };

/* Starts in order of days: one that has begun and not ended keeps it open to its end, one in that time longer. */
static void note_start(const struct window *w, msec_t start, msec_t now, struct found *f)
{
	msec_t end = start + w->length;
	if (start <= now ? end > now : f->closes && start <= f->closes)
		f->closes = end > f->closes ? end : f->closes;
	else if (start > now && (!f->opens || start < f->opens))
		f->opens = start;
}

void window_state(const struct window *w, const struct zone *zone, msec_t now, bool *ret_open, msec_t *ret_until)
{
	msec_t starts[DAY_MINUTES];
	struct found f = { 0 };
	int64_t today = local_day(zone, now), first = today - w->length / MSEC_DAY - 2;
	for (int64_t day = first; day < today + LIMIT_WINDOW_YEARS * INT64_C(366); day++) {
		size_t n = day_matches(w, day) ? starts_of(w, zone, day, starts) : 0;
		for (size_t i = 0; i < n; i++)
			note_start(w, starts[i], now, &f);
		msec_t reached = day * MSEC_DAY - 2 * MSEC_DAY; /* no start of a later day is before this */
		if (f.closes ? f.closes < reached || reached > now + MSEC_DAY * 14 : f.opens && f.opens < reached)
			break;
	}
	*ret_open = f.closes != 0;
	*ret_until = f.closes ? f.closes : f.opens;
}

/* -- of a policy ------------------------------------------------------------------------------------------- */

troth_rc window_zone(const struct verb_ctx *ctx, const char *name, const struct zone **ret, struct troth_err *e)
{
	struct bytes file;
	*ret = NULL;
	if (text_equal(name, "UTC"))
		return RC_OK;
	const char *path = arena_printf(ctx->a, "%s/%s", ZONES, name);
	if (rc_ok(file_read(ctx->a, path, LIMIT_ZONE_BYTES, &file, NULL)) && rc_ok(zone_parse(ctx->a, file, ret, NULL)))
		return RC_OK;
	troth_rc rc = err_set(e, TROTH_NOT_FOUND, "the server knows no time zone %s", name);
	err_hint(e, "a name like Europe/Zurich or UTC; the server reads its rules from %s (package tzdata)", ZONES);
	return rc;
}

const char *windows_write(struct arena *a, struct json_texts texts)
{
	CLEANUP(buf_release) struct buf out = buf_make(2 * LIMIT_WINDOWS * LIMIT_WINDOW_BYTES);
	struct json_writer w = json_writer_make(&out);
	if (texts.count == 0)
		return NULL;
	jw_array(&w);
	for (size_t i = 0; i < texts.count; i++)
		jw_text(&w, texts.items[i]);
	jw_array_end(&w);
	CHECK(buf_ok(&out)); /* bounded by the check of the verb */
	return arena_text(a, buf_text(&out));
}

troth_rc windows_read(struct arena *a, const char *json, struct json_texts *ret, struct troth_err *e)
{
	const struct json *j;
	*ret = (struct json_texts){ 0 };
	if (!json)
		return RC_OK;
	TRY(json_parse(a, bytes_of_text(json), &j, e));
	ret->items = ARENA_ARRAY(a, const char *, j->list.count + 1);
	for (size_t i = 0; i < j->list.count; i++)
		ret->items[ret->count++] = j->list.items[i].str.s;
	return RC_OK;
}

static void judge_one(const struct verb_ctx *ctx, const char *text, struct rolling_row *row)
{
	struct troth_err why = { 0 };
	struct window w;
	const struct zone *zone;
	bool open;
	msec_t until;
	if (rc_failed(window_parse(text, &w, &why)) || rc_failed(window_zone(ctx, w.zone, &zone, &why))) {
		log_err(LOG_LEVEL_WARN, "window.unreadable", &why);
		return;
	}
	window_state(&w, zone, ctx->now, &open, &until);
	if (open && (!row->window_open || until > row->window_until))
		row->window_until = until;
	else if (!open && !row->window_open && until && (!row->window_until || until < row->window_until))
		row->window_until = until;
	row->window_open = row->window_open || open;
}

troth_rc windows_judge(const struct verb_ctx *ctx, struct rolling_row *row, struct troth_err *e)
{
	struct json_texts texts;
	TRY(windows_read(ctx->a, row->windows, &texts, e));
	row->window_open = false;
	row->window_until = 0;
	row->window_at = ctx->now;
	for (size_t i = 0; i < texts.count; i++)
		judge_one(ctx, texts.items[i], row);
	if (!row->window_until) /* none could be read */
		row->window_until = ctx->now + LIMIT_WINDOW_LOOK_S * MSEC_S;
	return RC_OK;
}
