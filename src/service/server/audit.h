/* Inside the room: where init leaves the audit key. */
#ifndef TROTH_SERVICE_AUDIT_H
#define TROTH_SERVICE_AUDIT_H

#include "service/nouns.h"

#define META_AUDIT_BLOB "audit.blob" /* the key, wrapped by the keeper */
#define META_AUDIT_SPKI "audit.spki" /* its public half: what heads are checked with */

#endif
