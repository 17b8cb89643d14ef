/* The schema, step by step.  Every table is STRICT (a value of another type is refused), every id is
 * AUTOINCREMENT (never reused: the engine remembers ids), every enum is checked text, every query of
 * this room has its index (test_schema asks the planner).  Random keys (uuid, fingerprint, hash) are
 * unique indexes beside a growing rowid, never the clustered key: five times cheaper in batches.
 *
 * Times are milliseconds since 1970, 0 for never.  Released steps are never edited: add one. */
#include "store/migrate.h"

#define ID "id INTEGER PRIMARY KEY AUTOINCREMENT, "
#define UUID "uuid TEXT NOT NULL UNIQUE, "
#define BOOL(name) name " INTEGER NOT NULL CHECK (" name " IN (0, 1)), "

static const char STEP_1[] =
	"CREATE TABLE meta (key TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT, WITHOUT ROWID;"
	"CREATE TABLE sequence (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID;"
	"INSERT INTO meta(key, value) VALUES ('epoch', CAST('1' AS BLOB));"

	/* -- credentials, certificates ------------------------------------------------------- */
	"CREATE TABLE credential (" ID UUID
	"  name TEXT NOT NULL,"
	"  kind TEXT NOT NULL CHECK (kind IN ('authority', 'leaf')),"
	"  origin TEXT NOT NULL CHECK (origin IN ('internal', 'external', 'imported')),"
	"  issuer_id INTEGER REFERENCES credential(id),"
	"  key_type TEXT NOT NULL, spec TEXT,"
	"  ca_ttl INTEGER NOT NULL, leaf_ttl INTEGER NOT NULL,"
	"  signing_version INTEGER REFERENCES version(id),"
	"  renew TEXT, leaf_renew TEXT,"
	BOOL("hold_at_deadline") BOOL("exportable") BOOL("paused")
	"  grace_until INTEGER NOT NULL, grace_target INTEGER,"
	"  rev INTEGER NOT NULL, created INTEGER NOT NULL, retired INTEGER NOT NULL,"
	"  ends INTEGER NOT NULL DEFAULT 9223372036854775807) STRICT;" /* kept by version.c: the end of the first wanted version */
	"CREATE UNIQUE INDEX credential_name ON credential(name) WHERE retired = 0;"
	"CREATE INDEX credential_kind ON credential(kind) WHERE retired = 0;"
	"CREATE INDEX credential_issuer ON credential(issuer_id) WHERE retired = 0;"
	"CREATE INDEX credential_below ON credential(issuer_id) WHERE retired = 0 AND kind = 'authority';" /* CAs; leaves are many more */
	"CREATE INDEX credential_ends ON credential(kind, ends, id) WHERE retired = 0;"
	/* its names, one a row, so that one can be looked for */
	"CREATE TABLE credential_san (san TEXT NOT NULL COLLATE NOCASE,"
	"  credential_id INTEGER NOT NULL REFERENCES credential(id) ON DELETE CASCADE,"
	"  PRIMARY KEY (san, credential_id)) STRICT, WITHOUT ROWID;"
	"CREATE INDEX credential_san_of ON credential_san(credential_id);"

	"CREATE TABLE cert (" ID
	"  fingerprint BLOB NOT NULL UNIQUE CHECK (length(fingerprint) = 32),"
	"  der BLOB NOT NULL, subject TEXT NOT NULL, issuer TEXT NOT NULL, serial TEXT NOT NULL,"
	"  subject_key BLOB NOT NULL, spki_hash BLOB NOT NULL,"
	"  not_before INTEGER NOT NULL, not_after INTEGER NOT NULL,"
	"  is_ca INTEGER NOT NULL CHECK (is_ca IN (0, 1)),"
	"  self_signed INTEGER NOT NULL CHECK (self_signed IN (0, 1))) STRICT;"
	"CREATE INDEX cert_subject_key ON cert(subject_key);"

	"CREATE TABLE version (" ID UUID
	"  credential_id INTEGER NOT NULL REFERENCES credential(id),"
	"  cert_id INTEGER NOT NULL REFERENCES cert(id),"
	"  signed_by INTEGER REFERENCES version(id),"
	"  source TEXT NOT NULL CHECK (source IN ('generated', 'uploaded', 'csr')),"
	"  above TEXT NOT NULL,"
	"  anchor_cert INTEGER REFERENCES cert(id),"
	"  key_blob BLOB, sealed_key BLOB,"
	"  cross_cert INTEGER REFERENCES cert(id), cross_by INTEGER REFERENCES version(id),"
	BOOL("wanted") BOOL("signing") BOOL("can_sign") BOOL("distrusted")
	"  created INTEGER NOT NULL, retired_at INTEGER NOT NULL,"
	"  renew_at INTEGER NOT NULL, renew_latest INTEGER NOT NULL, renewing INTEGER NOT NULL, forgotten INTEGER NOT NULL) STRICT;"
	"CREATE INDEX version_credential ON version(credential_id);"
	"CREATE INDEX version_cert ON version(cert_id);"
	"CREATE INDEX version_anchor ON version(anchor_cert) WHERE anchor_cert IS NOT NULL;"
	"CREATE INDEX version_signed_by ON version(signed_by);"
	"CREATE INDEX version_wanted ON version(credential_id) WHERE wanted = 1;"
	"CREATE INDEX version_distrusted ON version(credential_id) WHERE distrusted = 1;"
	"CREATE INDEX version_due ON version(renew_at) WHERE wanted = 1 AND renew_at > 0;"
	/* engine-rules 7, rule 1a */
	"CREATE UNIQUE INDEX version_signing ON version(credential_id) WHERE signing = 1;"

	"CREATE TABLE metadata (" ID
	"  version_id INTEGER NOT NULL UNIQUE REFERENCES version(id) ON DELETE CASCADE,"
	"  body TEXT NOT NULL) STRICT;"

	"CREATE TABLE ca_request (" ID UUID
	"  credential_id INTEGER NOT NULL UNIQUE REFERENCES credential(id) ON DELETE CASCADE,"
	"  key_blob BLOB NOT NULL, csr BLOB NOT NULL,"
	"  rotation_id INTEGER REFERENCES rotation(id),"
	"  created INTEGER NOT NULL) STRICT;"

	"CREATE TABLE content (" ID
	"  kind TEXT NOT NULL CHECK (kind IN ('chain', 'set')),"
	"  certs TEXT NOT NULL,"
	"  version_id INTEGER REFERENCES version(id),"
	"  hash BLOB NOT NULL UNIQUE) STRICT;"
	"CREATE INDEX content_version ON content(version_id);"

	/* -- bundles, deployments ------------------------------------------------------------- */
	"CREATE TABLE bundle (" ID UUID
	"  name TEXT NOT NULL UNIQUE, rev INTEGER NOT NULL, created INTEGER NOT NULL) STRICT;"
	"CREATE TABLE bundle_member (" ID
	"  bundle_id INTEGER NOT NULL REFERENCES bundle(id) ON DELETE CASCADE,"
	"  authority_id INTEGER REFERENCES credential(id),"
	"  cert_id INTEGER REFERENCES cert(id),"
	"  alias TEXT, source TEXT, created INTEGER NOT NULL,"
	"  CHECK ((authority_id IS NULL) <> (cert_id IS NULL)),"
	"  UNIQUE (bundle_id, authority_id), UNIQUE (bundle_id, cert_id), UNIQUE (bundle_id, alias)) STRICT;"
	"CREATE INDEX bundle_member_bundle ON bundle_member(bundle_id);"
	"CREATE INDEX bundle_member_authority ON bundle_member(authority_id);"
	"CREATE INDEX bundle_member_cert ON bundle_member(cert_id);"

	"CREATE TABLE deployment (" ID UUID
	"  name TEXT NOT NULL UNIQUE," BOOL("ephemeral") BOOL("ignored")
	"  lease INTEGER NOT NULL,"
	"  party TEXT NOT NULL CHECK (party IN ('agent', 'external', 'holder', 'binding', 'own')), grace INTEGER NOT NULL,"
	"  rev INTEGER NOT NULL, created INTEGER NOT NULL) STRICT;"
	"CREATE TABLE rolling (" ID
	"  deployment_id INTEGER NOT NULL UNIQUE REFERENCES deployment(id) ON DELETE CASCADE,"
	"  max_unavailable INTEGER NOT NULL, canary INTEGER NOT NULL, pause INTEGER NOT NULL,"
	BOOL("stop_on_failure") BOOL("manual")
	"  windows TEXT," BOOL("window_open")
	"  window_at INTEGER NOT NULL, window_until INTEGER NOT NULL, settled_at INTEGER NOT NULL,"
	"  stopped_at INTEGER NOT NULL, stopped_by TEXT) STRICT;"
	"CREATE INDEX rolling_windows ON rolling(window_until) WHERE windows IS NOT NULL;"
	"CREATE TABLE template (" ID UUID
	"  deployment_id INTEGER NOT NULL REFERENCES deployment(id) ON DELETE CASCADE,"
	"  kind TEXT NOT NULL CHECK (kind IN ('slot', 'store')),"
	"  party TEXT NOT NULL CHECK (party IN ('agent', 'external', 'holder', 'binding', 'own')),"
	"  name TEXT NOT NULL, profile TEXT NOT NULL,"
	"  role TEXT NOT NULL CHECK (role IN ('server', 'client', 'both')),"
	"  parameters TEXT, credential_pattern TEXT, common_name TEXT, sans TEXT,"
	"  authority_id INTEGER REFERENCES credential(id),"
	"  bundle_id INTEGER REFERENCES bundle(id),"
	"  key_source TEXT NOT NULL CHECK (key_source IN ('agent', 'keeper')),"
	"  key_type TEXT, leaf_ttl INTEGER NOT NULL," BOOL("atomic")
	"  store_limit INTEGER NOT NULL, created INTEGER NOT NULL,"
	"  UNIQUE (deployment_id, name)) STRICT;"
	"CREATE INDEX template_deployment ON template(deployment_id);"
	"CREATE INDEX template_authority ON template(authority_id);"
	"CREATE INDEX template_bundle ON template(bundle_id);"
	"CREATE TABLE meet (" ID
	"  presenter_id INTEGER NOT NULL REFERENCES template(id) ON DELETE CASCADE,"
	"  verifier_id INTEGER NOT NULL REFERENCES template(id) ON DELETE CASCADE,"
	BOOL("active")
	"  source TEXT NOT NULL, since INTEGER NOT NULL,"
	"  UNIQUE (presenter_id, verifier_id)) STRICT;"
	"CREATE INDEX meet_verifier ON meet(verifier_id);"

	/* -- instances, targets, documents ------------------------------------------------------ */
	"CREATE TABLE instance (" ID UUID
	"  deployment_id INTEGER NOT NULL REFERENCES deployment(id) ON DELETE CASCADE,"
	"  name TEXT NOT NULL,"
	"  state TEXT NOT NULL CHECK (state IN ('active', 'waived', 'leaving', 'left')),"
	"  identity_fingerprint BLOB, identity_previous BLOB,"
	"  identity_not_after INTEGER NOT NULL, identity_der BLOB,"
	"  boot_id TEXT, session INTEGER NOT NULL, session_opened INTEGER NOT NULL,"
	"  last_seen INTEGER NOT NULL, alive_until INTEGER NOT NULL, desired_version INTEGER NOT NULL,"
	"  agent_version TEXT, alarm TEXT, lease_until INTEGER NOT NULL,"
	"  created INTEGER NOT NULL, left_at INTEGER NOT NULL) STRICT;"
	"CREATE UNIQUE INDEX instance_name ON instance(deployment_id, name) WHERE state <> 'left';"
	"CREATE INDEX instance_deployment ON instance(deployment_id);"
	"CREATE INDEX instance_waived ON instance(id) WHERE state = 'waived';"
	"CREATE INDEX instance_over ON instance(left_at) WHERE state = 'left' AND lease_until > 0;"
	"CREATE UNIQUE INDEX instance_identity ON instance(identity_fingerprint);"
	"CREATE INDEX instance_previous ON instance(identity_previous);"

	"CREATE TABLE target (" ID UUID
	"  instance_id INTEGER NOT NULL REFERENCES instance(id) ON DELETE CASCADE,"
	"  template_id INTEGER NOT NULL REFERENCES template(id),"
	"  credential_id INTEGER REFERENCES credential(id),"
	"  state TEXT NOT NULL CHECK (state IN ('joining', 'counted', 'waived', 'leaving', 'left')),"
	"  next_generation INTEGER NOT NULL," BOOL("base_known") BOOL("strange")
	"  base_content INTEGER REFERENCES content(id),"
	"  base_generation INTEGER NOT NULL, high_water INTEGER NOT NULL,"
	"  level TEXT NOT NULL CHECK (level IN ('none', 'sent', 'written', 'loaded', 'probed')),"
	"  level_generation INTEGER NOT NULL, seen_at INTEGER NOT NULL, last_error TEXT,"
	"  failed_content INTEGER REFERENCES content(id), failures INTEGER NOT NULL,"
	"  report_seq INTEGER NOT NULL, csr_request TEXT, csr_ca INTEGER REFERENCES version(id), pace INTEGER NOT NULL,"
	"  found TEXT, drift TEXT, created INTEGER NOT NULL, left_at INTEGER NOT NULL,"
	"  UNIQUE (instance_id, template_id)) STRICT;"
	"CREATE INDEX target_template ON target(template_id);"
	"CREATE INDEX target_credential ON target(credential_id);"
	"CREATE INDEX target_joining ON target(instance_id) WHERE state = 'joining';"
	"CREATE INDEX target_csr ON target(id) WHERE csr_request IS NOT NULL;"

	"CREATE TABLE document (" ID
	"  target_id INTEGER NOT NULL REFERENCES target(id) ON DELETE CASCADE,"
	"  generation INTEGER NOT NULL,"
	"  content_id INTEGER NOT NULL REFERENCES content(id),"
	"  version_id INTEGER REFERENCES version(id),"
	"  state TEXT NOT NULL CHECK (state IN ('pending', 'settled', 'replaced', 'void')),"
	"  session INTEGER NOT NULL, created INTEGER NOT NULL, handed_at INTEGER NOT NULL,"
	"  UNIQUE (target_id, generation)) STRICT;"
	"CREATE INDEX document_pending ON document(target_id, generation) WHERE state = 'pending';"
	"CREATE INDEX document_open ON document(state) WHERE state = 'pending';"

	"CREATE TABLE staged (" ID
	"  target_id INTEGER NOT NULL REFERENCES target(id) ON DELETE CASCADE,"
	"  content_id INTEGER NOT NULL REFERENCES content(id),"
	"  version_id INTEGER NOT NULL REFERENCES version(id),"
	"  csr_request TEXT, created INTEGER NOT NULL,"
	"  UNIQUE (target_id, content_id)) STRICT;"

	"CREATE TABLE sealed (" ID
	"  target_id INTEGER NOT NULL REFERENCES target(id) ON DELETE CASCADE,"
	"  content_id INTEGER NOT NULL REFERENCES content(id),"
	"  sealed BLOB NOT NULL, created INTEGER NOT NULL,"
	"  UNIQUE (target_id, content_id)) STRICT;"

	"CREATE TABLE binding (" ID UUID
	"  name TEXT NOT NULL,"
	"  target_id INTEGER NOT NULL UNIQUE REFERENCES target(id) ON DELETE CASCADE,"
	"  ack TEXT NOT NULL CHECK (ack IN ('confirm', 'fetch', 'attest')),"
	"  delay INTEGER NOT NULL, renew_by INTEGER NOT NULL, grace INTEGER NOT NULL,"
	"  fetched_at INTEGER NOT NULL, fetched_generation INTEGER NOT NULL,"
	"  acked_at INTEGER NOT NULL, acked_generation INTEGER NOT NULL,"
	"  acked_how TEXT NOT NULL CHECK (acked_how IN ('confirm', 'fetch', 'attest')),"
	"  acked_by TEXT, acked_reason TEXT, overdue_since INTEGER NOT NULL,"
	"  created INTEGER NOT NULL, left_at INTEGER NOT NULL) STRICT;"
	"CREATE UNIQUE INDEX binding_name ON binding(name) WHERE left_at = 0;"

	"CREATE TABLE recovery (" ID
	"  instance_id INTEGER NOT NULL UNIQUE REFERENCES instance(id) ON DELETE CASCADE,"
	"  state TEXT NOT NULL CHECK (state IN ('pending', 'approved', 'denied')),"
	"  key BLOB NOT NULL, peer TEXT NOT NULL, asked_at INTEGER NOT NULL, last_at INTEGER NOT NULL,"
	"  nonce_at INTEGER NOT NULL, rivals INTEGER NOT NULL,"
	"  decided_by TEXT, decided_at INTEGER NOT NULL, issued_at INTEGER NOT NULL) STRICT;"

	/* -- who -------------------------------------------------------------------------------------- */
	"CREATE TABLE token (" ID UUID
	"  hash BLOB NOT NULL UNIQUE,"
	"  deployment_id INTEGER NOT NULL REFERENCES deployment(id) ON DELETE CASCADE,"
	"  instance_name TEXT, expires INTEGER NOT NULL, used_at INTEGER NOT NULL,"
	"  revoked INTEGER NOT NULL, created INTEGER NOT NULL," BOOL("reinstall")
	"  used_by INTEGER REFERENCES instance(id) ON DELETE SET NULL) STRICT;"
	"CREATE INDEX token_deployment ON token(deployment_id);"
	"CREATE INDEX token_used_by ON token(used_by);"
	"CREATE TABLE principal (" ID UUID
	"  name TEXT NOT NULL, roles INTEGER NOT NULL, scope TEXT NOT NULL,"
	"  token_hash BLOB UNIQUE, cert_fingerprint BLOB,"
	"  instance_id INTEGER REFERENCES instance(id) ON DELETE SET NULL,"
	"  created INTEGER NOT NULL, expires INTEGER NOT NULL, revoked INTEGER NOT NULL, last_used INTEGER NOT NULL,"
	"  facade TEXT, password TEXT, failures INTEGER NOT NULL, failed_at INTEGER NOT NULL, locked_until INTEGER NOT NULL) STRICT;"
	"CREATE UNIQUE INDEX principal_name ON principal(name) WHERE revoked = 0;"
	"CREATE UNIQUE INDEX principal_fingerprint ON principal(cert_fingerprint) WHERE revoked = 0;"
	"CREATE INDEX principal_instance ON principal(instance_id);"
	"CREATE TABLE login (" ID UUID
	"  principal_id INTEGER NOT NULL REFERENCES principal(id) ON DELETE CASCADE," BOOL("refresh")
	"  session TEXT NOT NULL, client TEXT NOT NULL, hash BLOB NOT NULL UNIQUE,"
	"  created INTEGER NOT NULL, expires INTEGER NOT NULL) STRICT;"
	"CREATE INDEX login_principal ON login(principal_id);"
	"CREATE INDEX login_session ON login(session);"
	"CREATE INDEX login_expires ON login(expires);"
	"CREATE TABLE permission (" ID UUID
	"  principal_id INTEGER NOT NULL REFERENCES principal(id) ON DELETE CASCADE,"
	"  path TEXT NOT NULL, actor TEXT NOT NULL, operations INTEGER NOT NULL, created INTEGER NOT NULL) STRICT;"
	"CREATE UNIQUE INDEX permission_of ON permission(principal_id, path);"

	/* -- what goes on ------------------------------------------------------------------------------ */
	"CREATE TABLE operation (" ID UUID
	"  kind TEXT NOT NULL, object TEXT,"
	"  state TEXT NOT NULL CHECK (state IN ('running', 'succeeded', 'failed', 'cancelled')),"
	"  progress TEXT, waits_for TEXT, result TEXT, started_by TEXT,"
	"  created INTEGER NOT NULL, updated INTEGER NOT NULL, finished INTEGER NOT NULL) STRICT;"
	"CREATE INDEX operation_kind ON operation(kind, id);"
	"CREATE INDEX operation_running ON operation(state) WHERE state = 'running';"
	"CREATE TABLE rotation (" ID UUID
	"  credential_id INTEGER NOT NULL REFERENCES credential(id),"
	"  state TEXT NOT NULL CHECK (state IN ('running', 'paused', 'done', 'aborted')),"
	"  new_version INTEGER REFERENCES version(id), old_versions TEXT NOT NULL,"
	"  below_new TEXT NOT NULL, below_old TEXT NOT NULL,"
	"  wanted_before TEXT NOT NULL, distrusted TEXT NOT NULL, superseded_by INTEGER REFERENCES rotation(id),"
	BOOL("by_steps") "  ordered INTEGER NOT NULL,"
	"  operation_id INTEGER REFERENCES operation(id),"
	"  reason TEXT, started_by TEXT, started INTEGER NOT NULL, finished INTEGER NOT NULL) STRICT;"
	"CREATE INDEX rotation_credential ON rotation(credential_id);"
	"CREATE INDEX rotation_open ON rotation(id) WHERE state IN ('running', 'paused');"
	"CREATE TABLE rollout (" ID
	"  credential_id INTEGER NOT NULL UNIQUE REFERENCES credential(id) ON DELETE CASCADE,"
	BOOL("switch_all") BOOL("manual")
	"  CHECK (switch_all + manual > 0)) STRICT;"
	"CREATE TABLE approval (" ID
	"  rotation_id INTEGER NOT NULL REFERENCES rotation(id) ON DELETE CASCADE,"
	"  step TEXT NOT NULL CHECK (step IN ('introduce', 'switch', 'withdraw')),"
	"  approved_by TEXT NOT NULL, approved_at INTEGER NOT NULL,"
	"  UNIQUE (rotation_id, step)) STRICT;"
	"CREATE TABLE freeze (" ID
	"  reason TEXT NOT NULL, frozen_by TEXT NOT NULL, frozen_at INTEGER NOT NULL,"
	"  thawed_by TEXT, thawed_at INTEGER NOT NULL) STRICT;"
	"CREATE UNIQUE INDEX freeze_on ON freeze(thawed_at) WHERE thawed_at = 0;"
	"CREATE TABLE wait (" ID
	"  key TEXT NOT NULL UNIQUE,"
	"  authority_id INTEGER REFERENCES credential(id) ON DELETE CASCADE,"
	"  target_id INTEGER REFERENCES target(id) ON DELETE CASCADE,"
	"  since INTEGER NOT NULL, earliest INTEGER NOT NULL, body TEXT NOT NULL,"
	"  rank INTEGER NOT NULL) STRICT;"
	"CREATE INDEX wait_rank ON wait(rank);"
	"CREATE INDEX wait_authority ON wait(authority_id, rank);"
	"CREATE INDEX wait_target ON wait(target_id);"

	"CREATE TABLE webhook (" ID UUID
	"  name TEXT NOT NULL UNIQUE, url TEXT NOT NULL, events TEXT NOT NULL, ca_pem TEXT, key_blob BLOB NOT NULL,"
	"  cursor INTEGER NOT NULL,"
	"  disabled_at INTEGER NOT NULL, disabled_why TEXT,"
	"  attempts INTEGER NOT NULL, failing_since INTEGER NOT NULL, due INTEGER NOT NULL,"
	"  last_error TEXT, last_delivered INTEGER NOT NULL,"
	"  test_operation INTEGER REFERENCES operation(id) ON DELETE SET NULL,"
	"  created_by TEXT NOT NULL, created INTEGER NOT NULL) STRICT;"

	/* -- the journal ------------------------------------------------------------------------------- */
	"CREATE TABLE outbox (" ID
	"  kind TEXT NOT NULL, body TEXT, created INTEGER NOT NULL, due INTEGER NOT NULL,"
	"  attempts INTEGER NOT NULL, last_error TEXT) STRICT;"
	"CREATE INDEX outbox_due ON outbox(due);"
	"CREATE TABLE event (seq INTEGER PRIMARY KEY AUTOINCREMENT,"
	"  at INTEGER NOT NULL, kind TEXT NOT NULL, object TEXT, within TEXT, topic TEXT, body TEXT) STRICT;"
	"CREATE INDEX event_topic ON event(topic);"
	"CREATE TABLE audit (seq INTEGER PRIMARY KEY,"
	"  at INTEGER NOT NULL, who TEXT NOT NULL, action TEXT NOT NULL, object TEXT, within TEXT,"
	"  \"before\" TEXT, \"after\" TEXT, hash BLOB NOT NULL) STRICT;"
	"CREATE INDEX audit_object ON audit(object);"
	"CREATE TABLE audit_head (seq INTEGER PRIMARY KEY,"
	"  hash BLOB NOT NULL, signature BLOB NOT NULL, spki BLOB NOT NULL, signed_at INTEGER NOT NULL) STRICT;"
	"CREATE TABLE idempotency (principal TEXT NOT NULL, key TEXT NOT NULL,"
	"  body_hash BLOB NOT NULL, status INTEGER NOT NULL, headers TEXT, body BLOB, created INTEGER NOT NULL,"
	"  PRIMARY KEY (principal, key)) STRICT, WITHOUT ROWID;"
	"CREATE INDEX idempotency_created ON idempotency(created);";

const struct migration MIGRATIONS[] = {
	{ 1, STEP_1 },
};
const size_t MIGRATION_COUNT = ARRAY_LEN(MIGRATIONS);
