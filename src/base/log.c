/* The log sink: builds the whole line, then one write, so lines of threads do not mix. */
#include "base/log.h"

#include <stdatomic.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/json.h"

enum { LINE_MAX_BYTES = 8 << 10 };

static struct {
	int fd;
	_Atomic enum log_level least;
	_Atomic enum log_format format;
	char process[16];
} sink = { .fd = 2, .least = LOG_LEVEL_INFO, .format = LOG_FORMAT_LOGFMT, .process = "troth" };

static const char *const LEVELS[] = { "debug", "info", "warn", "error" };

void log_setup(int fd, enum log_level least, enum log_format format, const char *process)
{
	sink.fd = fd;
	sink.least = least;
	sink.format = format;
	snprintf(sink.process, sizeof sink.process, "%s", process);
}

void log_change(enum log_level least, enum log_format format)
{
	sink.least = least;
	sink.format = format;
}

static void put_json(struct buf *b, const char *when, enum log_level level, const char *event,
		     const struct log_pair *pairs, size_t n)
{
	struct json_writer w = json_writer_make(b);
	jw_object(&w);
	jw_kv_text(&w, "time", when);
	jw_kv_text(&w, "level", LEVELS[level]);
	jw_kv_text(&w, "process", sink.process);
	jw_kv_text(&w, "event", event);
	for (size_t i = 0; i < n; i++) {
		if (pairs[i].text)
			jw_kv_text(&w, pairs[i].key, pairs[i].text);
		else
			jw_kv_int(&w, pairs[i].key, pairs[i].number);
	}
	jw_object_end(&w);
}

/* A value is quoted unless it is plain, so that a line can be split at spaces. */
static void put_value(struct buf *b, const char *s)
{
	bool plain = *s != 0;
	for (const char *p = s; *p && plain; p++)
		plain = *p > ' ' && *p != '"' && *p != '=' && *p != '\\' && *p != 0x7f && !(*p & 0x80);
	if (plain) {
		buf_add_text(b, s);
	} else {
		struct json_writer w = json_writer_make(b);
		jw_text(&w, s);
	}
}

static void put_logfmt(struct buf *b, const char *when, enum log_level level, const char *event,
		       const struct log_pair *pairs, size_t n)
{
	buf_printf(b, "time=%s level=%s process=%s event=%s", when, LEVELS[level], sink.process, event);
	for (size_t i = 0; i < n; i++) {
		buf_printf(b, " %s=", pairs[i].key);
		if (pairs[i].text)
			put_value(b, pairs[i].text);
		else
			buf_printf(b, "%lld", (long long)pairs[i].number);
	}
}

void log_event(enum log_level level, const char *event, const struct log_pair *pairs, size_t count)
{
	if (level < sink.least)
		return;
	struct timeval tv;
	gettimeofday(&tv, NULL);
	char when[RFC3339_LEN];
	time_format((msec_t)tv.tv_sec * MSEC_S + tv.tv_usec / 1000, when);
	CLEANUP(buf_release) struct buf b = buf_make(LINE_MAX_BYTES);
	if (sink.format == LOG_FORMAT_JSON)
		put_json(&b, when, level, event, pairs, count);
	else
		put_logfmt(&b, when, level, event, pairs, count);
	if (!buf_ok(&b)) {
		buf_clear(&b);
		buf_printf(&b, "time=%s level=%s process=%s event=%s note=line-too-long", when, LEVELS[level],
			   sink.process, event);
	}
	buf_add_byte(&b, '\n');
	ssize_t ignored = write(sink.fd, b.data, b.len);
	(void)ignored; /* nowhere to say it */
}

void log_err(enum log_level level, const char *event, const struct troth_err *e)
{
	LOG(level, event, LOG_S("kind", err_kind_name(e->kind)), LOG_S("error", e->primary),
	    LOG_S("detail", e->detail), LOG_S("hint", e->hint), LOG_S("object", e->object));
}
