/* Findings about input, one call each: what is wrong with this field, said with its JSON path.
 *
 * Each adds at most one finding to e (or none) and returns whether the field is good.  A NULL text is
 * "is missing" where the name does not say `optional`. */
#ifndef TROTH_SERVICE_CHECK_H
#define TROTH_SERVICE_CHECK_H

#include "base/json.h"
#include "base/clock.h"

struct checker {
	struct arena *a;
	struct troth_err *e;
};

/* The finding itself: rule is a word ("name"), hint may be NULL. */
void check_fail(const struct checker *c, const char *path, const char *rule, const char *text, const char *hint);
bool check_present(const struct checker *c, const char *path, const char *text);
/* A path for a new thing: /troth/ is refused unless `reserved_ok`. */
bool check_new_name(const struct checker *c, const char *path, const char *name, bool reserved_ok);
bool check_name(const struct checker *c, const char *path, const char *name);         /* of an existing thing */
bool check_label(const struct checker *c, const char *path, const char *label);
bool check_key_type(const struct checker *c, const char *path, const char *key_type); /* optional */
bool check_role(const struct checker *c, const char *path, const char *role);         /* optional: server client both */
struct cert_place;
bool check_subject_place(const struct checker *c, const struct cert_place *place);    /* optional each: $.country, $.state, $.locality */
bool check_common_name(const struct checker *c, const char *path, const char *name);  /* optional */
/* 1..LIMIT_SAN_COUNT; `patterns` allows {instance}.  One finding per entry, path + "[i]". */
bool check_sans(const struct checker *c, const char *path, struct json_texts sans, bool patterns);
/* 0 is absent; else between 10 seconds (less than a rotation takes) and 50 years. */
bool check_ttl(const struct checker *c, const char *path, msec_t ttl);
/* RC_OK if e has no finding. */
troth_rc check_done(const struct troth_err *e);

#endif
