/* The log: one line an event, logfmt (key=value) or JSON, to standard error.
 *
 * Floors 0 to 4 return facts and do not log; service and app log once.  An event has a stable
 * dotted name ("rotation.started") and pairs; a value that is secret has no type that fits here.
 * The sink is process-wide and set once at start; log_event is safe from any thread. */
#ifndef TROTH_BASE_LOG_H
#define TROTH_BASE_LOG_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

enum log_level { LOG_LEVEL_DEBUG, LOG_LEVEL_INFO, LOG_LEVEL_WARN, LOG_LEVEL_ERROR };
enum log_format { LOG_FORMAT_LOGFMT, LOG_FORMAT_JSON };

static inline const char *log_text_or_dash(const char *s) { return s ? s : "-"; }

struct log_pair { const char *key, *text; int64_t number; }; /* text NULL: the number counts */

#define LOG_S(key, s) { (key), log_text_or_dash(s), 0 }
#define LOG_I(key, n) { (key), NULL, (int64_t)(n) }

/* `fd` stays the caller's.  `process` ("server", "keeper") is printed in each line. */
void log_setup(int fd, enum log_level least, enum log_format format, const char *process);
/* Another level and format from now on, while other threads log. */
void log_change(enum log_level least, enum log_format format);
/* LOG(LOG_LEVEL_INFO, "rotation.started", LOG_S("name", name), LOG_I("targets", n)) */
void log_event(enum log_level level, const char *event, const struct log_pair *pairs, size_t count);
#define LOG(level, event, ...)                                                                     \
	log_event((level), (event), (const struct log_pair[]){ __VA_ARGS__ },                      \
		  sizeof((const struct log_pair[]){ __VA_ARGS__ }) / sizeof(struct log_pair))
/* An error record as one event. */
void log_err(enum log_level level, const char *event, const struct troth_err *e);

#endif
