/* One room for the nouns' tests.  See room.h. */
#include "room.h"

#include "pki/password.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static msec_t fake_now(void *self) { return ((struct room *)self)->now; }

static troth_rc line_call(void *self, struct arena *a, const struct keeper_request *const *need, size_t n,
			  const struct keeper_reply **replies, struct troth_err *e)
{
	struct room *r = self;
	void (*before)(struct room *) = r->before_keeper;
	r->before_keeper = NULL;
	if (before)
		before(r);
	for (size_t i = 0; i < n; i++) {
		struct keeper_request req = *need[i];
		struct keeper_reply *reply = ARENA_NEW(a, struct keeper_reply);
		req.id = i + 1;
		ENSURE(++r->keeper_calls != r->keeper_dies_at, e, TROTH_UNAVAILABLE, "the keeper is gone");
		keeper_handle(r->keeper, &req, a, reply);
		TRY(keeper_reply_check(reply, e));
		replies[i] = reply;
	}
	return RC_OK;
}

static void must(troth_rc rc, const struct troth_err *e, const char *what)
{
	if (rc_ok(rc))
		return;
	for (const struct finding *f = e->findings; f; f = f->next)
		fprintf(stderr, "  %s [%s] %s\n", f->path, f->rule, f->text);
	fail_msg("%s: %s (%s)", what, e->primary, e->hint);
}

/* -- life ---------------------------------------------------------------------------------------- */
struct room *room_new_empty(void)
{
	static const uint8_t master[KEEPER_MASTER_KEY_BYTES] = { 7 };
	struct room *r = calloc(1, sizeof *r);
	assert_non_null(r);
	r->a = arena_new((size_t)256 << 20);
	r->now = INT64_C(1795000000000);
	r->port = (struct server_port){ .clock = { r, fake_now, fake_now }, .random = PORT_RANDOM_REAL, .password_cost = PASSWORD_COST_LEAST };
	r->line = (struct verb_keeper){ r, line_call };
	r->admin = (struct principal){ .id = 1, .name = "admin", .roles = ROLE_ADMIN, .scope = "*" };
	r->auditor = (struct principal){ .id = 2, .name = "auditor", .roles = ROLE_AUDITOR, .scope = "*" };
	r->narrow = (struct principal){ .id = 3, .name = "narrow", .roles = ROLE_OPERATOR, .scope = "/prod/pg/*" };
	(void)snprintf(r->dir, sizeof r->dir, "/tmp/troth-room-XXXXXX");
	assert_non_null(mkdtemp(r->dir));
	(void)snprintf(r->path, sizeof r->path, "%s/troth.db", r->dir);
	struct keeper_ports ports = { .clock = &r->port.clock };
	must(keeper_state_new(master, &ports, &r->keeper, &r->e), &r->e, "keeper");
	must(store_open(r->path, NULL, &r->store, &r->e), &r->e, "store");
	must(service_new(r->store, &r->port, &r->svc, &r->e), &r->e, "service");
	return r;
}

struct room *room_new(void)
{
	struct room *r = room_new_empty();
	struct init_ret ret;
	struct init_cmd cmd = { room_csr(r, KEY_EC_P256), room_texts(r, "dns:localhost", "ip:127.0.0.1") };
	must(init_run(r->svc, r->a, &r->port, r->now, &r->line, &cmd, &ret, &r->e), &r->e, "init");
	return r;
}

static struct reading { struct tx *tx; struct store_reader *reader; } open_readings[4];

void room_free(struct room *r)
{
	static const char *const ends[] = { "", "-wal", "-shm", ".lock" };
	for (size_t i = 0; i < ARRAY_LEN(open_readings); i++)
		if (open_readings[i].reader)
			store_reader_close(open_readings[i].reader);
	memset(open_readings, 0, sizeof open_readings);
	service_free(r->svc);
	store_close(r->store);
	keeper_state_free(r->keeper);
	for (size_t i = 0; i < ARRAY_LEN(ends); i++) {
		char path[128];
		(void)snprintf(path, sizeof path, "%s%s", r->path, ends[i]);
		(void)unlink(path);
	}
	assert_int_equal(rmdir(r->dir), 0);
	arena_free(r->a);
	free(r);
}

/* -- verbs ------------------------------------------------------------------------------------------ */
static void check_view(struct room *r)
{
	struct tx *tx;
	struct troth_err e = { 0 };
	must(store_write_begin(r->store, &tx, &e), &e, "begin");
	troth_rc rc = service_check_view(r->svc, tx, &e);
	store_write_rollback(tx);
	must(rc, &e, "the view equals the rows");
}

troth_rc room_try(struct room *r, const struct principal *who, const struct verb *verb, const void *cmd, void *ret)
{
	struct service_committed out;
	memset(ret, 0, verb->ret_size);
	err_clear(&r->e);
	verb_ctx_init(&r->ctx, r->a, who, &r->port, r->now);
	r->ctx.options.dry_run = r->dry_run;
	r->ctx.options.if_match = r->if_match;
	r->ctx.options.wait = r->wait;
	r->ctx.last_chance = r->last_chance;
	troth_rc rc = verb_run(r->svc, verb, &r->ctx, &r->line, cmd, ret, &r->e);
	service_committed(r->svc, r->a, &out);
	if (verb->kind == VERB_WRITE && rc_ok(rc))
		check_view(r);
	return rc;
}

void room_do(struct room *r, const struct verb *verb, const void *cmd, void *ret)
{
	must(room_try(r, &r->admin, verb, cmd, ret), &r->e, verb->name);
}

static bool says(const struct troth_err *e, const char *part)
{
	if (strstr(e->primary, part) || strstr(e->hint, part))
		return true;
	for (const struct finding *f = e->findings; f; f = f->next)
		if (strstr(f->text, part))
			return true;
	return false;
}

void room_refused(struct room *r, const struct principal *who, const struct verb *verb, const void *cmd,
		  enum troth_kind kind, const char *part)
{
	size_t before = room_audit_count(r);
	void *ret = arena_alloc(r->a, verb->ret_size);
	troth_rc rc = room_try(r, who, verb, cmd, ret);
	if (rc_ok(rc))
		fail_msg("%s was not refused (expected \"%s\")", verb->name, part);
	if (r->e.kind != kind || !says(&r->e, part))
		fail_msg("%s: %s \"%s\" is not %s with \"%s\"", verb->name, err_kind_name(r->e.kind), r->e.primary,
			 err_kind_name(kind), part);
	assert_int_equal(room_audit_count(r), before); /* a refusal changes nothing */
}

size_t room_findings(const struct room *r)
{
	size_t n = 0;
	for (const struct finding *f = r->e.findings; f; f = f->next)
		n++;
	return n;
}

void room_finding(struct room *r, const char *path, const char *part)
{
	for (const struct finding *f = r->e.findings; f; f = f->next)
		if (text_equal(f->path, path) && strstr(f->text, part))
			return;
	for (const struct finding *f = r->e.findings; f; f = f->next)
		fprintf(stderr, "  %s [%s] %s\n", f->path, f->rule, f->text);
	fail_msg("no finding at %s with \"%s\"", path, part);
}

/* -- things -------------------------------------------------------------------------------------------- */
struct json_texts room_texts(struct room *r, const char *a, const char *b)
{
	const char **items = ARENA_ARRAY(r->a, const char *, 2);
	items[0] = a;
	items[1] = b;
	return (struct json_texts){ items, a ? b ? 2 : 1 : 0 };
}

const char *room_csr(struct room *r, enum key_type type)
{
	struct key *key;
	const char *csr;
	must(key_generate(type, &key, &r->e), &r->e, "key");
	must(csr_build(r->a, key, "whatever", &csr, &r->e), &r->e, "csr");
	key_release(key);
	return csr;
}

struct credential_view room_authority(struct room *r, const char *name, const char *issuer)
{
	struct credential_ret ret;
	struct authority_create_cmd cmd = { .name = name, .issuer = issuer, .path_len = AUTHORITY_PATH_LEN_DEFAULT };
	room_do(r, &VERB_AUTHORITY_CREATE, &cmd, &ret);
	return ret.credential;
}

struct bundle_view room_bundle(struct room *r, const char *name, const char *authority)
{
	struct bundle_ret ret;
	struct bundle_create_cmd cmd = { .name = name, .authorities = room_texts(r, authority, NULL) };
	room_do(r, &VERB_BUNDLE_CREATE, &cmd, &ret);
	return ret.bundle;
}

static bool bundle_there(struct room *r, const char *name)
{
	struct bundle_list_ret ret;
	room_do(r, &VERB_BUNDLE_LIST, &(struct list_cmd){ .name = name }, &ret);
	return ret.count;
}

struct deployment_view room_deployment(struct room *r, const char *name)
{
	struct deployment_ret ret;
	if (!bundle_there(r, "/prod/pg/trust")) {
		room_authority(r, "/prod/pg/ca", NULL);
		room_bundle(r, "/prod/pg/trust", "/prod/pg/ca");
	}
	struct slot_template slot = { .name = "tls", .profile = "postgresql", .credential = "/prod/pg/{instance}/server",
				      .authority = "/prod/pg/ca", .sans = room_texts(r, "{instance}.pg.example", NULL) };
	struct store_template store = { .name = "trust", .profile = "pem-files", .bundle = "/prod/pg/trust" };
	struct deployment_create_cmd cmd = { .name = name, .slots = &slot, .slot_count = 1, .stores = &store, .store_count = 1 };
	room_do(r, &VERB_DEPLOYMENT_CREATE, &cmd, &ret);
	return ret.deployment;
}

const char *room_token(struct room *r, const char *deployment, const char *instance)
{
	struct token_ret ret;
	room_do(r, &VERB_TOKEN_CREATE, &(struct token_create_cmd){ .deployment = deployment, .instance = instance }, &ret);
	return ret.secret;
}

struct msg_enrolled room_enroll(struct room *r, const char *deployment, const char *name)
{
	struct msg_enrolled ret;
	struct msg_enroll cmd = { .token = room_token(r, deployment, NULL), .csr = room_csr(r, KEY_EC_P256), .boot_id = "boot",
				  .agent_version = "1", .instance = name };
	must(room_try(r, &PRINCIPAL_ANONYMOUS, &VERB_ENROLL, &cmd, &ret), &r->e, "enroll");
	return ret;
}

struct principal room_agent(struct room *r, const struct msg_enrolled *m)
{
	const struct cert *cert;
	struct principal_ret ret;
	must(cert_parse_any(r->a, bytes_of_text(m->certificate), &cert, &r->e), &r->e, "identity");
	room_do(r, &VERB_PRINCIPAL_RESOLVE, &(struct principal_resolve_cmd){ .peer_cert = cert->der }, &ret);
	return ret.principal;
}

/* -- rows ------------------------------------------------------------------------------------------------ */
static struct store_reader *reader_of(struct room *r)
{
	struct store_reader *reader;
	must(store_reader_open(r->store, &reader, &r->e), &r->e, "reader");
	return reader;
}

struct tx *room_read(struct room *r)
{
	struct reading *x = open_readings;
	while (x->tx)
		x++;
	x->reader = x->reader ? x->reader : reader_of(r); /* to open one costs as much as ten reads */
	must(store_read_begin(x->reader, &x->tx, &r->e), &r->e, "read");
	return x->tx;
}

void room_read_end(struct room *r, struct tx *tx)
{
	struct reading *x = open_readings;
	while (x->tx != tx)
		x++;
	store_read_end(tx);
	x->tx = NULL;
}

const char *room_last_audit(struct room *r)
{
	struct audit_row *rows;
	size_t n;
	struct tx *tx = room_read(r);
	must(audit_list_newest(tx, r->a, 0, 1, &rows, &n, &r->e), &r->e, "audit");
	room_read_end(r, tx);
	return n ? rows[0].action : "";
}

size_t room_audit_count(struct room *r)
{
	int64_t seq;
	uint8_t hash[32];
	struct troth_err e = { 0 };
	struct tx *tx = room_read(r);
	must(audit_last(tx, &seq, hash, &e), &e, "audit");
	room_read_end(r, tx);
	return (size_t)seq;
}
