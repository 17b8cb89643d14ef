/* The table of commands: it is parsed by, helped from and dispatched with.  A new command is a row here
 * and, if it is not like the others, a run function. */
#include "app/cli_columns.h"
#include "app/cli_internal.h"

#define END { 0 }

const struct cli_option CLI_GLOBALS[] = {
	{ "--dir", "D", NULL, CLI_OWN, false, "the server's directory, which says where and who (TROTH_DIR)" },
	{ "--server", "URL", NULL, CLI_OWN, false, "https://host:port (TROTH_SERVER)" },
	{ "--ca-file", "PEM", NULL, CLI_OWN, false, "CAs to verify the server with (TROTH_CA_FILE)" },
	{ "--token-file", "FILE", NULL, CLI_OWN, false, "holds the bearer token (TROTH_TOKEN_FILE)" },
	{ "--context", "NAME", NULL, CLI_OWN, false, "one of several servers: troth context list (TROTH_CONTEXT)" },
	{ "--cert", "PEM", NULL, CLI_OWN, false, "client certificate instead of a token; with --key" },
	{ "--key", "PEM", NULL, CLI_OWN, false, "its private key" },
	{ "--output", "FORM", NULL, CLI_OWN, false, "or -o: table, json or yaml" },
	{ "--json", NULL, NULL, CLI_OWN, false, "the same as -o json" },
	{ "--no-colour", NULL, NULL, CLI_OWN, false, "no colours on a terminal either (NO_COLOR)" },
	{ "--help", NULL, NULL, CLI_OWN, false, "or -h: help on the command, with an example" },
	{ "--version", NULL, NULL, CLI_OWN, false, "the version of this program" },
	END
};

/* -- options ------------------------------------------------------------------------------------------------ */
/* When it is renewed by itself: on create and on set. */
#define RENEWAL_OPTIONS                                                                             \
	{ "--renew-at", "PERCENT", "renew_at", CLI_TEXT, false, "of its life it is renewed: 66%" },               \
	{ "--renew-before", "LIFE", "renew_before", CLI_TEXT, false, "so long before its end: 30d" },             \
	{ "--renew", "WHEN", "renew", CLI_TEXT, false, "auto (default: at two thirds of its life) or never" }
#define LEAF_RENEWAL_OPTIONS                                                                        \
	{ "--leaf-renew-at", "PERCENT", "leaf_renew_at", CLI_TEXT, false, "the same for the leaves it signs" },   \
	{ "--leaf-renew-before", "LIFE", "leaf_renew_before", CLI_TEXT, false, "the same for the leaves it signs" }, \
	{ "--leaf-renew", "WHEN", "leaf_renew", CLI_TEXT, false, "the same for the leaves it signs" }
#define DEADLINE_OPTION                                                                             \
	{ "--on-deadline", "WORD", "on_deadline", CLI_TEXT, false,                                    \
	  "shed (default): rather than let a slot break, leave out stores that are late; or hold" }
static const struct cli_option AUTHORITY_CREATE[] = {
	{ "--key-type", "TYPE", "key_type", CLI_TEXT, false, "ec-p256 (default), ec-p384, ed25519, rsa-2048, rsa-3072, rsa-4096" },
	{ "--common-name", "TEXT", "common_name", CLI_TEXT, false, "of the subject; default: the name" },
	{ "--organization", "TEXT", "organization", CLI_TEXT, false, "of the subject" },
	{ "--organizational-unit", "TEXT", "organizational_unit", CLI_TEXT, false, "of the subject" },
	{ "--country", "CODE", "country", CLI_TEXT, false, "of the subject: two letters" },
	{ "--state", "TEXT", "state", CLI_TEXT, false, "of the subject: state or province" },
	{ "--locality", "TEXT", "locality", CLI_TEXT, false, "of the subject: a city" },
	{ "--issuer", "NAME", "issuer", CLI_TEXT, false, "an authority: makes an intermediate instead of a root" },
	{ "--external", NULL, "external", CLI_TRUE, false, "somebody else signs its certificate; --issuer names an imported root" },
	{ "--ttl", "LIFE", "ttl", CLI_TEXT, false, "of each version: 365d; default 3650d, below an issuer 1825d" },
	{ "--leaf-ttl", "LIFE", "leaf_ttl", CLI_TEXT, false, "of what it issues; default 90d" },
	{ "--path-len", "N", "path_len", CLI_INT, false, "so many CAs below it" },
	{ "--permitted-dns", "DOMAIN", "permitted_dns", CLI_TEXTS, false, "name constraint; may be given again" },
	{ "--exportable", NULL, "exportable", CLI_TRUE, false, "its keys can be had through CredHub's API, also those of its next versions; cannot be said later, nor below an issuer without it" },
	{ "--clamp", NULL, "clamp", CLI_TRUE, false, "shorten its life to its issuer's instead of refusing" },
	RENEWAL_OPTIONS,
	LEAF_RENEWAL_OPTIONS,
	DEADLINE_OPTION,
	END
};
static const struct cli_option AUTHORITY_CERTIFY[] = {
	{ "--certificate-file", "PEM", "certificate", CLI_FILE, true, "the signed certificate, and its issuers in any order" },
	{ "--root-file", "PEM", "root", CLI_FILE, false, "the root that anchors it, unless it is in that file or imported" },
	{ "--dry-run", NULL, NULL, CLI_OWN, false, "only judge it" },
	END
};
static const struct cli_option AUTHORITY_IMPORT[] = {
	{ "--certificate-file", "PEM", "certificate", CLI_FILE, true, "the root, and nothing else" },
	{ "--dry-run", NULL, NULL, CLI_OWN, false, "only judge it" },
	END
};
static const struct cli_option AUTHORITY_SET[] = { RENEWAL_OPTIONS, LEAF_RENEWAL_OPTIONS, DEADLINE_OPTION, END };
static const struct cli_option CREDENTIAL_SET[] = { RENEWAL_OPTIONS, END };
static const struct cli_option BY_NAME[] = {
	{ "--name", "NAME", "name", CLI_QUERY, false, "only this one" },
	END
};
static const struct cli_option FIND[] = {
	{ "--name", "NAME", "name", CLI_QUERY, false, "only this one" },
	{ "--name-prefix", "TEXT", "name_prefix", CLI_QUERY, false, "whose names begin so: /prod/pg/" },
	{ "--issuer", "NAME", "issuer", CLI_QUERY, false, "that this authority signs" },
	{ "--san", "NAME", "san", CLI_QUERY, false, "that are for this name: dns:pg-1.example, ip:10.0.0.1" },
	{ "--fingerprint", "HEX", "fingerprint", CLI_QUERY, false, "of one of their versions (SHA-256)" },
	{ "--expires-before", "DATE", "expires_before", CLI_QUERY, false, "2027-06-01, or a length from now on: 30d" },
	{ "--sort", "ORDER", "sort", CLI_QUERY, false, "name or expires; downwards --sort=-name, --sort=-expires; default: by age" },
	END
};
static const struct cli_option CREDENTIAL_CREATE[] = {
	{ "--authority", "NAME", "authority", CLI_TEXT, true, "who signs it" },
	{ "--san", "NAME", "sans", CLI_TEXTS, true, "dns:a.example, ip:10.0.0.1, uri:x://y; may be given again" },
	{ "--common-name", "TEXT", "common_name", CLI_TEXT, false, "of the subject; never used to match a name" },
	{ "--role", "ROLE", "role", CLI_TEXT, false, "server (default), client or both" },
	{ "--key-type", "TYPE", "key_type", CLI_TEXT, false, "ec-p256 (default), ec-p384, ed25519, rsa-2048 ..." },
	{ "--ttl", "LIFE", "ttl", CLI_TEXT, false, "default: the authority's leaf-ttl" },
	{ "--csr-file", "PEM", "csr", CLI_FILE, false, "sign this request now" },
	{ "--clamp", NULL, "clamp", CLI_TRUE, false, "shorten its life to its issuer's instead of refusing" },
	RENEWAL_OPTIONS,
	END
};
static const struct cli_option CREDENTIAL_RENEW[] = {
	{ "--csr-file", "PEM", "csr", CLI_FILE, false, "sign this request now; without it its slots are asked" },
	END
};
static const struct cli_option CREDENTIAL_UPLOAD[] = {
	{ "--certificate-file", "PEM", "certificate", CLI_FILE, true, "the certificate; its chain may be in the same file" },
	{ "--key-file", "PEM", "private_key", CLI_FILE, true, "its private key, without a password" },
	{ "--chain-file", "PEM", "chain", CLI_FILE, false, "its issuers, in any order; with the root" },
	{ "--trust-issuer", "BUNDLE", "trust_issuer", CLI_TEXT, false, "this bundle trusts its root from now on" },
	{ "--dry-run", NULL, NULL, CLI_OWN, false, "only judge it" },
	END
};
static const struct cli_option SERVER_CERTIFICATE[] = {
	{ "--certificate-file", "PEM", "certificate", CLI_FILE, true, "the certificate; its chain may be in the same file" },
	{ "--key-file", "PEM", "private_key", CLI_FILE, true, "its private key, without a password" },
	{ "--chain-file", "PEM", "chain", CLI_FILE, false, "its issuers, in any order; with the root" },
	{ "--dry-run", NULL, NULL, CLI_OWN, false, "only judge it" },
	END
};
static const struct cli_option CREDENTIAL_EXPORT[] = {
	{ "--leaf", NULL, NULL, CLI_OWN, false, "only the certificate itself" },
	{ "--chain", NULL, NULL, CLI_OWN, false, "only the intermediates behind it" },
	{ "--root", NULL, NULL, CLI_OWN, false, "only the root, for those who shall trust it" },
	{ "--pem", NULL, NULL, CLI_OWN, false, "as PEM (default; -o json tells the three apart)" },
	{ "--only-version", "ID", NULL, CLI_OWN, false, "this version; default: the newest, of a CA the one that signs" },
	END
};
static const struct cli_option CREDENTIAL_ATTEST[] = {
	{ "--replaced", "REASON", "replaced", CLI_TEXT, true, "renewed: only the newest is in use; gone: none of them" },
	END
};
static const struct cli_option BUNDLE_CREATE[] = {
	{ "--authority", "NAME", "authorities", CLI_TEXTS, false, "trust all its versions; may be given again" },
	{ "--certificate", "SPEC", "certificates", CLI_CERT, false, "alias=A,file=PEM,source=TEXT; may be given again" },
	END
};
static const struct cli_option BUNDLE_ADD[] = {
	{ "--authority", "NAME", "authority", CLI_TEXT, false, "trust all its versions; or" },
	{ "--alias", "NAME", "alias", CLI_TEXT, false, "name of a single certificate" },
	{ "--file", "PEM", "pem", CLI_FILE, false, "the certificate" },
	{ "--source", "TEXT", "source", CLI_TEXT, false, "where it came from, for those who ask later" },
	END
};
static const struct cli_option BINDING_CREATE[] = {
	{ "--bundle", "NAME", "bundle", CLI_TEXT, true, "what it is handed" },
	{ "--ack", "WAY", "ack", CLI_TEXT, false, "confirm (default), fetch or attest" },
	{ "--delay", "LENGTH", "delay", CLI_TEXT, false, "with fetch: in use so long after it" },
	{ "--renew-by", "LENGTH", "renew_by", CLI_TEXT, false, "so long after something new is offered it is overdue" },
	{ "--grace", "LENGTH", "grace", CLI_TEXT, false, "nothing is withdrawn so long after a switch that rests on it; default 24h, or none" },
	END
};
static const struct cli_option BINDING_FETCH[] = {
	{ "--tag", "TAG", NULL, CLI_OWN, false, "of what it has: acknowledges that it runs it" },
	END
};
static const struct cli_option BINDING_ATTEST[] = {
	{ "--reason", "REASON", "reason", CLI_TEXT, true, "renewed or runtime-already-trusts" },
	END
};
static const struct cli_option DEPLOYMENT_CREATE[] = {
	{ "--ephemeral", NULL, "ephemeral", CLI_TRUE, false, "its nodes leave by themselves, such as those of a health check" },
	{ "--ttl", "LIFE", "ttl", CLI_TEXT, false, "how long after enrolling: 60s, at most 1h; only with --ephemeral" },
	{ "--external", NULL, "external", CLI_TRUE, false,
	  "its nodes have no agent: somebody registers each and reports for it (troth instance add)" },
	{ "--grace", "LENGTH", "grace", CLI_TEXT, false,
	  "with --external: nothing is withdrawn so long after a switch that rests on a report; default 24h, or none" },
	{ "--ignore", NULL, "ignore", CLI_TRUE, false, "never wait for them, and never protect them; only with --ephemeral" },
	{ "--slot", "SPEC", "slots", CLI_SLOT, false,
	  "keys name, profile, credential, authority, san and perhaps role, key_type, key_source, ttl, common_name, parameter.X; may be "
	  "given again" },
	{ "--store", "SPEC", "stores", CLI_STORE, false, "keys name, profile, bundle and perhaps parameter.X; may be given again" },
	END
};
static const struct cli_option DEPLOYMENT_POLICY[] = {
	{ "--max-unavailable", "N", "max_unavailable", CLI_INT, false, "so many instances change or are unhealthy at once; 0: no limit (default)" },
	{ "--canary", "N", "canary", CLI_INT, false, "so many get new contents first, the rest after they settled; 0: none (default)" },
	{ "--pause", "LENGTH", "pause", CLI_TEXT, false, "between two batches: 30s; 0s: none (default)" },
	{ "--stop-on-failure", NULL, "stop_on_failure", CLI_TRUE, false, "when one instance fails no other begins, until somebody says so" },
	{ "--no-stop-on-failure", NULL, "stop_on_failure", CLI_FALSE, false, "the others go on (default)" },
	{ "--rollout", "HOW", "rollout", CLI_TEXT, false, "automatic (default), or manual: each step of a rotation waits for its approval" },
	{ "--window", "WINDOW", "windows", CLI_TEXTS, false, "it may begin to change only then; may be given again, and replaces those before" },
	{ "--no-window", NULL, "windows", CLI_NONE, false, "at any time (default)" },
	END
};
static const struct cli_option AUTHORITY_ROLLOUT[] = {
	{ "--switch", "WHEN", "switch", CLI_TEXT, false, "each: a slot takes the new CA when it can (default); all: when all can" },
	{ "--rollout", "HOW", "rollout", CLI_TEXT, false, "automatic (default), or manual: each step of its rotations waits for an approval" },
	END
};
static const struct cli_option RECOVER_APPROVE[] = {
	{ "--all", NULL, NULL, CLI_OWN, false, "everybody who waits, as after all of it expired" },
	{ "--dry-run", NULL, NULL, CLI_OWN, false, "only say who would be approved" },
	END
};
static const struct cli_option RECOVER_DENY[] = {
	{ "--dry-run", NULL, NULL, CLI_OWN, false, "only say who would be denied" },
	END
};
static const struct cli_option APPROVE[] = {
	{ "--step", "STEP", NULL, CLI_OWN, false, "introduce, switch or withdraw; default: the one that waits" },
	{ "--dry-run", NULL, NULL, CLI_OWN, false, "only say what would be approved" },
	END
};
static const struct cli_option FREEZE[] = {
	{ "--reason", "TEXT", "reason", CLI_TEXT, false, "for everybody who asks why nothing moves" },
	{ "--show", NULL, NULL, CLI_OWN, false, "only say whether it is frozen" },
	END
};
static const struct cli_option INSTANCE_LIST[] = {
	{ "--deployment", "NAME", "deployment", CLI_QUERY, false, "only of this one" },
	{ "--name", "NAME", "name", CLI_QUERY, false, "only this one" },
	END
};
static const struct cli_option INSTANCE_DELETE[] = {
	{ "--now", NULL, NULL, CLI_OWN, false, "its services are stopped: nothing of it counts any more" },
	END
};
static const struct cli_option INSTANCE_ADD[] = {
	{ "--target", "NAME", NULL, CLI_OWN, false, "only this slot or store of the deployment; may be given again; default: all" },
	END
};
static const struct cli_option INSTANCE_WANTED[] = {
	{ "--target", "NAME", NULL, CLI_OWN, false, "print the certificates of this one as PEM" },
	END
};
static const struct cli_option INSTANCE_REPORT[] = {
	{ "--file", "JSON", NULL, CLI_OWN, true, "what is loaded: see the example" },
	END
};
static const struct cli_option INSTANCE_CSR[] = {
	{ "--target", "NAME", "target", CLI_TEXT, true, "the slot that was asked for one" },
	{ "--csr-file", "PEM", "csr", CLI_FILE, true, "a certificate request for a key of its own" },
	END
};
static const struct cli_option WAIVE[] = {
	{ "--reason", "TEXT", "reason", CLI_TEXT, true, "for the audit" },
	{ "--dry-run", NULL, NULL, CLI_OWN, false, "say which pairs lose their cover, and what that frees" },
	END
};
static const struct cli_option LINK_REMOVE[] = {
	{ "--dry-run", NULL, NULL, CLI_OWN, false, "say which pairs lose their cover, and what that frees" },
	END
};
static const struct cli_option TARGET_LIST[] = {
	{ "--instance", "NAME", NULL, CLI_OWN, false, "only on this one" },
	{ "--deployment", "NAME", NULL, CLI_OWN, false, "only of this one" },
	{ "--state", "STATE", NULL, CLI_OWN, false, "joining, counted or left; default: all but left" },
	END
};
static const struct cli_option TOKEN_CREATE[] = {
	{ "--deployment", "NAME", "deployment", CLI_TEXT, true, "what kind of node joins with it" },
	{ "--instance", "NAME", "instance", CLI_TEXT, false, "the only name it may take" },
	{ "--ttl", "LIFE", "ttl", CLI_TEXT, false, "default 24h, at most 7d" },
	{ "--reinstall", NULL, "reinstall", CLI_TRUE, false, "--instance is there, and its node was made anew: it joins again" },
	END
};
static const struct cli_option TOKEN_LIST[] = {
	{ "--deployment", "NAME", "deployment", CLI_QUERY, false, "only for this one" },
	END
};
static const struct cli_option PRINCIPAL_ADD[] = {
	{ "--role", "ROLE", "role", CLI_TEXT, true, "admin, operator (changes all but principals and the server's certificate), developer (reads, brings certificates) or auditor (reads, the audit too)" },
	{ "--scope", "NAMES", "scope", CLI_TEXT, false, "what it may see and touch: '/prod/pg/*'; default: everything; none: only what CredHub's permissions give it" },
	{ "--expires", "LIFE", "expires", CLI_TEXT, false, "90d; default: never" },
	{ "--csr-file", "PEM", "csr", CLI_FILE, false, "a client certificate for this key, instead of a token" },
	{ "--password", NULL, "generate_password", CLI_TRUE, false, "a password instead of a token; it is made here" },
	{ "--password-file", "FILE", "password", CLI_LINE, false, "the same, but the one in the first line of this file" },
	{ "--app", "UUID", "app", CLI_TEXT, false, "an app of CredHub's instead of a NAME; with --csr-file: its certificate says OU=app:UUID" },
	{ "--facade", "API", "facade", CLI_TEXT, false, "what the credential is good for: native (default), credhub, opsmanager" },
	END
};
static const struct cli_option PRINCIPAL_ROTATE[] = {
	{ "--csr-file", "PEM", "csr", CLI_FILE, false, "a client certificate for this key, instead of a token" },
	{ "--password", NULL, "generate_password", CLI_TRUE, false, "a password that is made here" },
	{ "--password-file", "FILE", "password", CLI_LINE, false, "the password in the first line of this file" },
	END
};
static const struct cli_option ROTATE[] = {
	{ "--wait", NULL, NULL, CLI_OWN, false, "follow it to its end (default)" },
	{ "--no-wait", NULL, NULL, CLI_OWN, false, "only start it" },
	{ "--timeout", "LENGTH", NULL, CLI_OWN, false, "stop following after so long: exit 5, it goes on" },
	{ "--dry-run", NULL, NULL, CLI_OWN, false, "say what would happen and who would be waited for" },
	{ "--reason", "TEXT", "reason", CLI_TEXT, false, "for the audit" },
	{ "--again", NULL, "again", CLI_TRUE, false, "one more version on top of a rotation that is running" },
	{ "--by-steps", NULL, "by_steps", CLI_TRUE, false, "each step waits for troth rotation approve, whatever the CA's rollout says" },
	{ "--cross-sign", NULL, "cross_sign", CLI_TRUE, false,
	  "the old root certifies the new one too: slots need not wait for verifiers that cannot be updated yet" },
	{ "--compromised", NULL, "compromised", CLI_TRUE, false,
	  "emergency: distrust it first, everywhere and for good, then rotate; look with --dry-run" },
	{ "--only-version", "ID", "version", CLI_TEXT, false, "with --compromised: only this version; default: all present ones" },
	{ "--yes-break", "N", "yes_break", CLI_INT, false,
	  "with --compromised: so many pairs will break, as --dry-run says; another number is refused" },
	{ "--ignore-outside", NULL, "ignore_outside", CLI_TRUE, false,
	  "do not wait for who took a certificate with a request of his own: he was told, or may break" },
	END
};
static const struct cli_option FORESEE[] = {
	{ "--dry-run", NULL, NULL, CLI_OWN, false, "say what would be done first" },
	END
};
static const struct cli_option ABORT[] = {
	{ "--dry-run", NULL, NULL, CLI_OWN, false, "say what would be done first and who would be waited for" },
	END
};
static const struct cli_option WATCH[] = {
	{ "--timeout", "LENGTH", NULL, CLI_OWN, false, "stop following after so long: exit 5, it goes on" },
	END
};
static const struct cli_option EVENTS[] = {
	{ "--follow", NULL, NULL, CLI_OWN, false, "wait for more, until interrupted" },
	{ "--after", "SEQ", NULL, CLI_OWN, false, "those behind this number; default 0: all that are kept" },
	END
};
static const struct cli_option WEBHOOK_ADD[] = {
	{ "--url", "URL", "url", CLI_TEXT, true, "https://...; http://127.0.0.1 for a program on the server's machine" },
	{ "--event", "TYPES", "events", CLI_TEXTS, false, "types as in troth events: 'rotation.*' is all of rotations; may be given again; default: all" },
	{ "--receiver-ca", "PEM", "ca", CLI_FILE, false, "the CA of its certificate; default: the CAs of the server's system" },
	END
};
static const struct cli_option FORECAST[] = {
	{ "--until", "DATE", NULL, CLI_OWN, false, "2027-06-01, or a length: 90d (default)" },
	END
};
static const struct cli_option TOPOLOGY[] = {
	{ "--name", "NAME", NULL, CLI_OWN, false, "only what is above and below this authority or credential" },
	{ "--all", NULL, NULL, CLI_OWN, false, "also versions that nobody has any more" },
	END
};
static const struct cli_option EXPIRING_OPTIONS[] = {
	{ "--within", "LENGTH", NULL, CLI_OWN, false, "30d (default), 12h" },
	END
};
static const struct cli_option PROFILE_DIR[] = {
	{ "--profiles", "DIR", NULL, CLI_OWN, false, "default /etc/troth/profiles (TROTH_PROFILES)" },
	END
};
static const struct cli_option PROFILE_CHECK[] = {
	{ "--settings", "FILE", NULL, CLI_OWN, false, "the node's settings, as for troth agent run" },
	{ "--target", "NAME", NULL, CLI_OWN, false, "what the target is called; default NAME" },
	END
};
static const struct cli_option MAN[] = {
	{ "--into", "DIR", NULL, CLI_OWN, false, "write all pages there instead" },
	END
};
static const struct cli_option AUDIT_LIST[] = {
	{ "--object", "NAME", "object", CLI_QUERY, false, "only what was done to this" },
	END
};

/* -- the table ------------------------------------------------------------------------------------------------ */
const struct cli_command CLI_COMMANDS[] = {
	{ .noun = "authority", .verb = "create", .args = "NAME", .summary = "make a CA",
	  .detail = "The keeper makes the key and keeps it. Without --issuer it is a self-signed root. With --external only the key and a "
		    "request are made: see troth authority csr.",
	  .example = "troth authority create /prod/pg/ca --ttl 365d --leaf-ttl 30d\ntroth authority create /corp/issuing --external",
	  .options = AUTHORITY_CREATE, .run = cli_run_authority_create, .path = "/v1/authorities", .member = "name", .sections = CLI_AUTHORITY_SECTIONS },
	{ .noun = "authority", .verb = "csr", .args = "NAME", .summary = "the request for a certificate that is signed elsewhere",
	  .detail = "PKCS#10, to be signed as it is: it asks for a CA, its path length, and a key identifier. Where it is signed with openssl, "
		    "-copy_extensions copy (openssl ca: copy_extensions = copy) takes what it asks for. Then: troth authority certify.",
	  .example = "troth authority csr /corp/issuing > request.pem\n"
		     "openssl x509 -req -in request.pem -copy_extensions copy -days 730 \\\n    -CA root.pem -CAkey root.key -out issuing.pem",
	  .run = cli_run_authority_csr, .path = "/v1/authorities" },
	{ .noun = "authority", .verb = "certify", .args = "NAME", .summary = "bring the signed certificate in",
	  .detail = "Everything is judged before anything changes: the key is the request's, it is a CA's, its chain holds up to a root that is "
		    "trusted for it. The first certificate's root becomes an authority of its own, NAME/root, unless it was imported "
		    "before. A rotation that waited for it goes on. You are told 60, 30, 14, 7 and 1 days before its end.",
	  .example = "troth authority certify /corp/issuing --certificate-file issuing.pem \\\n    --root-file root.pem",
	  .options = AUTHORITY_CERTIFY, .run = cli_run_post, .path = "/v1/authorities", .sections = CLI_AUTHORITY_SECTIONS },
	{ .noun = "authority", .verb = "import", .args = "NAME", .summary = "trust a root whose key is elsewhere",
	  .detail = "For CAs below it: troth authority create --external --issuer NAME. Imported again under the same name it is the next "
		    "root: trusted beside the old one, and each CA below asks for a certificate under it; when the last of them came, "
		    "the old one goes.",
	  .example = "troth authority import /corp/root --certificate-file root.pem",
	  .options = AUTHORITY_IMPORT, .run = cli_run_authority_import, .path = "/v1/authorities/import", .member = "name",
	  .sections = CLI_AUTHORITY_SECTIONS },
	{ .noun = "authority", .verb = "list", .args = "", .summary = "the CAs, and until when each signs",
	  .example = "troth authority list\ntroth authority list --name-prefix /prod/ --sort expires",
	  .options = FIND, .run = cli_run_list, .path = "/v1/authorities", .columns = CLI_COLUMNS_AUTHORITIES,
	  .empty = "no authority yet: troth authority create /prod/pg/ca" },
	{ .noun = "authority", .verb = "show", .args = "NAME", .summary = "one CA with its versions",
	  .example = "troth authority show /prod/pg/ca",
	  .run = cli_run_show, .path = "/v1/authorities", .sections = CLI_AUTHORITY_SECTIONS },

	{ .noun = "authority", .verb = "set", .args = "NAME", .summary = "when it and its leaves are renewed",
	  .detail = "A rotation starts by itself when the CA is due; leaves follow what is said from their next version on.",
	  .example = "troth authority set /prod/pg/ca --renew-before 60d --leaf-renew-at 50%\ntroth authority set /prod/pg/ca --renew never",
	  .options = AUTHORITY_SET, .run = cli_run_set, .path = "/v1/authorities", .sections = CLI_AUTHORITY_SECTIONS },

	{ .noun = "authority", .verb = "policy", .args = "NAME", .summary = "how its rotations go",
	  .example = "troth authority policy /prod/pg/ca --rollout manual --switch all",
	  .options = AUTHORITY_ROLLOUT, .run = cli_run_rollout, .path = "/v1/authorities", .sections = CLI_AUTHORITY_SECTIONS },
	{ .noun = "credential", .verb = "create", .args = "NAME", .summary = "define a certificate, or sign a request",
	  .detail = "Slots of a deployment get theirs by themselves. This is for the others: with --csr-file it is signed at once.",
	  .example = "troth credential create /prod/app/client --authority /prod/pg/ca \\\n"
		     "    --san uri:spiffe://example/app --role client --csr-file app.csr",
	  .options = CREDENTIAL_CREATE, .run = cli_run_create, .path = "/v1/credentials", .member = "name", .sections = CLI_CREDENTIAL_SECTIONS },
	{ .noun = "credential", .verb = "list", .args = "", .summary = "the named certificates",
	  .example = "troth credential list\ntroth credential list --issuer /prod/pg/ca --expires-before 30d",
	  .options = FIND, .run = cli_run_list, .path = "/v1/credentials", .columns = CLI_COLUMNS_CREDENTIALS, .empty = "no credential yet" },
	{ .noun = "credential", .verb = "show", .args = "NAME", .summary = "one, with its versions",
	  .example = "troth credential show /prod/pg/pg-1/server",
	  .run = cli_run_show, .path = "/v1/credentials", .sections = CLI_CREDENTIAL_SECTIONS },
	{ .noun = "credential", .verb = "set", .args = "NAME", .summary = "when it is renewed",
	  .example = "troth credential set /prod/pg/pg-1/server --renew-before 14d",
	  .options = CREDENTIAL_SET, .run = cli_run_set, .path = "/v1/credentials", .sections = CLI_CREDENTIAL_SECTIONS },
	{ .noun = "credential", .verb = "renew", .args = "NAME", .summary = "a new version now",
	  .detail = "Each slot that presents it is asked for a new key; the new chain is sent when that is safe.",
	  .example = "troth credential renew /prod/pg/pg-1/server",
	  .options = CREDENTIAL_RENEW, .run = cli_run_credential_renew, .path = "/v1/credentials", .sections = CLI_CREDENTIAL_SECTIONS },
	{ .noun = "credential", .verb = "upload", .args = "NAME", .summary = "bring a certificate that somebody else issued",
	  .detail = "Everything is judged before anything changes. The chain may be in any order. Its slots get it when every store that they "
		    "meet trusts its CA; --trust-issuer sees to that. Nothing renews it: you are told 60, 30, 14, 7 and 1 days before its end.",
	  .example = "troth credential upload /prod/web/web-1/server --certificate-file web.pem \\\n"
		     "    --key-file web.key --chain-file chain.pem --trust-issuer /prod/web/trust",
	  .options = CREDENTIAL_UPLOAD, .run = cli_run_post, .path = "/v1/credentials", .sections = CLI_CREDENTIAL_SECTIONS },
	{ .noun = "credential", .verb = "export", .args = "NAME", .summary = "its certificate and chain, to give away",
	  .detail = "The certificate and the intermediates behind it, as a server shows them. NAME may be an authority's. Keys are never "
		    "exported.",
	  .example = "troth credential export /prod/pg/pg-1/server > pg-1.pem\ntroth credential export /prod/pg/pg-1/server --root > root.pem",
	  .options = CREDENTIAL_EXPORT, .run = cli_run_credential_export, .path = "/v1/credentials" },
	{ .noun = "credential", .verb = "attest", .args = "NAME", .summary = "vouch that certificates taken with a request are replaced",
	  .detail = "Nobody sees what is in use outside the fleet, so a CA stays trusted for each certificate that was taken there, until it "
		    "expires or you say that it is replaced: \"renewed\", only the newest one is in use; \"gone\", none of them is.",
	  .example = "troth credential renew /prod/lb --csr-file lb.csr\ntroth credential attest /prod/lb --replaced renewed",
	  .options = CREDENTIAL_ATTEST, .run = cli_run_credential_attest, .path = "/v1/credentials" },

	{ .noun = "bundle", .verb = "create", .args = "NAME", .summary = "name a set of trusted CAs",
	  .example = "troth bundle create /prod/pg/trust --authority /prod/pg/ca \\\n    --certificate alias=corporate,file=root.pem",
	  .options = BUNDLE_CREATE, .run = cli_run_create, .path = "/v1/bundles", .member = "name", .sections = CLI_BUNDLE_SECTIONS },
	{ .noun = "bundle", .verb = "list", .args = "", .summary = "the bundles",
	  .example = "troth bundle list",
	  .options = BY_NAME, .run = cli_run_list, .path = "/v1/bundles", .columns = CLI_COLUMNS_BUNDLES, .empty = "no bundle yet" },
	{ .noun = "bundle", .verb = "show", .args = "NAME", .summary = "one, with its members",
	  .example = "troth bundle show /prod/pg/trust",
	  .run = cli_run_show, .path = "/v1/bundles", .sections = CLI_BUNDLE_SECTIONS },
	{ .noun = "bundle", .verb = "add", .args = "NAME", .summary = "trust one more CA",
	  .example = "troth bundle add /prod/pg/trust --alias corporate --file root.pem",
	  .options = BUNDLE_ADD, .run = cli_run_bundle_add, .path = "/v1/bundles", .sections = CLI_BUNDLE_SECTIONS },
	{ .noun = "bundle", .verb = "remove", .args = "NAME MEMBER", .summary = "trust one less",
	  .detail = "MEMBER is an authority's name, an alias or an id. Stores keep the CA until nobody needs it any more.",
	  .example = "troth bundle remove /prod/pg/trust corporate --dry-run",
	  .options = FORESEE, .run = cli_run_bundle_remove, .path = "/v1/bundles", .sections = CLI_BUNDLE_SECTIONS },

	{ .noun = "binding", .verb = "create", .args = "NAME", .summary = "hand a bundle to an application outside the fleet",
	  .detail = "A rotation waits until the application acknowledged what it was handed. \"confirm\": its next conditional fetch with the "
		    "tag says that it runs it; \"fetch\": it is in use so long (--delay) after a fetch; \"attest\": somebody vouches.",
	  .example = "troth binding create /prod/shop --bundle /prod/pg/trust --renew-by 14d\n"
		     "curl --cacert ca.pem -H \"Authorization: Bearer $TOKEN\" -o trust.pem \\\n"
		     "    --etag-save tag --etag-compare tag $SERVER/v1/bindings/$ID/bundle",
	  .options = BINDING_CREATE, .run = cli_run_create, .path = "/v1/bindings", .member = "name" },
	{ .noun = "binding", .verb = "list", .args = "", .summary = "who was handed a bundle, and what each acknowledged",
	  .example = "troth binding list",
	  .options = BY_NAME, .run = cli_run_list, .path = "/v1/bindings", .columns = CLI_COLUMNS_BINDINGS, .empty = "no binding yet" },
	{ .noun = "binding", .verb = "show", .args = "NAME", .summary = "one of them",
	  .example = "troth binding show /prod/shop",
	  .run = cli_run_show, .path = "/v1/bindings" },
	{ .noun = "binding", .verb = "fetch", .args = "NAME", .summary = "what it shall trust, as PEM",
	  .detail = "The certificates go to the output, the tag to the errors. With --tag it says what it runs.",
	  .example = "troth binding fetch /prod/shop > trust.pem",
	  .options = BINDING_FETCH, .run = cli_run_binding_fetch, .path = "/v1/bindings" },
	{ .noun = "binding", .verb = "attest", .args = "NAME", .summary = "vouch for what it runs",
	  .detail = "\"renewed\": it runs what it fetched last; \"runtime-already-trusts\": it needs no fetch for what it is offered.",
	  .example = "troth binding attest /prod/shop --reason renewed",
	  .options = BINDING_ATTEST, .run = cli_run_post, .path = "/v1/bindings" },
	{ .noun = "binding", .verb = "waive", .args = "NAME", .summary = "go on without one whose renew-by has passed",
	  .detail = "Nothing waits for it any more, and it may stop trusting what it meets. It comes back as a new binding only.",
	  .example = "troth binding waive /prod/shop",
	  .run = cli_run_post, .path = "/v1/bindings" },
	{ .noun = "binding", .verb = "delete", .args = "NAME", .summary = "one that is no more",
	  .example = "troth binding delete /prod/shop",
	  .run = cli_run_delete, .path = "/v1/bindings", .empty = "deleted" },

	{ .noun = "deployment", .verb = "create", .args = "NAME", .summary = "define a kind of node",
	  .detail = "Slots present a certificate, stores hold a bundle. {instance} stands for the name of each instance. In a SPEC a comma "
		    "inside a value is written twice.",
	  .example = "troth deployment create pg \\\n"
		     "    --slot name=server,profile=postgresql,authority=/prod/pg/ca,\\\n"
		     "credential=/prod/pg/{instance}/server,san={instance}.pg.example \\\n"
		     "    --store name=trust,profile=pem-files,bundle=/prod/pg/trust",
	  .options = DEPLOYMENT_CREATE, .run = cli_run_create, .path = "/v1/deployments", .member = "name", .sections = CLI_DEPLOYMENT_SECTIONS },
	{ .noun = "deployment", .verb = "list", .args = "", .summary = "the kinds of nodes",
	  .example = "troth deployment list",
	  .options = BY_NAME, .run = cli_run_list, .path = "/v1/deployments", .columns = CLI_COLUMNS_DEPLOYMENTS, .empty = "no deployment yet" },
	{ .noun = "deployment", .verb = "show", .args = "NAME", .summary = "one, with its slots and stores",
	  .example = "troth deployment show pg",
	  .run = cli_run_show, .path = "/v1/deployments", .sections = CLI_DEPLOYMENT_SECTIONS },
	{ .noun = "deployment", .verb = "policy", .args = "NAME", .summary = "how many of its instances change at once",
	  .detail = "An instance counts from the decision to its settled report, and while its last change failed; a silent one does "
		    "not. One in trouble may always get a further document: its way back. A WINDOW is minute hour day month weekday (as in "
		    "cron), how long, and whose time. Options that are not given stay as they are.",
	  .example = "troth deployment policy pg --max-unavailable 1 --canary 1 --stop-on-failure\n"
		     "troth deployment policy pg --window \"0 2 * * 6 4h Europe/Zurich\"",
	  .options = DEPLOYMENT_POLICY, .run = cli_run_policy, .path = "/v1/deployments", .sections = CLI_DEPLOYMENT_SECTIONS },
	{ .noun = "deployment", .verb = "delete", .args = "NAME", .summary = "take one away that has no instances",
	  .example = "troth deployment delete pg",
	  .run = cli_run_delete, .path = "/v1/deployments", .empty = "deleted" },

	{ .noun = "instance", .verb = "list", .args = "", .summary = "the nodes, and when each was last seen",
	  .example = "troth instance list --deployment pg",
	  .options = INSTANCE_LIST, .run = cli_run_list, .path = "/v1/instances", .columns = CLI_COLUMNS_INSTANCES,
	  .empty = "no instance yet: troth token create, then troth agent enroll on the node" },
	{ .noun = "instance", .verb = "show", .args = "NAME", .summary = "one, with its targets",
	  .detail = "For each target the generation that is wanted, that is on the disk, that the service runs, and that was seen on the wire "
		    "(slots). \"4?\": it was 4, and is not known until it is seen again. troth diff shows the certificates.",
	  .example = "troth instance show pg-1",
	  .run = cli_run_instance_show, .path = "/v1/instances", .sections = CLI_INSTANCE_SECTIONS },
	{ .noun = "instance", .verb = "delete", .args = "NAME", .summary = "let a node leave for good",
	  .detail = "What it trusts counts no more at once. What it serves stays trusted until its agent says that nobody answers there "
		    "any more, until the certificate expires, or until you say so with --now. Files on the node stay as they are.",
	  .example = "troth instance delete pg-1\ntroth instance delete pg-1 --now",
	  .options = INSTANCE_DELETE, .run = cli_run_instance_delete, .path = "/v1/instances" },
	{ .noun = "instance", .verb = "add", .args = "DEPLOYMENT/NAME", .summary = "register one that has no agent",
	  .detail = "For deployments made with --external. Somebody reports through the API what it has loaded, and a rotation waits for "
		    "that. One that was waived comes back like a new one.",
	  .example = "troth deployment create cdn --external --store name=trust,bundle=/pg/trust\ntroth instance add cdn/edge-1",
	  .options = INSTANCE_ADD, .run = cli_run_instance_add, .path = "/v1/instances", .sections = CLI_INSTANCE_SECTIONS },
	{ .noun = "instance", .verb = "wanted", .args = "NAME", .summary = "what one without an agent shall hold",
	  .detail = "Fetched from here it may be loaded there: it counts until something later is reported.",
	  .example = "troth instance wanted edge-1\ntroth instance wanted edge-1 --target trust > trust.pem",
	  .options = INSTANCE_WANTED, .run = cli_run_instance_wanted, .path = "/v1/instances" },
	{ .noun = "instance", .verb = "report", .args = "NAME", .summary = "say what one without an agent has loaded",
	  .detail = "seq grows from report to report (date +%s will do). For each target the SHA-256 fingerprints that new connections use, "
		    "or \"versions\" with ids, and the generation as it was fetched. An empty list says that it holds nothing.",
	  .example = "echo '{\"seq\": 7, \"targets\": [{\"target\": \"trust\", \"generation\": 2,\n"
		     "  \"fingerprints\": [\"3f9a...\"]}]}' > report.json\n"
		     "troth instance report edge-1 --file report.json",
	  .options = INSTANCE_REPORT, .run = cli_run_instance_report, .path = "/v1/instances" },
	{ .noun = "instance", .verb = "csr", .args = "NAME", .summary = "have a key of one without an agent signed",
	  .example = "troth instance csr edge-1 --target tls --csr-file edge-1.csr",
	  .options = INSTANCE_CSR, .run = cli_run_post, .path = "/v1/instances" },
	{ .noun = "waive", .args = "INSTANCE", .summary = "wait no longer for a node that is away",
	  .detail = "It is out of every pair in both roles, and no report of it counts any more. When its agent comes back it is sent what "
		    "a new node is sent, and counts when it has been seen to have it; if its identity has expired meanwhile, its agent asks for a new one: "
		    "troth recover list.",
	  .example = "troth waive pg-1 --reason 'disk broken, back next week' --dry-run\ntroth waive pg-1 --reason 'disk broken, back next week'",
	  .options = WAIVE, .run = cli_run_waive, .path = "/v1/instances" },

	{ .noun = "link", .verb = "list", .args = "", .summary = "which stores verify which slots",
	  .example = "troth link list",
	  .run = cli_run_list, .path = "/v1/meets", .columns = CLI_COLUMNS_LINKS, .empty = "no store meets a slot yet" },
	{ .noun = "link", .verb = "add", .args = "SLOT STORE", .summary = "say that a store verifies a slot",
	  .detail = "SLOT and STORE are DEPLOYMENT/NAME. Pairs that follow from bundles are there by themselves; this is for the others, such "
		    "as a store that trusts a CA as a single certificate. A pair stays until somebody removes it.",
	  .example = "troth link add pg/server app/trust",
	  .run = cli_run_link_add, .path = "/v1/meets" },
	{ .noun = "link", .verb = "remove", .args = "SLOT STORE", .summary = "say that a store does not verify a slot",
	  .detail = "From then on nothing is done to keep their handshakes working. It is not made again by itself.",
	  .example = "troth link remove pg/server app/trust --dry-run",
	  .options = LINK_REMOVE, .run = cli_run_link_remove, .path = "/v1/meets" },

	{ .noun = "target", .verb = "list", .args = "", .summary = "what each node shall have, and has loaded",
	  .example = "troth target list\ntroth target list --instance pg-1",
	  .options = TARGET_LIST, .run = cli_run_target_list, .path = "/v1/targets", .columns = CLI_COLUMNS_TARGETS, .empty = "no target yet" },
	{ .noun = "target", .verb = "show", .args = "INSTANCE/TARGET", .summary = "one place on one node",
	  .example = "troth target show pg-1/server",
	  .run = cli_run_target_show, .path = "/v1/targets", .sections = CLI_TARGET_SECTIONS },
	{ .noun = "target", .verb = "retry", .args = "INSTANCE/TARGET", .summary = "try again what failed there",
	  .detail = "After three failures of the same contents a target is left alone until something changes. This says that something has.",
	  .example = "troth target retry pg-1/server",
	  .run = cli_run_target_retry, .path = "/v1/targets" },

	{ .noun = "diff", .args = "[NAME]", .summary = "what is wanted against what was seen",
	  .detail = "Each target where the two differ: which certificates go (-) and which come (+), what its agent says, what was changed "
		    "there by hand. NAME is an instance, INSTANCE/TARGET, a deployment, or a credential that slots present. Exit 1 if anything "
		    "differs, 0 if not.",
	  .example = "troth diff\ntroth diff pg-1/server",
	  .run = cli_run_diff, .path = "/v1/targets", .empty = "nothing differs: every target was seen to have what it shall have" },

	{ .noun = "topology", .args = "", .summary = "who signed what, who trusts it, who serves it",
	  .detail = "A tree: authorities, below each version what it signed and the places that have it. Colours on a terminal: green, yellow in "
		    "the last third of a life (it should have been renewed by then), red in the last tenth. -o tree is the default; -o maestro prints "
		    "what Maestro would.",
	  .example = "troth topology --name /prod/pg/ca\ntroth topology -o yaml",
	  .options = TOPOLOGY, .run = cli_run_topology, .path = "/v1/topology", .empty = "nothing yet: troth authority create /prod/pg/ca" },
	{ .noun = "maestro", .verb = "topology", .args = "", .summary = "versions, who uses them, which sign: as Maestro prints it",
	  .detail = "For scripts that know Maestro: alias maestro='troth maestro'. active: a deployment was seen to use the version; signing: it "
		    "signed one that is active, so during a rotation two do; transitional: CredHub's flag. With --json (or MAESTRO_OUTPUT_JSON) as "
		    "JSON, and with --name and --json also what the CA signs.",
	  .example = "troth maestro topology --name /prod/pg/ca\ntroth topology --name /prod/pg/ca -o maestro",
	  .options = CLI_MAESTRO_NAME, .run = cli_run_maestro_topology, .path = "/v1/topology" },
	{ .noun = "maestro", .verb = "list", .args = "", .summary = "all certificates with their signers and ends",
	  .example = "troth maestro list\ntroth maestro list --expires-within 3m",
	  .options = CLI_MAESTRO_LIST, .run = cli_run_maestro_list, .path = "/v1/topology" },
	{ .noun = "maestro", .verb = "regenerate", .args = "WHAT", .summary = "WHAT is ca or leaf: a new version",
	  .detail = "ca: a rotation begins whose steps wait for update-transitional, and the new CA goes to all stores. leaf: certificates that a "
		    "rotation does not replace anyway are renewed; agents load them as the policy of their deployment says.",
	  .example = "troth maestro regenerate ca --name /prod/pg/ca\ntroth maestro regenerate leaf --signed-by /prod/pg/ca",
	  .options = CLI_MAESTRO_REGENERATE, .run = cli_run_maestro_regenerate, .path = "/v1/rotations" },
	{ .noun = "maestro", .verb = "update-transitional", .args = "WHAT", .summary = "WHAT is signing or remove: the next step",
	  .detail = "signing: slots take certificates of the new CA. remove: the old CA leaves the stores. Refused (exit 3) as long as the "
		    "engine waits for somebody, who is named.",
	  .example = "troth maestro update-transitional signing --name /prod/pg/ca --wait 10m\n"
		     "troth maestro update-transitional remove --name /prod/pg/ca --wait 10m",
	  .options = CLI_MAESTRO_UPDATE, .run = cli_run_maestro_update, .path = "/v1/rotations" },
	{ .noun = "maestro", .verb = "garbage-collect", .args = "", .summary = "which old CAs are still kept, and for whom",
	  .detail = "Nothing is deleted by it: a version is put away at the moment in which nobody has it any more.",
	  .example = "troth maestro garbage-collect --all --dry-run",
	  .options = CLI_MAESTRO_COLLECT, .run = cli_run_maestro_collect, .path = "/v1/topology" },
	{ .noun = "expiring", .args = "", .summary = "certificates that end soon",
	  .detail = "A chain ends with its first certificate, so that counts, and is named. Those of credentials and authorities, and single "
		    "certificates that bundles trust. Exit 1 if there are any, 0 if not.",
	  .example = "troth expiring\ntroth expiring --within 10d -o json",
	  .options = EXPIRING_OPTIONS, .run = cli_run_expiring, .path = "/v1/topology", .columns = CLI_COLUMNS_EXPIRING, .empty = "nothing ends so soon" },
	{ .noun = "search", .args = "TEXT", .summary = "names, SANs, subjects, serials, fingerprints",
	  .detail = "TEXT is a part of one of them, upper or lower case; of fingerprints and serials at least four digits, with or without colons. Versions that were put "
		    "away are found too. Exit 4 if nothing has it.",
	  .example = "troth search pg-1.pg.example\ntroth search pg-1",
	  .run = cli_run_search, .path = "/v1/topology", .columns = CLI_COLUMNS_FOUND, .empty = "nothing was found" },

	{ .noun = "token", .verb = "create", .args = "", .summary = "a token that joins one node",
	  .example = "troth token create --deployment pg --instance pg-1",
	  .options = TOKEN_CREATE, .run = cli_run_token_create, .path = "/v1/tokens" },
	{ .noun = "token", .verb = "list", .args = "", .summary = "tokens: open, used or expired",
	  .example = "troth token list",
	  .options = TOKEN_LIST, .run = cli_run_list, .path = "/v1/tokens", .columns = CLI_COLUMNS_TOKENS, .empty = "no token" },
	{ .noun = "token", .verb = "revoke", .args = "ID", .summary = "a token that shall not be used",
	  .example = "troth token revoke 6e0c51aa-3a0e-4f2a-9d0b-5d1f3c5a7e10",
	  .run = cli_run_delete, .path = "/v1/tokens", .empty = "revoked" },

	{ .noun = "recover", .verb = "list", .args = "", .summary = "nodes whose identity expired and that ask for a new one",
	  .detail = "Each has proved that it holds the key of its old identity. KEY is the beginning of the new key's SHA-256, as in the "
		    "agent's log; FROM is the address it asks from. contested: the old key was proved with two new ones, so it was copied.",
	  .example = "troth recover list",
	  .run = cli_run_list, .path = "/v1/recoveries", .columns = CLI_COLUMNS_RECOVERIES, .empty = "nobody asks for a new identity" },
	{ .noun = "recover", .verb = "approve", .args = "[INSTANCE...]", .summary = "give nodes a new identity",
	  .detail = "Their agents take it when they ask next, and open a session; what their targets hold is unknown until they have "
		    "reported. A waived instance joins like a new one. An approval that no agent came for ends after a day.",
	  .example = "troth recover approve pg-1 pg-2\ntroth recover approve --all --dry-run",
	  .options = RECOVER_APPROVE, .run = cli_run_recover, .path = "/v1/recoveries" },
	{ .noun = "recover", .verb = "deny", .args = "[INSTANCE...]", .summary = "refuse a node a new identity",
	  .detail = "Its agent is refused until somebody approves it, or it enrols again with a token (troth token create --reinstall).",
	  .example = "troth recover deny pg-1",
	  .options = RECOVER_DENY, .run = cli_run_recover, .path = "/v1/recoveries" },

	{ .noun = "principal", .verb = "add", .args = "[NAME]", .summary = "somebody who may call, and with what role",
	  .detail = "The token, the certificate or the password is shown this once. A credential is good for one API and refused at the others. "
		    "With a password one logs in (POST /oauth/token); after 5 wrong ones nobody does as this principal for 15 minutes.",
	  .example = "troth principal add ci --role operator --scope '/prod/pg/*' --expires 90d\n"
		     "troth principal add ada --role operator --password --facade credhub\n"
		     "troth principal add --app 8c5d6f1e-2b7a-4c3d-9e0f-1a2b3c4d5e6f \\\n"
		     "  --role developer --csr-file app.csr",
	  .options = PRINCIPAL_ADD, .run = cli_run_principal_secret, .path = "/v1/principals", .member = "name" },
	{ .noun = "principal", .verb = "list", .args = "", .summary = "who may call, and when each last did",
	  .example = "troth principal list",
	  .options = BY_NAME, .run = cli_run_list, .path = "/v1/principals", .columns = CLI_COLUMNS_PRINCIPALS, .empty = "nobody" },
	{ .noun = "principal", .verb = "show", .args = "NAME", .summary = "one of them",
	  .example = "troth principal show ci",
	  .run = cli_run_show, .path = "/v1/principals", .sections = CLI_PRINCIPAL_SECTIONS },
	{ .noun = "principal", .verb = "rotate", .args = "NAME", .summary = "a new credential; the old one is refused at once",
	  .example = "troth principal rotate ci",
	  .options = PRINCIPAL_ROTATE, .run = cli_run_principal_secret, .path = "/v1/principals" },
	{ .noun = "principal", .verb = "unlock", .args = "NAME", .summary = "let one who was locked out log in again",
	  .detail = "After 5 wrong passwords in a row nobody logs in as this principal for 15 minutes; this ends it at once.",
	  .example = "troth principal unlock ci",
	  .run = cli_run_post, .path = "/v1/principals" },
	{ .noun = "principal", .verb = "revoke", .args = "NAME", .summary = "one who shall not call any more",
	  .example = "troth principal revoke ci",
	  .run = cli_run_delete, .path = "/v1/principals", .empty = "revoked" },

	{ .noun = "server-certificate", .verb = "set", .args = "", .summary = "show people and scripts a certificate brought from outside",
	  .detail = "Everything is judged before anything changes; from the answer on it is shown to who calls the server by one of its names. "
		    "Agents and this program go on being shown the server's own, by whose CA they know it. Scripts that verify by a copy of "
		    "ca.pem need its CA first. You are told 60, 30, 14, 7 and 1 days before its end; set the next one the same way.",
	  .example = "troth server-certificate set --certificate-file troth.pem \\\n    --key-file troth.key --chain-file chain.pem",
	  .options = SERVER_CERTIFICATE, .run = cli_run_server_certificate_set, .path = "/v1/server/certificate" },
	{ .noun = "server-certificate", .verb = "show", .args = "", .summary = "what the server shows: its own, and what was brought",
	  .example = "troth server-certificate show",
	  .run = cli_run_server_certificate_show, .path = "/v1/server/certificate" },
	{ .noun = "server-certificate", .verb = "unset", .args = "", .summary = "the server's own for everybody again",
	  .example = "troth server-certificate unset",
	  .run = cli_run_server_certificate_unset, .path = "/v1/server/certificate" },

	{ .noun = "rotate", .args = "NAME", .summary = "replace a CA or a certificate, safely",
	  .detail = "Of an authority: a new CA comes in, every leaf is replaced, the old CA goes; each step when everybody who needs the step "
		    "before has been seen to have it. Interrupting this command does not stop the rotation.",
	  .example = "troth rotate /prod/pg/ca --dry-run\ntroth rotate /prod/pg/ca --wait --timeout 30m\n"
		     "troth rotate /prod/pg/ca --compromised --yes-break 12",
	  .options = ROTATE, .run = cli_run_rotate, .path = "/v1/rotations", .member = "name" },
	{ .noun = "rotation", .verb = "list", .args = "[NAME]", .summary = "rotations, and what they wait for",
	  .example = "troth rotation list /prod/pg/ca",
	  .run = cli_run_rotation_list, .path = "/v1/rotations", .columns = CLI_COLUMNS_ROTATIONS, .empty = "nothing was rotated yet" },
	{ .noun = "rotation", .verb = "show", .args = "NAME", .summary = "how far the newest one is",
	  .detail = "NAME is a credential, an authority, or the id of a rotation.",
	  .example = "troth rotation show /prod/pg/ca",
	  .run = cli_run_rotation_show, .path = "/v1/rotations" },
	{ .noun = "rotation", .verb = "watch", .args = "NAME", .summary = "follow one to its end",
	  .example = "troth rotation watch /prod/pg/ca",
	  .options = WATCH, .run = cli_run_rotation_watch, .path = "/v1/rotations" },
	{ .noun = "rotation", .verb = "pause", .args = "NAME", .summary = "hold still; what was sent is still applied",
	  .example = "troth rotation pause /prod/pg/ca",
	  .run = cli_run_rotation_steer, .path = "/v1/rotations" },
	{ .noun = "rotation", .verb = "resume", .args = "NAME", .summary = "go on",
	  .example = "troth rotation resume /prod/pg/ca",
	  .run = cli_run_rotation_steer, .path = "/v1/rotations" },
	{ .noun = "rotation", .verb = "approve", .args = "NAME", .summary = "say yes to the step that waits for it",
	  .detail = "With rollout manual (troth authority policy, troth deployment policy) each step waits: introduce the new CA, switch to it, "
		    "withdraw the old one. It says first what that is. An approval is for this rotation only.",
	  .example = "troth rotation approve /prod/pg/ca --dry-run\ntroth rotation approve /prod/pg/ca --step switch",
	  .options = APPROVE, .run = cli_run_rotation_approve, .path = "/v1/rotations" },
	{ .noun = "rotation", .verb = "abort", .args = "NAME", .summary = "go back to the old one, as safely",
	  .example = "troth rotation abort /prod/pg/ca --dry-run",
	  .options = ABORT, .run = cli_run_rotation_steer, .path = "/v1/rotations" },

	{ .noun = "freeze", .args = "", .summary = "nothing changes at all, until thaw",
	  .detail = "For an incident: no document is handed out that was not before, no key is asked for, no slot's certificate is signed. "
		    "Agents go on reporting; what waits goes on waiting.",
	  .example = "troth freeze --reason \"incident 4711\"\ntroth freeze --show",
	  .options = FREEZE, .run = cli_run_freeze, .path = "/v1/freeze" },
	{ .noun = "thaw", .args = "", .summary = "what was frozen goes on", .example = "troth thaw",
	  .run = cli_run_thaw, .path = "/v1/freeze" },

	{ .noun = "explain", .args = "[NAME]", .summary = "what is waited for: who, rule, reason, since",
	  .detail = "NAME is an authority, a credential, an instance or INSTANCE/TARGET; without it everything.",
	  .example = "troth explain /prod/pg/ca",
	  .run = cli_run_explain, .path = "/v1/explain" },

	{ .noun = "events", .args = "", .summary = "what happened, as it happens",
	  .detail = "One line each; with -o json one JSON object a line. --follow goes on until it is interrupted.",
	  .example = "troth events --follow --after 0",
	  .options = EVENTS, .run = cli_run_events, .path = "/v1/events" },

	{ .noun = "webhook", .verb = "add", .args = "NAME", .summary = "tell events to a URL, signed",
	  .detail = "Each event that matches is posted as JSON until the receiver answers 2xx: in order, at least once, with webhook-id, "
		    "webhook-timestamp and webhook-signature as in Standard Webhooks. What fails is tried again for 24 h, then the webhook is "
		    "disabled. For admins and operators of everything.",
	  .example = "troth webhook add ops --url https://hooks.example.org/troth \\\n    --event 'rotation.*' --receiver-ca root.pem",
	  .options = WEBHOOK_ADD, .run = cli_run_webhook_add, .path = "/v1/webhooks", .member = "name" },
	{ .noun = "webhook", .verb = "list", .args = "", .summary = "webhooks, and which of them fail",
	  .detail = "WAITING are the events behind the last one that was taken.",
	  .example = "troth webhook list",
	  .options = BY_NAME, .run = cli_run_list, .path = "/v1/webhooks", .columns = CLI_COLUMNS_WEBHOOKS, .empty = "no webhook" },
	{ .noun = "webhook", .verb = "show", .args = "NAME", .summary = "one of them",
	  .example = "troth webhook show ops",
	  .run = cli_run_show, .path = "/v1/webhooks" },
	{ .noun = "webhook", .verb = "test", .args = "NAME", .summary = "send one message now and print the answer",
	  .detail = "Also to one that is disabled. Exit 1 if the answer is not 2xx.",
	  .example = "troth webhook test ops",
	  .run = cli_run_webhook_test, .path = "/v1/webhooks" },
	{ .noun = "webhook", .verb = "enable", .args = "NAME", .summary = "go on where it stood, at once",
	  .detail = "After it was disabled; also to try a failing one now. Events that were forgotten meanwhile are told as a gap.",
	  .example = "troth webhook enable ops",
	  .run = cli_run_webhook_enable, .path = "/v1/webhooks" },
	{ .noun = "webhook", .verb = "remove", .args = "NAME", .summary = "tell it nothing more",
	  .example = "troth webhook remove ops",
	  .run = cli_run_delete, .path = "/v1/webhooks", .empty = "removed" },

	{ .noun = "forecast", .args = "[NAME]", .summary = "what will come if nobody does anything",
	  .detail = "The engine run ahead: renewals, rotations that begin by themselves, what will be waited for, and what breaks when. NAME as in "
		    "explain. What it assumes is printed too.",
	  .example = "troth forecast /prod/pg/ca --until 2027-06-01\ntroth forecast --until 30d",
	  .options = FORECAST, .run = cli_run_forecast, .path = "/v1/forecast" },

	{ .noun = "audit", .verb = "list", .args = "", .summary = "who changed what, when",
	  .example = "troth audit list --object /prod/pg/ca",
	  .options = AUDIT_LIST, .run = cli_run_list, .path = "/v1/audit", .columns = CLI_COLUMNS_AUDIT, .empty = "no row" },
	{ .noun = "audit", .verb = "verify", .args = "", .summary = "does the chain of the audit hold",
	  .detail = "Exit 1 and the number of the first broken row if it does not.",
	  .example = "troth audit verify",
	  .run = cli_run_audit_verify, .path = "/v1/audit/verify" },

	{ .noun = "context", .verb = "add", .args = "NAME", .summary = "remember a server",
	  .detail = "Kept in ~/.config/troth/contexts.json (XDG_CONFIG_HOME): where the server is and which files hold the CA and the token; no "
		    "secret is copied. --context NAME uses it for one command, troth context use for all; the first one is used at once. "
		    "TROTH_DIR and TROTH_SERVER come before a context that is only current.",
	  .example = "troth context add prod --server https://troth.example:8443 \\\n    --ca-file ca.pem --token-file token\n"
		     "troth context add lab --dir /var/lib/troth/server",
	  .run = cli_run_context_add },
	{ .noun = "context", .verb = "list", .args = "", .summary = "the servers that are remembered",
	  .example = "troth context list", .run = cli_run_context_list, .columns = CLI_COLUMNS_CONTEXTS, .empty = "no context yet: troth context add" },
	{ .noun = "context", .verb = "show", .args = "", .summary = "the one that is used",
	  .example = "troth context show", .run = cli_run_context_show },
	{ .noun = "context", .verb = "use", .args = "NAME", .summary = "from now on this one",
	  .example = "troth context use prod", .run = cli_run_context_use },
	{ .noun = "context", .verb = "remove", .args = "NAME", .summary = "forget one",
	  .example = "troth context remove lab", .run = cli_run_context_remove },

	{ .noun = "profile", .verb = "list", .args = "", .summary = "the profiles installed on this node",
	  .example = "troth profile list", .options = PROFILE_DIR, .run = cli_run_profile_list, .columns = CLI_COLUMNS_PROFILES, .empty = "none" },
	{ .noun = "profile", .verb = "show", .args = "NAME", .summary = "one, with its files and parameters",
	  .example = "troth profile show nginx", .options = PROFILE_DIR, .run = cli_run_profile_show, .sections = CLI_PROFILE_SECTIONS },
	{ .noun = "profile", .verb = "check", .args = "FILE", .summary = "is this profile right, and what would it do",
	  .detail = "Read by the agent's own code. With --settings every text is filled in as on that node. docs/profiles.md tells how to write one.",
	  .example = "troth profile check profiles/nginx.yaml\ntroth profile check mail.yaml --settings settings.yaml --target tls",
	  .options = PROFILE_CHECK, .run = cli_run_profile_check },

	{ .noun = "completion", .args = "SHELL", .summary = "for bash, zsh or fish",
	  .example = "troth completion bash >/etc/bash_completion.d/troth",
	  .run = cli_run_completion },
	{ .noun = "man", .args = "[COMMAND] [VERB]", .summary = "manual pages",
	  .example = "troth man rotate | man -l -\ntroth man --into /usr/local/share/man/man1",
	  .options = MAN, .run = cli_run_man },
	{ .noun = "health", .args = "", .summary = "is the server well", .example = "troth health",
	  .run = cli_run_health, .path = "/v1/health" },
	{ .noun = "version", .args = "", .summary = "of this program and of the server", .example = "troth version",
	  .run = cli_run_version, .path = "/v1/version" },
};
const size_t CLI_COMMAND_COUNT = ARRAY_LEN(CLI_COMMANDS);
