/* The table of gauges.  See gauge.h.
 *
 * A chain is served where a counted target was last seen with it (its base).  It ends when the first of its certificates
 * does, or the first of the CAs above that are not sent with it, its root among them. */
#include "store/gauge.h"

#include "store/stmt.h"

#define NEVER "9223372036854775807"

/* chain(authority, at, members): what is served, by its signer.  `line` is a CA version and each one above it.  Of 100,000
 * targets each join here costs some 20 ms, so what few chains need (owner, anchor) is looked up for those only. */
#define SERVED_CHAINS                                                                                                        \
	"WITH RECURSIVE line(id, name, up) AS (SELECT v.id, c.name, v.id FROM credential c JOIN version v ON v.credential_id = c.id" \
	" WHERE c.kind = 'authority' UNION SELECT line.id, line.name, v.signed_by FROM line JOIN version v ON v.id = line.up" \
	" WHERE v.signed_by IS NOT NULL),"                                                                                   \
	" ca(id, name, at) AS MATERIALIZED (SELECT line.id, line.name, min(x.not_after) FROM line JOIN version v ON v.id = line.up" \
	" JOIN cert x ON x.id = v.cert_id GROUP BY line.id),"                                                                \
	" held(content, members) AS MATERIALIZED (SELECT base_content, count(*) FROM target WHERE base_known = 1"           \
	" AND base_content IS NOT NULL AND state IN ('counted', 'leaving') GROUP BY base_content),"                         \
	" chain(authority, at, members) AS MATERIALIZED (SELECT coalesce(ca.name, (SELECT i.name FROM credential c JOIN credential i"    \
	" ON i.id = c.issuer_id WHERE c.id = v.credential_id), ''),"                                                        \
	" min((SELECT min(x.not_after) FROM json_each(k.certs) j JOIN cert x ON x.id = j.value), coalesce(ca.at, " NEVER ")," \
	" CASE WHEN v.anchor_cert IS NULL THEN " NEVER " ELSE (SELECT n.not_after FROM cert n WHERE n.id = v.anchor_cert) END)," \
	" held.members FROM held JOIN content k ON k.id = held.content JOIN version v ON v.id = k.version_id"               \
	" LEFT JOIN ca ON ca.id = v.signed_by WHERE k.kind = 'chain') "

#define WAITS(number)                                                                                                        \
	"SELECT coalesce(c.name, ''), json_extract(w.body, '$.speaker'), json_extract(w.body, '$.reason'), " number         \
	" FROM wait w LEFT JOIN credential c ON c.id = w.authority_id GROUP BY 1, 2, 3 ORDER BY min(w.since) LIMIT ?2"

const struct gauge GAUGES[] = {
	{ { "troth_authority_not_after_seconds", "When a version of an authority ends, in seconds since 1970; versions that are retired are left out.",
	    METER_GAUGE, { "authority", "version" }, 1000 },
	  "SELECT c.name, v.uuid, x.not_after FROM credential c JOIN version v ON v.credential_id = c.id JOIN cert x ON x.id = v.cert_id"
	  " WHERE c.kind = 'authority' AND c.retired = 0 AND v.retired_at = 0 ORDER BY x.not_after, v.id LIMIT ?2" },
	{ { "troth_chain_not_after_seconds", "When the first of the chains that are served ends, its root included, in seconds since 1970; by the authority that signed its leaf.",
	    METER_GAUGE, { "authority" }, 1000 },
	  SERVED_CHAINS "SELECT authority, min(at) FROM chain GROUP BY authority ORDER BY 2 LIMIT ?2" },
	{ { "troth_chains_ending", "Targets that serve a chain which ends within this time, or has ended; within=\"any\" counts all.", METER_GAUGE,
	    { "authority", "within" } },
	  SERVED_CHAINS ", each(authority, at, d1, d7, d30, d90, n) AS MATERIALIZED (SELECT authority, min(at),"
	  " sum(CASE WHEN at <= ?1 + 86400000 THEN members ELSE 0 END), sum(CASE WHEN at <= ?1 + 604800000 THEN members ELSE 0 END),"
	  " sum(CASE WHEN at <= ?1 + 2592000000 THEN members ELSE 0 END), sum(CASE WHEN at <= ?1 + 7776000000 THEN members ELSE 0 END),"
	  " sum(members) FROM chain GROUP BY authority), term(name, place) AS (VALUES ('1d', 1), ('7d', 2), ('30d', 3), ('90d', 4), ('any', 5))"
	  " SELECT authority, name, CASE place WHEN 1 THEN d1 WHEN 2 THEN d7 WHEN 3 THEN d30 WHEN 4 THEN d90 ELSE n END"
	  " FROM each CROSS JOIN term ORDER BY at, authority, place LIMIT ?2" },
	{ { "troth_rotation_age_seconds", "For how long a rotation of the authority has been under way (state: running, paused); the oldest.", METER_GAUGE,
	    { "authority", "state" }, 1000 },
	  "SELECT c.name, r.state, max(0, ?1 - min(r.started)) FROM rotation r JOIN credential c ON c.id = r.credential_id"
	  " WHERE r.state IN ('running', 'paused') GROUP BY c.name, r.state ORDER BY min(r.started) LIMIT ?2" },
	{ { "troth_waits", "What is waited for, as `troth explain` lists it: its first 200.", METER_GAUGE, { "authority", "speaker", "reason" } },
	  WAITS("count(*)") },
	{ { "troth_wait_age_seconds", "Since when the oldest of these waits is waited for.", METER_GAUGE, { "authority", "speaker", "reason" }, 1000 },
	  WAITS("max(0, ?1 - min(w.since))") },
	{ { "troth_instances", "Instances with an agent: alive were heard of in the last minutes, offline were not.", METER_GAUGE,
	    { "deployment", "state" } },
	  "WITH state(name) AS (VALUES ('alive'), ('offline'), ('waived'), ('leaving')), member(deployment, state, n) AS MATERIALIZED"
	  " (SELECT deployment_id, CASE WHEN state <> 'active' THEN state WHEN alive_until > ?1 THEN 'alive' ELSE 'offline' END, count(*)"
	  " FROM instance WHERE state <> 'left' GROUP BY 1, 2) SELECT d.name, state.name, coalesce(max(m.n), 0)"
	  " FROM deployment d CROSS JOIN state LEFT JOIN member m ON m.deployment = d.id AND m.state = state.name WHERE d.party = 'agent'"
	  " GROUP BY d.id, state.name ORDER BY (SELECT n FROM member o WHERE o.deployment = d.id AND o.state = 'offline') DESC, d.id, state.name"
	  " LIMIT ?2" },
	{ { "troth_targets", "Slots and stores by state; those that left are left out.", METER_GAUGE, { "state" } },
	  "WITH state(name) AS (VALUES ('joining'), ('counted'), ('waived'), ('leaving')), member(state, n) AS MATERIALIZED"
	  " (SELECT state, count(*) FROM target WHERE state <> 'left' GROUP BY state)"
	  " SELECT state.name, coalesce(m.n, 0) FROM state LEFT JOIN member m ON m.state = state.name LIMIT ?2" },
	{ { "troth_targets_failing", "Targets whose agent could not apply what it was sent last.", METER_GAUGE, { "deployment" } },
	  "SELECT d.name, sum(t.failures > 0) FROM target t JOIN instance i ON i.id = t.instance_id JOIN deployment d ON d.id = i.deployment_id"
	  " WHERE t.state <> 'left' AND d.party = 'agent' GROUP BY d.id ORDER BY 2 DESC, d.id LIMIT ?2" },
	{ { "troth_webhooks", "Webhooks by state.", METER_GAUGE, { "state" } },
	  "WITH state(name) AS (VALUES ('working'), ('failing'), ('disabled')) SELECT state.name, (SELECT count(*) FROM webhook"
	  " WHERE CASE WHEN disabled_at <> 0 THEN 'disabled' WHEN attempts <> 0 THEN 'failing' ELSE 'working' END = state.name) FROM state LIMIT ?2" },
	{ { "troth_webhook_waiting", "Events behind the last one that its receiver took, or that it does not want.", METER_GAUGE, { "webhook" } },
	  "SELECT name, max(0, coalesce((SELECT seq FROM sqlite_sequence WHERE sqlite_sequence.name = 'event'), 0) - cursor) FROM webhook"
	  " ORDER BY 2 DESC, id LIMIT ?2" },
	{ { "troth_webhook_failing_seconds", "For how long its receiver has taken nothing; 0: it took the last that was sent.", METER_GAUGE,
	    { "webhook" }, 1000 },
	  "SELECT name, CASE WHEN failing_since = 0 THEN 0 ELSE max(0, ?1 - failing_since) END FROM webhook ORDER BY 2 DESC, id LIMIT ?2" },
	{ { "troth_event_seq", "The number of the newest event.", METER_GAUGE },
	  "SELECT coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'event'), 0) LIMIT ?2" },
};
const size_t GAUGE_COUNT = ARRAY_LEN(GAUGES);

static size_t label_count(const struct meter_family *f)
{
	size_t n = 0;
	while (n < METER_LABELS && f->labels[n])
		n++;
	return n;
}

static void read_sample(struct arena *a, sqlite3_stmt *st, size_t labels, struct meter_sample *ret)
{
	int64_t *cell = ARENA_NEW(a, int64_t);
	for (size_t i = 0; i < labels; i++) {
		const char *text = (const char *)sqlite3_column_text(st, (int)i);
		ret->values[i] = arena_text(a, text ? text : "");
	}
	*cell = sqlite3_column_int64(st, (int)labels);
	ret->cells = cell;
}

troth_rc gauge_read(struct tx *tx, struct arena *a, size_t i, msec_t now, size_t limit, struct meter_reading *ret, struct troth_err *e)
{
	const struct gauge *g = &GAUGES[i];
	size_t at_most = limit ? limit : LIMIT_METRIC_SERIES;
	struct meter_sample *samples = ARENA_ARRAY(a, struct meter_sample, at_most);
	sqlite3_stmt *st;
	*ret = (struct meter_reading){ .family = &g->family, .samples = samples };
	TRY(stmt_usable(tx, false, e));
	TRY(stmt_prepare(tx, g, 0, g->sql, &st, e));
	stmt_bind(st, ARGS(arg_int(now), arg_int((int64_t)at_most + 1)));
	for (bool more = true;;) {
		TRY(stmt_step(tx, st, &more, e));
		ret->cut = more && ret->count == at_most;
		if (!more || ret->cut)
			break;
		read_sample(a, st, label_count(&g->family), &samples[ret->count++]);
	}
	stmt_reset(st);
	return RC_OK;
}
