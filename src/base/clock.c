/* RFC 3339 times and short durations, both directions. */
#include "base/clock.h"

#include <ctype.h>
#include <string.h>
#include <time.h>

char *time_format(msec_t t, char buf[RFC3339_LEN])
{
	msec_t s = t / MSEC_S, ms = t % MSEC_S;
	if (ms < 0) {
		ms += MSEC_S;
		s--;
	}
	time_t tt = (time_t)s;
	struct tm tm;
	if (!gmtime_r(&tt, &tm) || tm.tm_year < -1900 || tm.tm_year > 8099) {
		snprintf(buf, RFC3339_LEN, "invalid-time");
		return buf;
	}
	size_t n = strftime(buf, RFC3339_LEN, "%Y-%m-%dT%H:%M:%S", &tm);
	if (ms)
		snprintf(buf + n, RFC3339_LEN - n, ".%03dZ", (int)ms);
	else
		snprintf(buf + n, RFC3339_LEN - n, "Z");
	return buf;
}

/* Reads exactly `digits` digits; -1 if there are fewer. */
static int read_digits(const char **p, int digits)
{
	int v = 0;
	for (int i = 0; i < digits; i++, (*p)++) {
		if (!isdigit((unsigned char)**p))
			return -1;
		v = v * 10 + (**p - '0');
	}
	return v;
}

static bool skip(const char **p, char c)
{
	if (**p != c)
		return false;
	(*p)++;
	return true;
}

/* Days since 1970-01-01 of a proleptic Gregorian date. */
static int64_t days_of(int y, int m, int d)
{
	y -= m <= 2;
	int64_t era = y / 400, yoe = y - era * 400;
	int64_t doy = (153 * (m + (m > 2 ? -3 : 9)) + 2) / 5 + d - 1;
	return era * 146097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719468;
}

static bool parse_fraction(const char **p, int *ret_ms)
{
	*ret_ms = 0;
	if (**p != '.')
		return true;
	(*p)++;
	int scale = 100;
	if (!isdigit((unsigned char)**p))
		return false;
	for (; isdigit((unsigned char)**p); (*p)++, scale /= 10)
		*ret_ms += (**p - '0') * scale;
	return true;
}

static bool parse_offset(const char **p, int *ret_minutes)
{
	*ret_minutes = 0;
	if (**p == 'Z' || **p == 'z') {
		(*p)++;
		return true;
	}
	int sign = **p == '-' ? -1 : **p == '+' ? 1 : 0;
	if (!sign)
		return false;
	(*p)++;
	int h = read_digits(p, 2);
	if (h < 0 || h > 23 || !skip(p, ':'))
		return false;
	int m = read_digits(p, 2);
	if (m < 0 || m > 59)
		return false;
	*ret_minutes = sign * (h * 60 + m);
	return true;
}

static bool parse_rfc3339(const char *p, msec_t *ret_t)
{
	static const int month_days[] = { 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	int y = read_digits(&p, 4), mo, d, h, mi, s, ms, off;
	if (y < 1970 || !skip(&p, '-') || (mo = read_digits(&p, 2)) < 1 || mo > 12 || !skip(&p, '-'))
		return false;
	if ((d = read_digits(&p, 2)) < 1 || d > month_days[mo - 1])
		return false;
	if (mo == 2 && d == 29 && !((y % 4 == 0 && y % 100 != 0) || y % 400 == 0))
		return false;
	if (*p != 'T' && *p != 't' && *p != ' ')
		return false;
	p++;
	if ((h = read_digits(&p, 2)) < 0 || h > 23 || !skip(&p, ':'))
		return false;
	if ((mi = read_digits(&p, 2)) < 0 || mi > 59 || !skip(&p, ':'))
		return false;
	if ((s = read_digits(&p, 2)) < 0 || s > 60)
		return false;
	if (!parse_fraction(&p, &ms) || !parse_offset(&p, &off) || *p)
		return false;
	*ret_t = ((days_of(y, mo, d) * 24 + h) * 60 + mi - off) * MSEC_MIN + s * MSEC_S + ms;
	return true;
}

troth_rc time_parse(const char *text, msec_t *ret_t, struct troth_err *e)
{
	msec_t t;
	ENSURE(parse_rfc3339(text, &t), e, TROTH_INVALID, "\"%.40s\" is not an RFC 3339 time", text);
	*ret_t = t;
	return RC_OK;
}

static const struct { const char *suffix; msec_t len; } UNITS[] = {
	{ "d", MSEC_DAY }, { "h", MSEC_HOUR }, { "m", MSEC_MIN }, { "s", MSEC_S }, { "ms", 1 },
};

static msec_t unit_of(const char *p, size_t len)
{
	for (size_t i = 0; i < ARRAY_LEN(UNITS); i++)
		if (strlen(UNITS[i].suffix) == len && strncmp(UNITS[i].suffix, p, len) == 0)
			return UNITS[i].len;
	return 0;
}

static bool parse_duration(const char *p, msec_t *ret_len)
{
	msec_t sum = 0;
	while (*p) {
		msec_t n = 0;
		if (!isdigit((unsigned char)*p))
			return false;
		for (; isdigit((unsigned char)*p); p++)
			if (__builtin_mul_overflow(n, 10, &n) || __builtin_add_overflow(n, *p - '0', &n))
				return false;
		size_t len = strspn(p, "dhms");
		msec_t unit = unit_of(p, len);
		if (!unit || __builtin_mul_overflow(n, unit, &n) || __builtin_add_overflow(sum, n, &sum))
			return false;
		p += len;
	}
	*ret_len = sum;
	return sum > 0;
}

troth_rc duration_parse(const char *text, msec_t *ret_len, struct troth_err *e)
{
	msec_t len;
	if (!parse_duration(text, &len)) {
		troth_rc rc = err_set(e, TROTH_INVALID, "\"%.40s\" is not a duration", text);
		err_hint(e, "write a number and a unit: 90d, 12h, 30m, 45s");
		return rc;
	}
	*ret_len = len;
	return RC_OK;
}

char *duration_format(msec_t len, char buf[RFC3339_LEN])
{
	size_t n = 0;
	buf[0] = 0;
	if (len <= 0)
		snprintf(buf, RFC3339_LEN, "0s");
	for (size_t i = 0; i < ARRAY_LEN(UNITS) && len > 0; i++) {
		if (len < UNITS[i].len)
			continue;
		n += (size_t)snprintf(buf + n, RFC3339_LEN - n, "%lld%s",
				      (long long)(len / UNITS[i].len), UNITS[i].suffix);
		len %= UNITS[i].len;
	}
	return buf;
}
