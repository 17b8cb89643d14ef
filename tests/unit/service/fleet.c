/* A fleet in one process.  See fleet.h. */
#include "fleet.h"

#include "good.h"

#include <stdio.h>
#include <unistd.h>

#include "pki/pki.h"

/* -- the story -------------------------------------------------------------------------------------- */
void fleet_tell(struct fleet *f, const char *fmt, ...)
{
	char line[600];
	va_list ap;
	va_start(ap, fmt);
	(void)vsnprintf(line, sizeof line, fmt, ap);
	va_end(ap);
	buf_printf(&f->story, "%8.1f s  %s\n", (double)(f->now % 1000000000) / 1000, line);
}

static void tell_waits(struct fleet *f)
{
	struct explain_ret x = fleet_explain(f, NULL);
	for (size_t i = 0; i < x.count; i++)
		fprintf(stderr, "  waits: %s %s\n", x.items[i].authority ? x.items[i].authority : "",
			explain_sentence(f->a, &x.items[i]));
}

_Noreturn void fleet_fail(struct fleet *f, const char *what, const char *file, int line)
{
	fprintf(stderr, "---- the story so far ----\n%s", buf_text(&f->story));
	fprintf(stderr, "---- not so: %s (%s:%d)\n", what, file, line);
	if (f->svc)
		tell_waits(f);
	_fail(file, line);
	abort();
}

static void ok(struct fleet *f, troth_rc rc, const struct troth_err *e, const char *what)
{
	if (rc_ok(rc))
		return;
	fleet_tell(f, "FAILED %s: %s | %s | %s", what, e->primary, e->detail, e->hint);
	for (const struct finding *x = e->findings; x; x = x->next)
		fleet_tell(f, "   %s %s", x->path, x->text);
	fleet_fail(f, what, __FILE__, __LINE__);
}

/* -- ports ------------------------------------------------------------------------------------------- */
static msec_t fake_now(void *self) { return ((struct fleet *)self)->now; }

static troth_rc line_call(void *self, struct arena *a, const struct keeper_request *const *need, size_t n,
			  const struct keeper_reply **replies, struct troth_err *e)
{
	struct fleet *f = self;
	for (size_t i = 0; i < n; i++) {
		struct keeper_request req = *need[i];
		struct keeper_reply *reply = ARENA_NEW(a, struct keeper_reply);
		req.id = i + 1;
		f->keeper_calls++;
		keeper_handle(f->keeper, &req, a, reply);
		TRY(keeper_reply_check(reply, e));
		replies[i] = reply;
	}
	return RC_OK;
}

/* -- verbs -------------------------------------------------------------------------------------------- */
static void check_view(struct fleet *f)
{
	struct tx *tx;
	struct troth_err e = { 0 };
	troth_rc rc = store_write_begin(f->store, &tx, &e);
	if (rc_failed(rc) && f->accident)
		return; /* the disk is away; the next verb will see it too */
	ok(f, rc, &e, "begin");
	rc = service_check_view(f->svc, tx, &e);
	store_write_rollback(tx);
	if (!f->accident || e.kind == TROTH_INTERNAL)
		ok(f, rc, &e, "the view equals the rows");
	f->checks++;
}

troth_rc fleet_do(struct fleet *f, const struct principal *who, const struct verb *verb, const void *cmd, void *ret,
		  struct troth_err *e)
{
	struct service_committed out;
	if (f->restarts)
		service_drop(f->svc);
	verb_ctx_init(&f->last, f->a, who, &f->port, f->now);
	f->last.options.dry_run = f->dry_run;
	memset(ret, 0, verb->ret_size);
	err_clear(e);
	troth_rc rc = verb_run(f->svc, verb, &f->last, &f->line, cmd, ret, e);
	service_committed(f->svc, f->a, &out);
	if (verb->kind != VERB_WRITE && !f->last.then)
		return rc;
	check_view(f);
	if (f->boundary && !f->at_boundary && rc_ok(rc) && !f->dry_run) {
		f->at_boundary = true;
		f->boundary(f);
		f->at_boundary = false;
	}
	return rc;
}

void fleet_refused(struct fleet *f, const struct principal *who, const struct verb *verb, const void *cmd,
		   enum troth_kind kind, const char *part)
{
	struct troth_err e = { 0 };
	void *ret = arena_alloc(f->a, verb->ret_size);
	troth_rc rc = fleet_do(f, who, verb, cmd, ret, &e);
	fleet_tell(f, "%s: %s | %s", verb->name, e.primary, e.hint);
	FLEET_CHECK(f, rc_failed(rc));
	assert_int_equal(e.kind, kind);
	FLEET_CHECK(f, strstr(e.primary, part) || strstr(e.detail, part) || strstr(e.hint, part) || strstr(e.clause, part));
}

void fleet_must(struct fleet *f, const struct verb *verb, const void *cmd, void *ret)
{
	struct troth_err e = { 0 };
	ok(f, fleet_do(f, &f->admin, verb, cmd, ret, &e), &e, verb->name);
}

/* -- beginning ------------------------------------------------------------------------------------------- */
static void open_store(struct fleet *f)
{
	struct troth_err e = { 0 };
	struct store_options options = { .vfs = f->vfs };
	ok(f, store_open(f->path, &options, &f->store, &e), &e, "store_open");
	ok(f, service_new(f->store, &f->port, &f->svc, &e), &e, "service_new");
}

static void make_keeper(struct fleet *f)
{
	static const uint8_t master[KEEPER_MASTER_KEY_BYTES] = { 1, 2, 3 };
	struct keeper_ports ports = { .clock = &f->port.clock };
	struct troth_err e = { 0 };
	ok(f, keeper_state_new(master, &ports, &f->keeper, &e), &e, "keeper_state_new");
	f->line = (struct verb_keeper){ f, line_call };
}

static void init(struct fleet *f)
{
	struct troth_err e = { 0 };
	struct key *key;
	const char *csr;
	const char *san = "dns:localhost";
	struct init_ret ret;
	ok(f, key_generate(KEY_EC_P256, &key, &e), &e, "key");
	ok(f, csr_build(f->a, key, "localhost", &csr, &e), &e, "csr");
	key_release(key);
	struct init_cmd cmd = { .csr = csr, .sans = { &san, 1 } };
	ok(f, init_run(f->svc, f->a, &f->port, f->now, &f->line, &cmd, &ret, &e), &e, "init_run");
}

static void authority(struct fleet *f, const char *name, const char *issuer, int path_len)
{
	struct credential_ret ca;
	struct authority_create_cmd cmd = { .name = name, .issuer = issuer, .path_len = path_len, .clamp = true };
	fleet_must(f, &VERB_AUTHORITY_CREATE, &cmd, &ca);
}

/* Root, and what stands between it and the leaves; the name of the lowest. */
static const char *authorities(struct fleet *f)
{
	authority(f, "/demo/ca", NULL, AUTHORITY_PATH_LEN_DEFAULT);
	if (f->levels < 2)
		return "/demo/ca";
	if (f->levels == 3)
		authority(f, "/demo/sub", "/demo/ca", 1);
	authority(f, "/demo/inter", f->levels == 3 ? "/demo/sub" : "/demo/ca", AUTHORITY_PATH_LEN_DEFAULT);
	return "/demo/inter";
}

static void demo_nouns(struct fleet *f)
{
	struct bundle_ret bundle;
	struct deployment_ret deployment;
	const char *root = "/demo/ca", *san = "dns:{instance}.example", *lowest = authorities(f);
	fleet_must(f, &VERB_BUNDLE_CREATE,
		   &(struct bundle_create_cmd){ .name = "/demo/trust", .authorities = { &root, 1 } }, &bundle);
	struct slot_template slot = { .path = "$", .name = "tls", .profile = "nginx", .role = "server", .authority = lowest,
				      .credential = "/demo/{instance}/server", .sans = { &san, 1 } };
	fleet_must(f, &VERB_DEPLOYMENT_CREATE,
		   &(struct deployment_create_cmd){ .name = "svc", .slots = &slot, .slot_count = 1 }, &deployment);
	struct store_template store = { .path = "$", .name = "trust", .profile = "pem-files", .bundle = "/demo/trust" };
	fleet_must(f, &VERB_DEPLOYMENT_CREATE,
		   &(struct deployment_create_cmd){ .name = "app", .stores = &store, .store_count = 1 }, &deployment);
}

struct fleet *fleet_new(void) { return fleet_new_on(NULL); }
struct fleet *fleet_new_on(const char *vfs) { return fleet_new_with(vfs, 1); }

struct fleet *fleet_new_with(const char *vfs, int levels)
{
	struct fleet *f = calloc(1, sizeof *f);
	assert_non_null(f);
	f->a = arena_new((size_t)1 << 30);
	f->story = buf_make(8 << 20);
	f->now = INT64_C(1795000000000); /* 2026-11-18 */
	(void)snprintf(f->dir, sizeof f->dir, "/tmp/troth-fleet-XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	(void)snprintf(f->path, sizeof f->path, "%s/troth.db", vfs ? "" : f->dir);
	f->vfs = vfs;
	f->levels = levels;
	f->port = (struct server_port){ .clock = { f, fake_now, fake_now }, .random = PORT_RANDOM_REAL };
	f->admin = (struct principal){ .name = "admin", .roles = ROLE_ADMIN };
	open_store(f);
	make_keeper(f);
	init(f);
	demo_nouns(f);
	return f;
}

static void forget_files(struct fleet *f)
{
	static const char *const ends[] = { "", "-wal", "-shm", ".lock" };
	for (size_t i = 0; i < ARRAY_LEN(ends); i++) {
		char path[128];
		(void)snprintf(path, sizeof path, "%s%s", f->path, ends[i]);
		(void)unlink(path);
	}
	(void)rmdir(f->dir);
}

void fleet_free(struct fleet *f)
{
	if (getenv("FLEET_STORY"))
		fprintf(stderr, "%s(%d verbs checked)\n", buf_text(&f->story), f->checks);
	for (size_t i = 0; i < f->node_count; i++) {
		key_release(f->nodes[i].identity);
		for (size_t k = 0; k < f->nodes[i].key_count; k++)
			key_release(f->nodes[i].keys[k].key);
	}
	service_free(f->svc);
	store_close(f->store);
	keeper_state_free(f->keeper);
	buf_release(&f->story);
	arena_free(f->a);
	if (!f->vfs)
		forget_files(f);
	(void)rmdir(f->dir);
	free(f);
}

void fleet_close(struct fleet *f)
{
	service_free(f->svc);
	store_close(f->store);
	f->svc = NULL;
	f->store = NULL;
}

void fleet_reopen(struct fleet *f)
{
	fleet_close(f);
	open_store(f);
}

void fleet_restart(struct fleet *f)
{
	fleet_reopen(f);
	fleet_tell(f, "the server was restarted");
}

/* Was it answered?  Unanswered is allowed only where accidents are. */
static bool answered(struct fleet *f, troth_rc rc, const struct troth_err *e, const char *what)
{
	if (rc_ok(rc))
		return true;
	if (!f->accident || e->kind != TROTH_UNAVAILABLE)
		ok(f, rc, e, what);
	f->accidents++;
	fleet_tell(f, "%s went unanswered: %s", what, e->primary);
	f->accident(f);
	return false;
}

/* -- joining ------------------------------------------------------------------------------------------------ */
static void enroll(struct fleet *f, struct fleet_node *n, const char *token)
{
	struct troth_err e = { 0 };
	struct msg_enrolled ret;
	const struct cert *identity;
	const char *csr;
	ok(f, key_generate(KEY_EC_P256, &n->identity, &e), &e, "key");
	ok(f, csr_build(f->a, n->identity, n->name, &csr, &e), &e, "csr");
	struct msg_enroll cmd = { .token = token, .csr = csr, .boot_id = n->boot_id, .agent_version = "1", .instance = n->name };
	ok(f, fleet_do(f, &PRINCIPAL_ANONYMOUS, &VERB_ENROLL, &cmd, &ret, &e), &e, "enroll");
	ok(f, cert_parse_any(f->a, bytes_of_text(ret.certificate), &identity, &e), &e, "identity");
	n->identity_der = identity->der;
	n->epoch = ret.epoch;
	(void)text_copy(n->uuid, sizeof n->uuid, ret.instance_id);
	struct principal_resolve_cmd resolve = { .peer_cert = identity->der };
	struct principal_ret who;
	ok(f, fleet_do(f, &PRINCIPAL_ANONYMOUS, &VERB_PRINCIPAL_RESOLVE, &resolve, &who, &e), &e, "resolve");
	n->who = who.principal;
}

struct fleet_node *fleet_join(struct fleet *f, const char *deployment, const char *name)
{
	struct token_ret token;
	assert_true(f->node_count < FLEET_NODES);
	struct fleet_node *n = &f->nodes[f->node_count++];
	n->name = name;
	n->boot_id = arena_printf(f->a, "boot-%s-1", name);
	fleet_must(f, &VERB_TOKEN_CREATE, &(struct token_create_cmd){ .deployment = deployment }, &token);
	enroll(f, n, token.secret);
	fleet_open(f, n);
	return n;
}

void fleet_reinstall(struct fleet *f, struct fleet_node *n, const char *token)
{
	key_release(n->identity);
	n->boot_id = arena_printf(f->a, "%s-again", n->boot_id);
	n->epoch = NULL;
	n->place_count = 0;
	enroll(f, n, token);
	fleet_tell(f, "%s was installed again", n->name);
	fleet_open(f, n);
}

struct fleet_node *fleet_node(struct fleet *f, const char *name)
{
	for (size_t i = 0; i < f->node_count; i++)
		if (text_equal(f->nodes[i].name, name))
			return &f->nodes[i];
	fleet_fail(f, name, __FILE__, __LINE__);
}

/* -- a node ---------------------------------------------------------------------------------------------------- */
static struct json_texts fingerprints(struct fleet *f, const struct fleet_place *p)
{
	struct json_texts out = { ARENA_ARRAY(f->a, const char *, p->loaded.count + 1), p->loaded.count };
	for (size_t i = 0; i < out.count; i++) {
		struct troth_err e = { 0 };
		const struct cert *c;
		ok(f, cert_parse_any(f->a, bytes_of_text(p->loaded.items[i]), &c, &e), &e, "parse");
		out.items[i] = cert_fingerprint_hex(c, arena_alloc(f->a, SHA256_HEX_LEN));
	}
	return out;
}

void fleet_open(struct fleet *f, struct fleet_node *n)
{
	struct troth_err e = { 0 };
	struct msg_opened ret;
	struct msg_loaded said[FLEET_PLACES];
	for (size_t i = 0; i < n->place_count; i++)
		said[i] = (struct msg_loaded){ n->places[i].id, n->places[i].l, n->places[i].h,
					       fingerprints(f, &n->places[i]) };
	struct msg_session cmd = { n->boot_id, n->epoch, "1", said, n->place_count };
	if (!answered(f, fleet_do(f, &n->who, &VERB_AGENT_SESSION, &cmd, &ret, &e), &e, "session"))
		return;
	n->session = ret.session;
	n->epoch = ret.epoch;
	n->seq = 0;
	n->version = 0;
	n->say_all = true;
	fleet_tell(f, "%s opened session %lld", n->name, (long long)n->session);
}

static struct fleet_place *place_of(struct fleet *f, struct fleet_node *n, const struct msg_target *t)
{
	for (size_t i = 0; i < n->place_count; i++)
		if (text_equal(n->places[i].id, t->id))
			return &n->places[i];
	FLEET_CHECK(f, n->place_count < FLEET_PLACES);
	struct fleet_place *p = &n->places[n->place_count++];
	(void)text_copy(p->id, sizeof p->id, t->id);
	p->name = t->name;
	p->kind = t->kind;
	n->say_all = true; /* nothing of ours: that, too, is a settled state */
	return p;
}

/* -- handshakes ---------------------------------------------------------------------------------------------------- */
static struct fleet_place *place_kind(struct fleet_node *n, enum msg_target_kind kind)
{
	for (size_t i = 0; i < n->place_count; i++)
		if (n->places[i].kind == kind && n->places[i].loaded.count > 0)
			return &n->places[i];
	return NULL;
}

struct valid {
	msec_t from, until;
};

static struct der_list ders(struct fleet *f, struct json_texts pems, struct valid *ret)
{
	struct bytes *items = ARENA_ARRAY(f->a, struct bytes, pems.count + 1);
	for (size_t i = 0; i < pems.count; i++) {
		struct troth_err e = { 0 };
		const struct cert *c;
		ok(f, cert_parse_any(f->a, bytes_of_text(pems.items[i]), &c, &e), &e, "parse");
		items[i] = c->der;
		ret->from = c->not_before > ret->from ? c->not_before : ret->from;
		ret->until = c->not_after < ret->until ? c->not_after : ret->until;
	}
	return (struct der_list){ items, pems.count };
}

static struct der_list without_given_up(struct fleet *f, struct der_list list)
{
	struct bytes *items = ARENA_ARRAY(f->a, struct bytes, list.count + 1);
	struct der_list out = { items, 0 };
	for (size_t i = 0; i < list.count; i++) {
		bool given_up = false;
		for (size_t k = 0; k < f->given_up_count; k++)
			given_up = given_up || bytes_equal(f->given_up[k], list.items[i]);
		if (!given_up)
			items[out.count++] = list.items[i];
	}
	return out;
}

static struct good_key key_of(struct fleet *f, const char *host, struct json_texts chain, struct json_texts anchors)
{
	const char **texts = ARENA_ARRAY(f->a, const char *, chain.count + anchors.count + 3);
	size_t n = 0;
	texts[n++] = host;
	for (size_t i = 0; i < chain.count; i++)
		texts[n++] = chain.items[i];
	texts[n++] = arena_printf(f->a, "believed by, but for %zu:", f->given_up_count);
	for (size_t i = 0; i < anchors.count; i++)
		texts[n++] = anchors.items[i];
	return good_key(f->a, texts, n);
}

static bool shake(struct fleet *f, struct fleet_node *server, struct fleet_node *client, struct troth_err *e)
{
	struct json_texts presents = place_kind(server, MSG_SLOT)->loaded, trusts = place_kind(client, MSG_STORE)->loaded;
	const char *host = arena_printf(f->a, "%s.example", server->name);
	struct good_key key = key_of(f, host, presents, trusts);
	if (good_known(&key, f->now))
		return true;
	struct valid valid = { INT64_MIN, INT64_MAX };
	struct der_list chain = ders(f, presents, &valid), anchors = without_given_up(f, ders(f, trusts, &valid));
	struct der_list rest = { chain.items + 1, chain.count - 1 };
	if (rc_failed(chain_verify(f->a, chain.items[0], rest, anchors, f->now, EKU_SERVER, host, e)))
		return false;
	good_keep(&key, valid.from, valid.until);
	return true;
}

static bool out_of_promise(const struct fleet *f, const struct fleet_node *n)
{
	return n->excused || (n->until && f->now >= n->until);
}

/* What could shake hands still can. */
static void shake_all(struct fleet *f)
{
	for (size_t i = 0; i < f->node_count; i++) {
		for (size_t k = 0; k < f->node_count; k++) {
			struct troth_err e = { 0 };
			struct fleet_node *server = &f->nodes[i], *client = &f->nodes[k];
			if (!place_kind(server, MSG_SLOT) || !place_kind(client, MSG_STORE))
				continue;
			if (out_of_promise(f, server) || out_of_promise(f, client)) {
				f->could[i][k] = false;
				continue;
			}
			bool can = shake(f, server, client, &e);
			if (f->could[i][k] && !can) {
				fleet_tell(f, "HANDSHAKE FAILED: %s -> %s: %s", client->name, server->name, e.primary);
				fleet_fail(f, "no handshake fails", __FILE__, __LINE__);
			}
			f->could[i][k] = can;
		}
	}
}

struct fleet_node *fleet_stranger(struct fleet *f, const char *name, enum msg_target_kind kind)
{
	assert_true(f->node_count < FLEET_NODES);
	struct fleet_node *n = &f->nodes[f->node_count++];
	n->name = name;
	n->off = true;
	n->place_count = 1;
	n->places[0] = (struct fleet_place){ .name = name, .kind = kind };
	return n;
}

void fleet_loads(struct fleet *f, struct fleet_node *n, const char *pem)
{
	struct troth_err e = { 0 };
	const struct cert *const *certs;
	struct json_texts all;
	ok(f, certs_parse_pem(f->a, bytes_of_text(pem), &certs, &all.count, &e), &e, "parse");
	all.items = ARENA_ARRAY(f->a, const char *, all.count + 1);
	for (size_t i = 0; i < all.count; i++)
		all.items[i] = cert_pem(f->a, certs[i]->der);
	n->places[0].loaded = all;
	fleet_tell(f, "%s loads %zu certificates", n->name, all.count);
	shake_all(f);
}

const char *fleet_csr(struct fleet *f)
{
	struct key *k;
	const char *csr;
	struct troth_err e = { 0 };
	ok(f, key_generate(KEY_EC_P256, &k, &e), &e, "key");
	ok(f, csr_build(f->a, k, "outside", &csr, &e), &e, "csr");
	key_release(k);
	return csr;
}

void fleet_all_hands(struct fleet *f)
{
	shake_all(f);
	for (size_t i = 0; i < f->node_count; i++)
		for (size_t k = 0; k < f->node_count; k++)
			if (place_kind(&f->nodes[i], MSG_SLOT) && place_kind(&f->nodes[k], MSG_STORE) && !f->nodes[i].excused &&
			    !f->nodes[k].excused && !out_of_promise(f, &f->nodes[i]) && !out_of_promise(f, &f->nodes[k]))
				FLEET_CHECK(f, f->could[i][k]);
}

/* -- what a node does ------------------------------------------------------------------------------------------------- */
static void report(struct fleet *f, struct fleet_node *n, struct fleet_place *p, int64_t failed, const char *reason)
{
	struct troth_err e = { 0 };
	struct report_ret ret;
	struct msg_report m = { .session = n->session, .seq = ++n->seq, .target = p->id, .generation = p->l,
				.high_water = p->h, .settled = true, .fingerprints = fingerprints(f, p),
				.level = p->kind == MSG_SLOT ? MSG_LEVEL_PROBED : MSG_LEVEL_LOADED,
				.failed_generation = failed, .failed_reason = reason };
	for (int i = 0; i < (n->repeats ? 2 : 1); i++)
		if (!answered(f, fleet_do(f, &n->who, &VERB_AGENT_REPORT, &m, &ret, &e), &e, "report")) {
			n->say_all = true;
			return;
		}
	fleet_tell(f, "%s/%s reported generation %lld%s%s", n->name, p->name, (long long)p->l, failed ? ", failed: " : "",
		   failed ? reason : "");
}

void fleet_report(struct fleet *f, struct fleet_node *n, struct fleet_place *p)
{
	report(f, n, p, 0, NULL);
}

void fleet_kill(struct fleet *f, struct fleet_node *n)
{
	fleet_tell(f, "the agent of %s was killed", n->name);
	fleet_open(f, n);
}

static bool say_all(struct fleet *f, struct fleet_node *n)
{
	if (!n->say_all || n->mute)
		return false;
	n->say_all = false;
	for (size_t i = 0; i < n->place_count; i++)
		report(f, n, &n->places[i], 0, NULL);
	return true; /* what went unanswered set say_all again */
}

/* The key of a request: made once, kept although the answer may be lost. */
static struct key *key_for(struct fleet *f, struct fleet_node *n, const struct msg_csr_wanted *w)
{
	struct troth_err e = { 0 };
	enum key_type type;
	for (size_t i = 0; i < n->key_count; i++)
		if (text_equal(n->keys[i].request, w->request))
			return n->keys[i].key;
	FLEET_CHECK(f, n->key_count < FLEET_KEYS);
	struct fleet_key *k = &n->keys[n->key_count++];
	(void)text_copy(k->request, sizeof k->request, w->request);
	ok(f, key_type_parse(w->key_type, &type, &e), &e, "key type");
	ok(f, key_generate(type, &k->key, &e), &e, "key");
	return k->key;
}

static void answer_csr(struct fleet *f, struct fleet_node *n, struct fleet_place *p, const struct msg_csr_wanted *w)
{
	struct troth_err e = { 0 };
	struct csr_ret ret;
	const char *csr;
	ok(f, csr_build(f->a, key_for(f, n, w), w->common_name, &csr, &e), &e, "csr");
	struct msg_csr m = { n->session, p->id, w->request, csr };
	for (int i = 0; i < (n->repeats ? 2 : 1); i++) {
		troth_rc rc = fleet_do(f, &n->who, &VERB_AGENT_CSR, &m, &ret, &e);
		if (f->boundary && rc_failed(rc) && e.kind == TROTH_CONFLICT)
			return; /* the goal changed since it was asked: the request is no longer open */
		if (!answered(f, rc, &e, "csr"))
			return; /* again at the next turn */
	}
	(void)text_copy(p->answered, sizeof p->answered, w->request);
	fleet_tell(f, "%s/%s sent a CSR", n->name, p->name);
}

/* The node must have the key of the leaf that it is told to serve. */
static void check_key(struct fleet *f, struct fleet_node *n, const struct msg_target *t)
{
	struct troth_err e = { 0 };
	const struct cert *leaf;
	ok(f, cert_parse_any(f->a, bytes_of_text(t->certificates.items[0]), &leaf, &e), &e, "leaf");
	if (t->sealed_key.len > 0) {
		CLEANUP(buf_release) struct buf secret = buf_make_secret(1 << 14);
		struct key *key;
		ok(f, cms_open(n->identity, n->identity_der, t->sealed_key, &secret, &e), &e, "sealed key");
		ok(f, key_parse(buf_bytes(&secret), &key, &e), &e, "key");
		FLEET_CHECK(f, key_public_matches(key, leaf->spki));
		key_release(key);
		return;
	}
	for (size_t i = 0; i < n->key_count; i++)
		if (text_equal(n->keys[i].request, t->key_request)) {
			FLEET_CHECK(f, key_public_matches(n->keys[i].key, leaf->spki));
			return;
		}
	fleet_fail(f, "the node has the key of its leaf", __FILE__, __LINE__);
}

static void apply(struct fleet *f, struct fleet_node *n, struct fleet_place *p, const struct msg_target *t)
{
	p->h = t->generation;
	if (n->broken) {
		report(f, n, p, t->generation, "reload: exit 1");
		return;
	}
	p->l = t->generation;
	p->loaded = t->certificates;
	fleet_tell(f, "%s/%s runs generation %lld: %zu certificates", n->name, p->name, (long long)p->l, p->loaded.count);
	shake_all(f);
	if (!n->mute)
		report(f, n, p, 0, NULL);
}

static bool turn_target(struct fleet *f, struct fleet_node *n, const struct msg_target *t)
{
	struct fleet_place *p = place_of(f, n, t);
	bool moved = false;
	if (t->csr && !text_equal(p->answered, t->csr->request)) {
		answer_csr(f, n, p, t->csr);
		moved = true;
	}
	if (t->generation <= p->h)
		return moved;
	if (t->kind == MSG_SLOT)
		check_key(f, n, t);
	apply(f, n, p, t);
	return true;
}

bool fleet_turn(struct fleet *f, struct fleet_node *n)
{
	struct troth_err e = { 0 };
	struct desired_ret ret;
	bool moved = false;
	if (n->off || (n->until && f->now >= n->until))
		return false;
	struct desired_cmd cmd = { n->session, n->version };
	troth_rc rc = fleet_do(f, &n->who, &VERB_AGENT_DESIRED, &cmd, &ret, &e);
	if (ret.stale || (rc_failed(rc) && text_equal(e.clause, "type:stale-session"))) {
		fleet_open(f, n);
		return true;
	}
	if (!answered(f, rc, &e, "desired"))
		return true;
	n->version = ret.desired.version;
	for (size_t i = 0; i < ret.desired.target_count; i++)
		(void)place_of(f, n, &ret.desired.targets[i]);
	moved = say_all(f, n);
	for (size_t i = 0; i < ret.desired.target_count; i++)
		moved |= turn_target(f, n, &ret.desired.targets[i]);
	return moved;
}

void fleet_settle(struct fleet *f, int rounds)
{
	for (int quiet = 0; rounds > 0 && quiet < 2; rounds--) {
		bool moved = false;
		f->now += MSEC_S;
		for (size_t i = 0; i < f->node_count; i++)
			moved |= fleet_turn(f, &f->nodes[i]);
		quiet = moved ? 0 : quiet + 1;
	}
}

void fleet_wake(struct fleet *f)
{
	struct tx *tx;
	struct troth_err e = { 0 };
	msec_t wake;
	ok(f, store_write_begin(f->store, &tx, &e), &e, "begin");
	ok(f, runner_run(f->svc, tx, f->now, &wake, &e), &e, "runner_run");
	ok(f, store_write_commit(tx, &e), &e, "commit");
	check_view(f);
}

void fleet_effects(struct fleet *f)
{
	for (int i = 0; i < 100; i++) {
		struct troth_err e = { 0 };
		struct effect_ret ret;
		ok(f, fleet_do(f, &PRINCIPAL_SYSTEM, &VERB_EFFECT, &(struct effect_cmd){ 0 }, &ret, &e), &e, "effect");
		if (ret.done_id == 0)
			return;
	}
	fleet_fail(f, "the outbox empties", __FILE__, __LINE__);
}

void fleet_populate(struct fleet *f)
{
	static const char *const apps[] = { "app-0", "app-1", "app-2" }, *const services[] = { "svc-0", "svc-1", "svc-2" };
	for (size_t i = 0; i < 3; i++)
		fleet_join(f, "app", apps[i]);
	for (size_t i = 0; i < 3; i++)
		fleet_join(f, "svc", services[i]);
	fleet_settle(f, 20);
	fleet_all_hands(f);
}

struct fleet *fleet_demo(void)
{
	struct fleet *f = fleet_new();
	fleet_populate(f);
	return f;
}

struct fleet *fleet_levels(int levels)
{
	struct fleet *f = fleet_new_with(NULL, levels);
	fleet_populate(f);
	return f;
}

/* -- looking ----------------------------------------------------------------------------------------------------------- */
struct tx *fleet_read(struct fleet *f)
{
	struct tx *tx;
	struct troth_err e = { 0 };
	ok(f, store_reader_open(f->store, &f->reader, &e), &e, "reader");
	ok(f, store_read_begin(f->reader, &tx, &e), &e, "read");
	return tx;
}

void fleet_read_end(struct fleet *f, struct tx *tx)
{
	store_read_end(tx);
	store_reader_close(f->reader);
	f->reader = NULL;
}

struct instance_row fleet_instance(struct fleet *f, const struct fleet_node *n)
{
	struct instance_row i;
	struct troth_err e = { 0 };
	struct tx *tx = fleet_read(f);
	ok(f, instance_row_by_uuid(tx, f->a, n->uuid, &i, &e), &e, "instance");
	fleet_read_end(f, tx);
	return i;
}

struct target_row fleet_target(struct fleet *f, const struct fleet_node *n)
{
	struct target_row t;
	struct troth_err e = { 0 };
	struct tx *tx = fleet_read(f);
	ok(f, target_row_by_uuid(tx, f->a, n->places[0].id, &t, &e), &e, "target");
	fleet_read_end(f, tx);
	return t;
}

struct msg_report fleet_report_of(struct fleet *f, struct fleet_node *n)
{
	const struct fleet_place *p = &n->places[0];
	return (struct msg_report){ .session = n->session, .seq = n->seq + 1, .target = p->id, .generation = p->l,
				    .high_water = p->h, .settled = true, .fingerprints = fingerprints(f, p),
				    .level = p->kind == MSG_SLOT ? MSG_LEVEL_PROBED : MSG_LEVEL_LOADED };
}

struct desired_ret fleet_desired(struct fleet *f, struct fleet_node *n, int64_t after)
{
	struct troth_err e = { 0 };
	struct desired_ret ret;
	struct desired_cmd cmd = { n->session, after };
	ok(f, fleet_do(f, &n->who, &VERB_AGENT_DESIRED, &cmd, &ret, &e), &e, "desired");
	return ret;
}

/* -- asking ---------------------------------------------------------------------------------------------------------- */
struct rotate_ret fleet_rotate(struct fleet *f, const char *name)
{
	struct rotate_ret ret;
	fleet_must(f, &VERB_ROTATE, &(struct rotate_cmd){ .name = name }, &ret);
	fleet_tell(f, "rotation of %s started: %lld stores, %lld slots", name, (long long)ret.stores, (long long)ret.slots);
	return ret;
}

struct rotation_view fleet_rotation(struct fleet *f, const char *id)
{
	struct rotation_ret ret;
	fleet_must(f, &VERB_ROTATION_SHOW, &(struct rotation_cmd){ id }, &ret);
	return ret.rotation;
}

struct explain_ret fleet_explain(struct fleet *f, const char *name)
{
	struct explain_ret ret;
	fleet_must(f, &VERB_EXPLAIN, &(struct explain_cmd){ name }, &ret);
	return ret;
}

bool fleet_waits(struct fleet *f, const char *name, const char *instance, const char *reason)
{
	struct explain_ret x = fleet_explain(f, name);
	for (size_t i = 0; i < x.count; i++)
		if (text_equal(x.items[i].instance, instance) && text_equal(x.items[i].reason, reason))
			return true;
	return false;
}

struct operation_row fleet_operation(struct fleet *f, const char *uuid)
{
	struct operation_ret ret;
	fleet_must(f, &VERB_OPERATION_SHOW, &(struct id_cmd){ uuid }, &ret);
	return ret.operation;
}

size_t fleet_store_size(const struct fleet_node *n)
{
	for (size_t i = 0; i < n->place_count; i++)
		if (n->places[i].kind == MSG_STORE)
			return n->places[i].loaded.count;
	return 0;
}

static const struct cert *version_cert(struct fleet *f, const char *uuid)
{
	struct troth_err e = { 0 };
	struct store_reader *reader;
	struct tx *tx;
	struct version_row v;
	struct cert_row row;
	const struct cert *cert;
	ok(f, store_reader_open(f->store, &reader, &e), &e, "reader");
	ok(f, store_read_begin(reader, &tx, &e), &e, "read");
	ok(f, version_row_by_uuid(tx, f->a, uuid, &v, &e), &e, "version");
	ok(f, cert_row_get(tx, f->a, v.cert_id, &row, &e), &e, "cert");
	store_read_end(tx);
	store_reader_close(reader);
	ok(f, cert_parse(f->a, row.der, &cert, &e), &e, "parse");
	return cert;
}

void fleet_give_up(struct fleet *f, const char *version)
{
	FLEET_CHECK(f, f->given_up_count < FLEET_PLACES);
	f->given_up[f->given_up_count++] = version_cert(f, version)->der;
	memset(f->could, 0, sizeof f->could);
	shake_all(f);
}

bool fleet_signed_by(struct fleet *f, const struct fleet_node *n, const char *version)
{
	struct fleet_place *p = place_kind((struct fleet_node *)(uintptr_t)n, MSG_SLOT);
	struct troth_err e = { 0 };
	const struct cert *leaf;
	if (!p)
		return false;
	ok(f, cert_parse_any(f->a, bytes_of_text(p->loaded.items[0]), &leaf, &e), &e, "leaf");
	return cert_issued_by(leaf, version_cert(f, version));
}

bool fleet_trusts(struct fleet *f, const struct fleet_node *n, const char *version)
{
	struct fleet_place *p = place_kind((struct fleet_node *)(uintptr_t)n, MSG_STORE);
	struct der_list have = ders(f, p ? p->loaded : (struct json_texts){ 0 }, &(struct valid){ 0 });
	const struct cert *want = version_cert(f, version);
	for (size_t i = 0; i < have.count; i++)
		if (bytes_equal(have.items[i], want->der))
			return true;
	return false;
}

bool fleet_chains_to(struct fleet *f, const struct fleet_node *n, const char *version)
{
	struct fleet_place *p = place_kind((struct fleet_node *)(uintptr_t)n, MSG_SLOT);
	struct troth_err e = { 0 };
	const struct cert *last;
	if (!p)
		return false;
	ok(f, cert_parse_any(f->a, bytes_of_text(p->loaded.items[p->loaded.count - 1]), &last, &e), &e, "last");
	return cert_issued_by(last, version_cert(f, version));
}

/* -- policies of deployments --------------------------------------------------------------------------- */
const char *fleet_deployment_id(struct fleet *f, const char *name)
{
	struct deployment_list_ret list;
	fleet_must(f, &VERB_DEPLOYMENT_LIST, &(struct list_cmd){ .name = name }, &list);
	FLEET_CHECK(f, list.count == 1);
	return list.items[0].row.uuid;
}

struct deployment_policy_cmd fleet_policy_unchanged(struct fleet *f, const char *deployment)
{
	return (struct deployment_policy_cmd){ fleet_deployment_id(f, deployment), -1, -1, -1, -1, NULL, false, { 0 } };
}

void fleet_set_policy(struct fleet *f, struct deployment_policy_cmd cmd)
{
	struct deployment_ret ret;
	fleet_must(f, &VERB_DEPLOYMENT_POLICY, &cmd, &ret);
}

struct rolling_row fleet_policy(struct fleet *f, const char *deployment)
{
	struct deployment_ret ret;
	fleet_must(f, &VERB_DEPLOYMENT_SHOW, &(struct id_cmd){ fleet_deployment_id(f, deployment) }, &ret);
	return ret.deployment.rolling;
}
