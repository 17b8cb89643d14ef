/* The note beside the database: DIR/epoch, two lines.
 *
 *     epoch 1
 *     audit 1234        the newest audit row that was durable when this was written
 *
 * Written after commits (at most every NOTE_MS), at start and at the end, so it is never ahead of the database, unless
 * somebody puts a backup in the database's place.  Then the next start finds that out, and begins a new epoch
 * (service/fleet/epoch.h).  What the note misses (a backup some seconds old, a whole directory restored) the agents show: they
 * have generations that the database does not know. */
#ifndef TROTH_APP_NOTE_H
#define TROTH_APP_NOTE_H

#include "service/service.h"

enum { NOTE_MS = 10 * 1000 };

struct note {
	const char *path;
	int64_t epoch, audit_seq;  /* as last written */
	msec_t written;            /* monotonic */
};

/* Compares the note with the database, begins a new epoch if the database is older, and writes the note.  Before
 * anybody is answered.  CORRUPT for a file that is no note. */
troth_rc note_begin(struct note *n, struct service *svc, const struct server_port *port, bool *ret_raised, struct troth_err *e);
/* After a commit, with a snapshot of it; `at_once`: whatever the time. */
troth_rc note_keep(struct note *n, struct tx *snapshot, msec_t mono, bool at_once, struct troth_err *e);

#endif
