/* CredHub's API for certificates: /info, /version, /health, /api/v1/..., for those who move from it.
 *
 * What is there and what is not: docs/api/credhub.md.  Words in, words out; what they mean is docs/decisions/0070. */
#ifndef TROTH_FACADE_CREDHUB_H
#define TROTH_FACADE_CREDHUB_H

#include "edge/route.h"

extern const struct route_table CREDHUB_SERVER_ROUTES;      /* info, version, health, key usage, and what is not there */
extern const struct route_table CREDHUB_DATA_ROUTES;        /* /api/v1/data, regenerate */
extern const struct route_table CREDHUB_SET_ROUTES;         /* /api/v1/data: what was made elsewhere */
extern const struct route_table CREDHUB_PERMISSION_ROUTES;  /* /api/v2/permissions */
extern const struct route_table CREDHUB_CERTIFICATE_ROUTES; /* /api/v1/certificates */

#endif
