/* Deleting a credential or an authority that nothing here needs any more.
 *
 * Its name is free again, its versions stay on record, and nothing of it is renewed.  What somebody outside the fleet was
 * handed of it counts until it ends or somebody vouches that it is gone (holder.h): deleting says nothing about that. */
#ifndef TROTH_SERVICE_DELETE_H
#define TROTH_SERVICE_DELETE_H

#include "service/verb.h"

struct delete_cmd { const char *name; };
/* CONFLICT with who needs it: slots that serve it; of an authority also what it signs, bundles, a rotation that runs. */
extern const struct verb VERB_CREDENTIAL_DELETE; /* delete_cmd -> no_ret */

#endif
