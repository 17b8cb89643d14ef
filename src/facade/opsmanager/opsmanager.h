/* The API of Ops Manager, as `om` and people's scripts speak it: /api/v0 and /api/v1.
 *
 * docs/decisions/0073 says what its words are here, docs/api/opsmanager.md what is imitated, and what is not. */
#ifndef TROTH_FACADE_OPSMANAGER_H
#define TROTH_FACADE_OPSMANAGER_H

#include "edge/route.h"

#define OPSMANAGER_API "opsmanager" /* whose credentials are good for it */
extern const struct route_table OPSMANAGER_AUTHORITY_ROUTES, OPSMANAGER_DEPLOYED_ROUTES, OPSMANAGER_DOMAIN_ROUTES,
	OPSMANAGER_INSTALLATION_ROUTES, OPSMANAGER_SETTINGS_ROUTES, OPSMANAGER_OTHER_ROUTES;

#endif
