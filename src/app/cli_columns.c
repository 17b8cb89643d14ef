/* How answers look as tables: the columns of a list, the sections of one thing shown.  Which command shows which: cli_commands.c. */
#include "app/cli_columns.h"

#define END { 0 }

const struct cli_column CLI_COLUMNS_VERSIONS[] = {
	{ "ID", "id", CELL_SHORT }, { "SIGNS", "signing", CELL_FLAG }, { "WANTED", "wanted", CELL_FLAG },
	{ "FROM", "not_before", CELL_TIME }, { "UNTIL", "not_after", CELL_TIME }, { "FINGERPRINT", "fingerprint", CELL_SHORT }, END
};
const struct cli_section CLI_AUTHORITY_SECTIONS[] = { { "versions, newest first", "versions", CLI_COLUMNS_VERSIONS }, END };

const struct cli_column CLI_COLUMNS_AUTHORITIES[] = {
	{ "NAME", "name", CELL_TEXT }, { "KEY", "key_type", CELL_TEXT }, { "ISSUER", "issuer", CELL_TEXT },
	{ "VERSIONS", "versions", CELL_COUNT }, { "SIGNS UNTIL", "versions?signing.not_after", CELL_DATE },
	{ "NEXT RENEWAL", "next_renewal", CELL_DATE }, END
};
const struct cli_column CLI_COLUMNS_CREDENTIALS[] = {
	{ "NAME", "name", CELL_TEXT }, { "AUTHORITY", "authority", CELL_TEXT }, { "ROLE", "role", CELL_TEXT },
	{ "KEY", "key_type", CELL_TEXT }, { "LIFE", "ttl", CELL_TEXT }, END
};
const struct cli_column CLI_COLUMNS_LEAF_VERSIONS[] = {
	{ "ID", "id", CELL_SHORT }, { "SIGNED BY", "signed_by", CELL_SHORT }, { "SOURCE", "source", CELL_TEXT },
	{ "UNTIL", "not_after", CELL_TIME }, { "FINGERPRINT", "fingerprint", CELL_SHORT }, END
};
const struct cli_section CLI_CREDENTIAL_SECTIONS[] = { { "versions, newest first", "versions", CLI_COLUMNS_LEAF_VERSIONS }, END };

const struct cli_column CLI_COLUMNS_BUNDLES[] = {
	{ "NAME", "name", CELL_TEXT }, { "MEMBERS", "members", CELL_COUNT }, { "REV", "rev", CELL_TEXT },
	{ "CREATED", "created", CELL_TIME }, END
};
const struct cli_column CLI_COLUMNS_MEMBERS[] = {
	{ "ID", "id", CELL_TEXT }, { "AUTHORITY OR ALIAS", "authority|alias", CELL_TEXT }, { "SUBJECT", "subject", CELL_PROSE },
	{ "UNTIL", "not_after", CELL_TIME }, { "FINGERPRINT", "fingerprint", CELL_SHORT }, END
};
const struct cli_section CLI_BUNDLE_SECTIONS[] = { { "members", "members", CLI_COLUMNS_MEMBERS }, END };

const struct cli_column CLI_COLUMNS_BINDINGS[] = {
	{ "NAME", "name", CELL_TEXT }, { "BUNDLE", "bundle", CELL_TEXT }, { "STATE", "state", CELL_TEXT }, { "ACK", "ack", CELL_TEXT },
	{ "OFFERED", "offered.generation", CELL_TEXT }, { "RUNS", "runs.generation", CELL_TEXT }, { "DEADLINE", "deadline", CELL_DAY },
	{ "OVERDUE", "overdue", CELL_FLAG }, END
};
const struct cli_column CLI_COLUMNS_DEPLOYMENTS[] = {
	{ "NAME", "name", CELL_TEXT }, { "TEMPLATES", "templates", CELL_COUNT }, { "INSTANCES", "instances", CELL_TEXT },
	{ "CREATED", "created", CELL_TIME }, END
};
const struct cli_column CLI_COLUMNS_TEMPLATES[] = {
	{ "KIND", "kind", CELL_TEXT }, { "NAME", "name", CELL_TEXT }, { "PROFILE", "profile", CELL_TEXT },
	{ "CREDENTIAL OR BUNDLE", "credential|bundle", CELL_TEXT }, { "AUTHORITY", "authority", CELL_TEXT }, END
};
const struct cli_section CLI_DEPLOYMENT_SECTIONS[] = { { "each instance carries", "templates", CLI_COLUMNS_TEMPLATES }, END };

const struct cli_column CLI_COLUMNS_TARGETS[] = {
	{ "INSTANCE", "instance.name|instance", CELL_TEXT }, { "TARGET", "name", CELL_TEXT }, { "STATE", "state", CELL_TEXT },
	{ "WANTED", "wanted.generation", CELL_TEXT }, { "LOADED", "loaded.generation", CELL_TEXT }, { "LEVEL", "level", CELL_TEXT },
	{ "SEEN", "seen_at", CELL_DAY }, { "REMARK", "last_error|drift.lines", CELL_PROSE }, END
};
const struct cli_column CLI_COLUMNS_DOCUMENTS[] = {
	{ "GENERATION", "generation", CELL_TEXT }, { "HANDED", "handed", CELL_DAY }, { "FINGERPRINTS", "fingerprints", CELL_LIST }, END
};
const struct cli_section CLI_TARGET_SECTIONS[] = { { "sent and not settled yet", "documents", CLI_COLUMNS_DOCUMENTS }, END };

const struct cli_column CLI_COLUMNS_INSTANCES[] = {
	{ "NAME", "name", CELL_TEXT }, { "DEPLOYMENT", "deployment", CELL_TEXT }, { "BY", "party", CELL_TEXT }, { "STATE", "state", CELL_TEXT },
	{ "LAST SEEN", "last_seen", CELL_DAY }, { "AGENT", "agent_version", CELL_TEXT }, { "ALARM", "alarm", CELL_PROSE }, END
};
const struct cli_column CLI_COLUMNS_INSTANCE_TARGETS[] = { /* generations: cli_instance.c */
	{ "TARGET", "name", CELL_TEXT }, { "KIND", "kind", CELL_TEXT }, { "STATE", "state", CELL_TEXT }, { "WANTED", "wanted", CELL_TEXT },
	{ "ON DISK", "on_disk", CELL_TEXT }, { "LOADED", "loaded", CELL_TEXT }, { "PRESENTED", "presented", CELL_TEXT },
	{ "REMARK", "remark", CELL_PROSE }, END
};
const struct cli_section CLI_INSTANCE_SECTIONS[] = { { "targets, by generation", "targets", CLI_COLUMNS_INSTANCE_TARGETS }, END };

const struct cli_column CLI_COLUMNS_EXPIRING[] = {
	{ "NAME", "name", CELL_TEXT }, { "KIND", "kind", CELL_TEXT }, { "ENDS", "ends", CELL_TIME }, { "LEFT", "left", CELL_TEXT },
	{ "ENDS WITH", "ends_with", CELL_TEXT }, { "FINGERPRINT", "fingerprint", CELL_SHORT }, END
};
const struct cli_column CLI_COLUMNS_FOUND[] = {
	{ "KIND", "kind", CELL_TEXT }, { "NAME", "name", CELL_TEXT }, { "IN", "found_in", CELL_TEXT }, { "VALUE", "value", CELL_PROSE },
	{ "UNTIL", "not_after", CELL_DATE }, END
};
const struct cli_column CLI_COLUMNS_CONTEXTS[] = {
	{ "", "current", CELL_TEXT }, { "NAME", "name", CELL_TEXT }, { "SERVER", "server", CELL_TEXT }, { "AS", "as", CELL_PROSE }, END
};
const struct cli_column CLI_COLUMNS_PROFILES[] = {
	{ "NAME", "name", CELL_TEXT }, { "KINDS", "kinds", CELL_TEXT }, { "RELOAD", "reload", CELL_TEXT }, { "PROOF", "proof", CELL_TEXT }, END
};
const struct cli_column CLI_COLUMNS_PROFILE_PARAMETERS[] = {
	{ "NAME", "name", CELL_TEXT }, { "DEFAULT", "default", CELL_TEXT }, { "PATTERN", "pattern", CELL_TEXT }, { "SERVER", "server", CELL_TEXT },
	END
};
const struct cli_column CLI_COLUMNS_PROFILE_FILES_SHOWN[] = {
	{ "NAME", "name", CELL_TEXT }, { "CONTENT", "content", CELL_TEXT }, { "MODE", "mode", CELL_TEXT }, { "OWNER", "owner", CELL_TEXT },
	{ "GROUP", "group", CELL_TEXT }, END
};
const struct cli_section CLI_PROFILE_SECTIONS[] = { { "files", "files", CLI_COLUMNS_PROFILE_FILES_SHOWN },
						       { "parameters", "parameters", CLI_COLUMNS_PROFILE_PARAMETERS }, END };

const struct cli_column CLI_COLUMNS_LINKS[] = {
	{ "SLOT OF", "slot.deployment", CELL_TEXT }, { "SLOT", "slot.template", CELL_TEXT }, { "STORE OF", "store.deployment", CELL_TEXT },
	{ "STORE", "store.template", CELL_TEXT }, { "BY", "source", CELL_TEXT }, { "SINCE", "since", CELL_DAY }, END
};
const struct cli_column CLI_COLUMNS_TOKENS[] = {
	{ "ID", "id", CELL_ID }, { "JOINS", "deployment", CELL_TEXT }, { "AS", "instance", CELL_TEXT },
	{ "STATE", "state", CELL_TEXT }, { "EXPIRES", "expires", CELL_DAY }, END
};
const struct cli_column CLI_COLUMNS_RECOVERIES[] = {
	{ "INSTANCE", "instance", CELL_TEXT }, { "STATE", "state", CELL_TEXT }, { "SINCE", "since", CELL_DAY },
	{ "FROM", "address", CELL_TEXT }, { "KEY", "key", CELL_SHORT },
	{ "EXPIRED", "identity_ended", CELL_DATE }, END
};
const struct cli_column CLI_COLUMNS_PERMISSIONS[] = {
	{ "PATH", "path", CELL_TEXT }, { "OPERATIONS", "operations", CELL_LIST }, END
};
const struct cli_section CLI_PRINCIPAL_SECTIONS[] = { { "permissions", "permissions", CLI_COLUMNS_PERMISSIONS }, END };

const struct cli_column CLI_COLUMNS_PRINCIPALS[] = {
	{ "NAME", "name", CELL_TEXT }, { "ROLE", "role", CELL_TEXT }, { "SCOPE", "scope", CELL_TEXT },
	{ "FOR", "facade", CELL_TEXT }, { "STATE", "state", CELL_TEXT }, { "EXPIRES", "expires", CELL_DATE },
	{ "LAST USED", "last_used", CELL_DATE }, END
};
const struct cli_column CLI_COLUMNS_WEBHOOKS[] = {
	{ "NAME", "name", CELL_TEXT }, { "STATE", "state", CELL_TEXT }, { "WAITING", "waiting", CELL_TEXT }, { "DELIVERED", "last_delivered", CELL_DAY },
	{ "NEXT TRY", "next_try", CELL_DAY }, { "WHY", "error", CELL_PROSE }, END
};
const struct cli_column CLI_COLUMNS_ROTATIONS[] = {
	{ "NAME", "name", CELL_TEXT }, { "STATE", "state", CELL_TEXT }, { "STAGE", "progress.stage", CELL_TEXT },
	{ "STARTED", "started", CELL_DAY }, { "FINISHED", "finished", CELL_DAY }, { "WAITS FOR", "waits_for", CELL_PROSE }, END
};
const struct cli_column CLI_COLUMNS_AUDIT[] = {
	{ "SEQ", "seq", CELL_TEXT }, { "AT", "at", CELL_TIME }, { "WHO", "who", CELL_TEXT }, { "ACTION", "action", CELL_TEXT },
	{ "OBJECT", "object", CELL_TEXT }, END
};
