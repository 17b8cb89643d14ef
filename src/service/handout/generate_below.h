/* All leaves below an authority, once more: new keys, new certificates, in one transaction or not at all.
 *
 * Those of the CAs below it too.  The CAs themselves are not made anew: their newest version is always below the newest of
 * the one above (hierarchy.h).  Leaves that slots serve are asked for new keys, as in generate.h. */
#ifndef TROTH_SERVICE_GENERATE_BELOW_H
#define TROTH_SERVICE_GENERATE_BELOW_H

#include "base/json.h"
#include "service/verb.h"

struct generate_below_cmd { const char *authority; };
struct generate_below_ret { struct json_texts names; }; /* sorted, whatever their case */
/* NOT_FOUND with CLAUSE_NO_ISSUER; FORBIDDEN if one of them is outside the scope; CONFLICT with CLAUSE_STATIC if one was
 * brought from elsewhere; TOO_LARGE above LIMIT_BELOW leaves, or if
 * they are too large for a request's memory. */
extern const struct verb VERB_CREDENTIAL_GENERATE_BELOW;

#endif
