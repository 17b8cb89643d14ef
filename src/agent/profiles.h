/* The profiles and settings installed on this node, read once at start. */
#ifndef TROTH_AGENT_PROFILES_H
#define TROTH_AGENT_PROFILES_H

#include "agent/profile.h"

struct profiles {
	const struct profile **items;
	size_t count;
	struct settings settings;
	bool network; /* some reload command needs it */
};

/* Every *.yaml of `dir`; settings_file may be NULL.  INVALID: which file, which line or path, why; two
 * profiles of one name.  All lives in the arena. */
troth_rc profiles_load(struct arena *a, const char *dir, const char *settings_file, struct profiles *ret,
		       struct troth_err *e);

#endif
