/* Time zones.  See zone.h; the format is RFC 8536, the footer a POSIX TZ text with its extensions. */
#include "model/zone.h"

#include "base/limits.h"
#include "base/text.h"

enum { TYPES_MAX = 256, HEADER_LEN = 44, HOUR_S = 3600, DAY_S = 86400, RULE_HOURS_MAX = 167 };

struct rule_day { /* when one of the two times begins, each year */
	enum { DAY_NONE, DAY_MONTH_WEEK, DAY_JULIAN, DAY_ZERO } kind;
	int month, week, day;
	int32_t time; /* seconds of that day, local */
};

struct rule {
	bool exists, has_dst;
	int32_t standard, dst; /* seconds east */
	struct rule_day start, end;
};

struct zone {
	int64_t *at;       /* seconds; ascending */
	int32_t *offset;   /* from at[i] on */
	size_t count;
	int32_t first;     /* before all of them */
	struct rule rule;  /* behind all of them */
};

/* -- the calendar (days from civil, by eras of 400 years) --------------------------------------------- */

int64_t days_of_date(int64_t year, int month, int day)
{
	int64_t y = month <= 2 ? year - 1 : year, era = (y >= 0 ? y : y - 399) / 400;
	int64_t of_era = y - era * 400, of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;

	return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

void date_of_days(int64_t days, int64_t *ret_year, int *ret_month, int *ret_day)
{
	int64_t z = days + 719468, era = (z >= 0 ? z : z - 146096) / 146097, of_era = z - era * 146097;
	int64_t year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
	int64_t of_year = of_era - (365 * year + year / 4 - year / 100), shifted = (5 * of_year + 2) / 153;

	*ret_day = (int)(of_year - (153 * shifted + 2) / 5 + 1);
	*ret_month = (int)(shifted < 10 ? shifted + 3 : shifted - 9);
	*ret_year = year + era * 400 + (*ret_month <= 2);
}

int weekday_of_days(int64_t days)
{
	return (int)(((days + 4) % 7 + 7) % 7); /* 1970-01-01 was a Thursday */
}

static int64_t floor_div(int64_t x, int64_t by)
{
	return x / by - (x % by < 0);
}

/* -- names ----------------------------------------------------------------------------------------------- */

static bool name_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '+' || c == '-' || c == '_';
}

bool zone_name_valid(const char *name)
{
	size_t n = strlen(name);

	if (n == 0 || n > ZONE_NAME_MAX || name[0] == '/' || name[n - 1] == '/')
		return false;
	for (size_t i = 0; i < n; i++) {
		if (!name_char(name[i]) && (name[i] != '/' || name[i - 1] == '/'))
			return false;
	}
	return true;
}

/* -- the footer's rule ------------------------------------------------------------------------------------- */

/* A cursor over the text; `bad` once something was not as it must be. */
struct text { const char *at, *end; bool bad; };

static char peek(const struct text *t)
{
	return !t->bad && t->at < t->end ? *t->at : 0;
}

static bool take(struct text *t, char c)
{
	if (peek(t) != c)
		return false;
	t->at++;
	return true;
}

static int take_number(struct text *t, int max)
{
	int n = 0;

	if (peek(t) < '0' || peek(t) > '9')
		t->bad = true;
	while (peek(t) >= '0' && peek(t) <= '9') {
		n = n * 10 + (*t->at++ - '0');
		if (n > max)
			t->bad = true;
	}
	return n;
}

static bool name_ends(char c, bool quoted)
{
	bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');

	return c == 0 || (quoted ? c == '>' : !letter);
}

static void skip_name(struct text *t)
{
	const char *from;
	bool quoted = take(t, '<');

	from = t->at;
	while (!name_ends(peek(t), quoted))
		t->at++;
	if (t->at - from < 3 || (quoted && !take(t, '>')))
		t->bad = true;
}

/* [+-]hh[:mm[:ss]] in seconds. */
static int32_t take_time(struct text *t, int max_hours)
{
	bool minus = take(t, '-');
	int32_t s;

	if (!minus)
		(void)take(t, '+'); /* it may be there */
	s = take_number(t, max_hours) * HOUR_S;
	if (take(t, ':'))
		s += take_number(t, 59) * 60;
	if (take(t, ':'))
		s += take_number(t, 59);
	return minus ? -s : s;
}

static struct rule_day take_day(struct text *t)
{
	struct rule_day d = { .kind = DAY_ZERO, .time = 2 * HOUR_S };

	if (take(t, 'M')) {
		d.kind = DAY_MONTH_WEEK;
		d.month = take_number(t, 12);
		t->bad = t->bad || !take(t, '.');
		d.week = take_number(t, 5);
		t->bad = t->bad || !take(t, '.');
		d.day = take_number(t, 6);
		t->bad = t->bad || d.month < 1 || d.week < 1;
	} else {
		d.kind = take(t, 'J') ? DAY_JULIAN : DAY_ZERO;
		d.day = take_number(t, 365);
		t->bad = t->bad || (d.kind == DAY_JULIAN && d.day < 1);
	}
	if (take(t, '/'))
		d.time = take_time(t, RULE_HOURS_MAX);
	return d;
}

static bool rule_parse(struct text t, struct rule *ret)
{
	*ret = (struct rule){ .exists = true };
	skip_name(&t);
	ret->standard = -take_time(&t, 24);
	if (t.at == t.end)
		return !t.bad;
	ret->has_dst = true;
	skip_name(&t);
	ret->dst = peek(&t) == ',' ? ret->standard + HOUR_S : -take_time(&t, 24);
	t.bad = t.bad || !take(&t, ',');
	ret->start = take_day(&t);
	t.bad = t.bad || !take(&t, ',');
	ret->end = take_day(&t);
	return !t.bad && t.at == t.end;
}

static bool is_leap(int64_t year)
{
	return days_of_date(year, 3, 1) - days_of_date(year, 2, 1) == 29;
}

/* The day in this year, since 1970. */
static int64_t rule_day_in(const struct rule_day *d, int64_t year)
{
	int64_t first = days_of_date(year, d->kind == DAY_MONTH_WEEK ? d->month : 1, 1), day;
	int month;

	if (d->kind == DAY_ZERO)
		return first + d->day;
	if (d->kind == DAY_JULIAN) /* counts no leap day */
		return first + d->day - 1 + (is_leap(year) && d->day >= 60);
	day = first + (d->day - weekday_of_days(first) + 7) % 7 + (int64_t)(d->week - 1) * 7;
	date_of_days(day, &year, &month, &(int){ 0 });
	return month == d->month ? day : day - 7; /* the fifth means the last */
}

static int32_t rule_offset(const struct rule *r, int64_t at)
{
	int64_t year, start, end;

	if (!r->has_dst)
		return r->standard;
	date_of_days(floor_div(at + r->standard, DAY_S), &year, &(int){ 0 }, &(int){ 0 });
	start = rule_day_in(&r->start, year) * DAY_S + r->start.time - r->standard;
	end = rule_day_in(&r->end, year) * DAY_S + r->end.time - r->dst;
	if (start < end)
		return start <= at && at < end ? r->dst : r->standard;
	return end <= at && at < start ? r->standard : r->dst;
}

/* -- the file ---------------------------------------------------------------------------------------------- */

struct header { size_t isut, isstd, leap, time, type, chars; };

static uint32_t read_u32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static int64_t read_time(const uint8_t *p, size_t size)
{
	uint64_t high = read_u32(p);

	if (size == 4)
		return (int32_t)(uint32_t)high;
	return (int64_t)(high << 32 | read_u32(p + 4));
}

static bool read_header(struct bytes in, size_t at, struct header *ret)
{
	const uint8_t *p;

	if (in.len < at + HEADER_LEN)
		return false;
	p = in.data + at;
	if (memcmp(p, "TZif", 4) != 0)
		return false;
	*ret = (struct header){ read_u32(p + 20), read_u32(p + 24), read_u32(p + 28), read_u32(p + 32), read_u32(p + 36),
				read_u32(p + 40) };
	return ret->isut <= TYPES_MAX && ret->isstd <= TYPES_MAX && ret->leap <= LIMIT_ZONE_BYTES &&
	       ret->time <= LIMIT_ZONE_BYTES && ret->type >= 1 && ret->type <= TYPES_MAX && ret->chars <= LIMIT_ZONE_BYTES;
}

static size_t body_length(const struct header *h, size_t time_size)
{
	return h->time * (time_size + 1) + h->type * 6 + h->chars + h->leap * (time_size + 4) + h->isstd + h->isut;
}

/* The offsets that the file names; false: one no clock has. */
static bool read_offset(const uint8_t *types, size_t index, size_t count, int32_t *ret)
{
	if (index >= count)
		return false;
	*ret = (int32_t)read_u32(types + index * 6);
	return *ret > -26 * HOUR_S && *ret < 26 * HOUR_S;
}

static bool read_transitions(struct arena *a, const uint8_t *p, const struct header *h, size_t time_size, struct zone *z)
{
	const uint8_t *indexes = p + h->time * time_size, *types = indexes + h->time;

	z->at = ARENA_ARRAY(a, int64_t, h->time + 1);
	z->offset = ARENA_ARRAY(a, int32_t, h->time + 1);
	z->count = h->time;
	if (!read_offset(types, 0, h->type, &z->first))
		return false;
	for (size_t i = 0; i < h->time; i++) {
		z->at[i] = read_time(p + i * time_size, time_size);
		if (!read_offset(types, indexes[i], h->type, &z->offset[i]) || (i > 0 && z->at[i] <= z->at[i - 1]))
			return false;
	}
	return true;
}

static bool read_footer(struct bytes in, size_t at, struct rule *ret)
{
	const char *p = (const char *)in.data + at, *end = (const char *)in.data + in.len, *line;

	if (at + 2 > in.len || *p != '\n')
		return false;
	line = memchr(p + 1, '\n', (size_t)(end - p - 1));
	if (!line)
		return false;
	*ret = (struct rule){ 0 };
	return line == p + 1 || rule_parse((struct text){ p + 1, line, false }, ret); /* empty: no rule */
}

static bool zone_read(struct arena *a, struct bytes in, struct zone *z)
{
	struct header h;
	size_t at = HEADER_LEN, size = 4;

	if (in.len > LIMIT_ZONE_BYTES || !read_header(in, 0, &h))
		return false;
	if (in.data[4] >= '2') { /* everything comes again, with 64 bits */
		size_t second = HEADER_LEN + body_length(&h, 4);

		if (!read_header(in, second, &h))
			return false;
		at = second + HEADER_LEN;
		size = 8;
	}
	if (in.len < at + body_length(&h, size) || !read_transitions(a, in.data + at, &h, size, z))
		return false;
	return size == 4 || read_footer(in, at + body_length(&h, size), &z->rule);
}

troth_rc zone_parse(struct arena *a, struct bytes tzif, const struct zone **ret, struct troth_err *e)
{
	struct zone *z = ARENA_NEW(a, struct zone);

	ENSURE(zone_read(a, tzif, z), e, TROTH_INVALID, "this is no time zone file (TZif)");
	*ret = z;
	return RC_OK;
}

/* -- asking -------------------------------------------------------------------------------------------------- */

static int32_t offset_at(const struct zone *z, int64_t at)
{
	size_t low = 0, high = z ? z->count : 0;

	if (!z)
		return 0;
	if (z->rule.exists && (z->count == 0 || at >= z->at[z->count - 1]))
		return rule_offset(&z->rule, at);
	while (low < high) { /* how many transitions have been */
		size_t middle = low + (high - low) / 2;

		if (z->at[middle] <= at)
			low = middle + 1;
		else
			high = middle;
	}
	return low ? z->offset[low - 1] : z->first;
}

int32_t zone_offset(const struct zone *z, msec_t at)
{
	return offset_at(z, floor_div(at, MSEC_S));
}

/* Clocks jump over `local` between these two moments: when? */
static int64_t jump_between(const struct zone *z, int64_t low, int64_t high, int64_t local)
{
	while (low + 1 < high) {
		int64_t middle = low + (high - low) / 2;

		if (middle + offset_at(z, middle) < local)
			low = middle;
		else
			high = middle;
	}
	return high;
}

msec_t zone_moment(const struct zone *z, int64_t days, int minutes)
{
	int64_t local = days * DAY_S + (int64_t)minutes * 60;
	int32_t before = offset_at(z, local - 26 * HOUR_S), after = offset_at(z, local + 26 * HOUR_S);
	int64_t early = local - (before > after ? before : after), late = local - (before > after ? after : before);

	if (early + offset_at(z, early) == local)
		return early * MSEC_S;
	if (late + offset_at(z, late) == local)
		return late * MSEC_S;
	return jump_between(z, early - 1, late + 1, local) * MSEC_S;
}
