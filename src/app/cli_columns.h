/* What the commands show: each list ends with a row of nothing. */
#ifndef TROTH_APP_CLI_COLUMNS_H
#define TROTH_APP_CLI_COLUMNS_H

#include "app/cli_internal.h"

extern const struct cli_column CLI_COLUMNS_VERSIONS[];
extern const struct cli_section CLI_AUTHORITY_SECTIONS[];
extern const struct cli_column CLI_COLUMNS_AUTHORITIES[];
extern const struct cli_column CLI_COLUMNS_CREDENTIALS[];
extern const struct cli_column CLI_COLUMNS_LEAF_VERSIONS[];
extern const struct cli_section CLI_CREDENTIAL_SECTIONS[];
extern const struct cli_column CLI_COLUMNS_BUNDLES[];
extern const struct cli_column CLI_COLUMNS_MEMBERS[];
extern const struct cli_section CLI_BUNDLE_SECTIONS[];
extern const struct cli_column CLI_COLUMNS_BINDINGS[];
extern const struct cli_column CLI_COLUMNS_DEPLOYMENTS[];
extern const struct cli_column CLI_COLUMNS_TEMPLATES[];
extern const struct cli_section CLI_DEPLOYMENT_SECTIONS[];
extern const struct cli_column CLI_COLUMNS_TARGETS[];
extern const struct cli_column CLI_COLUMNS_DOCUMENTS[];
extern const struct cli_section CLI_TARGET_SECTIONS[];
extern const struct cli_column CLI_COLUMNS_INSTANCES[];
extern const struct cli_column CLI_COLUMNS_INSTANCE_TARGETS[];
extern const struct cli_section CLI_INSTANCE_SECTIONS[];
extern const struct cli_column CLI_COLUMNS_EXPIRING[];
extern const struct cli_column CLI_COLUMNS_FOUND[];
extern const struct cli_column CLI_COLUMNS_CONTEXTS[];
extern const struct cli_column CLI_COLUMNS_PROFILES[];
extern const struct cli_column CLI_COLUMNS_PROFILE_PARAMETERS[];
extern const struct cli_column CLI_COLUMNS_PROFILE_FILES_SHOWN[];
extern const struct cli_section CLI_PROFILE_SECTIONS[];
extern const struct cli_column CLI_COLUMNS_LINKS[];
extern const struct cli_column CLI_COLUMNS_TOKENS[];
extern const struct cli_column CLI_COLUMNS_RECOVERIES[];
extern const struct cli_section CLI_PRINCIPAL_SECTIONS[];
extern const struct cli_column CLI_COLUMNS_PRINCIPALS[];
extern const struct cli_column CLI_COLUMNS_WEBHOOKS[];
extern const struct cli_column CLI_COLUMNS_ROTATIONS[];
extern const struct cli_column CLI_COLUMNS_AUDIT[];

#endif
