/* The list of all APIs.  A facade is one row in each of the two tables. */
#include "facade/facade.h"

#include "facade/credhub/credhub.h"
#include "facade/native/native.h"
#include "facade/opsmanager/opsmanager.h"
#include "facade/uaa/uaa.h"

const struct facade FACADES_SERVED[] = {
	{ "credhub", "credhub_cli" },
	{ "opsmanager", "opsman" },
	{ NULL, NULL },
};

static const struct route_table *const COMPATIBLE[] = {
	&CREDHUB_SERVER_ROUTES, &CREDHUB_DATA_ROUTES, &CREDHUB_SET_ROUTES, &CREDHUB_PERMISSION_ROUTES, &CREDHUB_CERTIFICATE_ROUTES,
	&OPSMANAGER_AUTHORITY_ROUTES, &OPSMANAGER_DEPLOYED_ROUTES, &OPSMANAGER_DOMAIN_ROUTES, &OPSMANAGER_INSTALLATION_ROUTES,
	&OPSMANAGER_SETTINGS_ROUTES, &OPSMANAGER_OTHER_ROUTES,
	&UAA_ROUTES,
};

_Static_assert((int)NATIVE_TABLE_COUNT + (int)ARRAY_LEN(COMPATIBLE) <= (int)FACADE_TABLES_MAX, "room for every table");

size_t facade_tables(struct route_table out[FACADE_TABLES_MAX])
{
	size_t n = 0;
	for (size_t i = 0; i < NATIVE_TABLE_COUNT; i++)
		out[n++] = *NATIVE_TABLES[i];
	for (size_t i = 0; i < ARRAY_LEN(COMPATIBLE); i++)
		out[n++] = *COMPATIBLE[i];
	return n;
}
