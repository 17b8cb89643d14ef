/* The listener follows the store: renewal at half life, new CAs for clients, ca.pem. */
#include "plant.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../edge/fixture.h"
#include "../service/brought.h"
#include "app/server.h"
#include "app/server_tls.h"
#include "keeper/keeper.h"
#include "service/intake/brought.h"
#include "service/rotation/rotation.h"

/* A real server, all parts of it, on a clock whose days the test moves. */
struct whole {
	struct arena *a;
	char base[64];
	struct datadir d;
	struct server_port port;
	struct keeper_spawn_options spawn;
	struct store *store;
	struct service *svc;
	struct pipeline *pipeline;
	struct server_tls *tls;
	struct edge_server *edge;
	_Atomic msec_t shift;
	atomic_int refreshed;
};

static struct whole *x;

static void on_committed(void *self, struct tx *snapshot, msec_t now)
{
	server_tls_refresh(x->tls, snapshot, now + atomic_load(&x->shift)); /* the keeper's clock cannot be moved */
	atomic_fetch_add(&x->refreshed, 1);
}

static void must(troth_rc rc, const struct troth_err *e)
{
	if (rc_failed(rc))
		fail_msg("%s: %s", e->primary, e->hint);
}

static void open_parts(void)
{
	struct troth_err e = { 0 };
	struct edge_tls tls;
	x->port = (struct server_port){ PORT_CLOCK_REAL, PORT_RANDOM_REAL };
	x->spawn = (struct keeper_spawn_options){ x->d.master_key, x->d.keeper_log };
	must(store_open(x->d.store, NULL, &x->store, &e), &e);
	must(service_new(x->store, &x->port, &x->svc, &e), &e);
	const struct pipeline_config config = { .svc = x->svc, .port = &x->port, .loops = 1, .keeper = keeper_line_real(&x->spawn),
						.hooks = { x, on_committed, NULL } };
	must(pipeline_new(&config, &x->pipeline, &e), &e);
	must(server_tls_new(x->a, &x->d, x->store, x->pipeline, &x->tls, &e), &e);
	must(server_tls_context(x->tls, &tls, &e), &e);
	assert_int_equal(tls.client_ca_count, 1); /* /troth/agents */
	const struct edge_config edge = { .listen = "127.0.0.1:0", .loops = 1, .clock = &x->port.clock, .random = &x->port.random,
					  .tables = &TOY_ROUTES, .table_count = 1, .handler = pipeline_handler(x->pipeline) };
	must(edge_server_new(&edge, &tls, &x->edge, &e), &e);
	server_tls_serve(x->tls, x->edge);
	must(pipeline_start(x->pipeline, x->edge, &e), &e);
	must(edge_server_start(x->edge, &e), &e);
}

static const char *read_text(const char *path)
{
	struct bytes b;
	assert_true(rc_ok(file_read(x->a, path, LIMIT_PEM_BYTES, &b, NULL)));
	return (const char *)b.data;
}

static bool changes(const char *path, const char *from)
{
	for (msec_t end = mono() + 10000; mono() < end; poll(NULL, 0, 5))
		if (strcmp(read_text(path), from) != 0)
			return true;
	return false;
}

static void nudge(void)
{
	struct no_cmd none = { 0 };
	int before = atomic_load(&x->refreshed);
	pipeline_submit(x->pipeline, &VERB_AUDIT_SIGN, NULL, &none, NULL, NULL);
	assert_true(plant_await(&x->refreshed, before + 1));
}

static const struct cert *leaf_of(const char *pem)
{
	const struct cert *const *certs;
	size_t n;
	assert_true(rc_ok(certs_parse_pem(x->a, bytes_of_text(pem), &certs, &n, NULL)));
	return certs[0];
}

static void nothing_to_do_nothing_done(void **state)
{
	const char *before = read_text(x->d.server_pem);
	nudge();
	nudge();
	assert_string_equal(read_text(x->d.server_pem), before);
}

static void renewed_at_half_life(void **state)
{
	const char *before = read_text(x->d.server_pem);
	atomic_store(&x->shift, 46 * MSEC_DAY); /* of 90 */
	nudge();
	assert_true(changes(x->d.server_pem, before)); /* asked for by one turn, written by a later one */
	atomic_store(&x->shift, 0);
	const struct cert *old = leaf_of(before), *fresh = leaf_of(read_text(x->d.server_pem));
	assert_false(bytes_equal(fresh->serial, old->serial));
	assert_true(bytes_equal(fresh->spki, old->spki)); /* one rename replaces it: the key stays */
	assert_true(cert_host_matches(fresh, "127.0.0.1"));
}

/* No agent is there: only the listener itself is waited for. */
static void the_listener_is_moved_to_another_ca(void **state)
{
	const char *server = read_text(x->d.server_pem), *ca = read_text(x->d.ca_pem);
	const struct cert *old = leaf_of(ca), *fresh;
	for (int i = 0; i < 2; i++) {
		struct rotate_cmd cmd = { .name = i ? "/troth/agents" : "/troth/server" };
		pipeline_submit(x->pipeline, &VERB_ROTATE, NULL, &cmd, NULL, NULL);
	}
	assert_true(changes(x->d.server_pem, server));
	for (msec_t end = mono() + 10000; mono() < end && strstr(read_text(x->d.ca_pem), cert_pem(x->a, old->der)); poll(NULL, 0, 5))
		;
	fresh = leaf_of(read_text(x->d.ca_pem)); /* the old one is gone, so the rotation is over */
	assert_true(cert_issued_by(leaf_of(read_text(x->d.server_pem)), fresh));
	const struct cert *const *shown;
	size_t n;
	assert_true(rc_ok(certs_parse_pem(x->a, bytes_of_text(read_text(x->d.server_pem)), &shown, &n, NULL)));
	assert_int_equal(n, 4); /* leaf, bridge, old root, new root */
	assert_true(cert_issued_by(shown[1], old) && !cert_self_signed(shown[1]));
	assert_true(bytes_equal(shown[2]->der, old->der) && bytes_equal(shown[3]->der, fresh->der));
}

/* -- a CA more, as a rotation would add it ---------------------------------------------------------------- */
struct add_ca { const char *authority; const struct cert *cert; };

static troth_rc add_ca_run(struct verb_ctx *ctx, const void *arg, void *out, struct troth_err *e)
{
	const struct add_ca *cmd = arg;
	const struct cert *c = cmd->cert;
	struct credential_row authority;
	char uuid[UUID_LEN];
	struct cert_row cert = { .fingerprint = bytes_of(c->fingerprint, SHA256_LEN), .der = c->der, .subject = c->subject, .issuer = c->issuer,
				 .serial = "01", .subject_key = bytes_of(c->key_id, SHA256_LEN), .spki_hash = bytes_of(c->key_id, SHA256_LEN),
				 .not_before = c->not_before, .not_after = c->not_after, .is_ca = true };
	TRY(credential_row_by_name(ctx->tx, ctx->a, cmd->authority, &authority, e));
	TRY(cert_row_put(ctx->tx, &cert, e));
	verb_uuid(ctx, uuid);
	struct version_row version = { .uuid = uuid, .credential_id = authority.id, .cert_id = cert.id, .source = VERSION_UPLOADED,
				       .wanted = true, .created = ctx->now };
	return version_row_insert(ctx->tx, &version, e);
}

static const struct verb ADD_CA = { "test.add_ca", VERB_WRITE, ROLE_SYSTEM, sizeof(struct add_ca), 1, NULL, add_ca_run };

static void add_ca(const char *authority, struct bytes der)
{
	struct add_ca cmd = { authority, NULL };
	must(cert_parse(x->a, der, &cmd.cert, NULL), &(struct troth_err){ 0 });
	pipeline_submit(x->pipeline, &ADD_CA, NULL, &cmd, NULL, NULL);
}

static void new_ca_reaches_ca_pem(void **state)
{
	struct world *w = world_new();
	const char *before = read_text(x->d.ca_pem);
	add_ca("/troth/server", w->ca.der);
	assert_true(changes(x->d.ca_pem, before));
	assert_non_null(strstr(read_text(x->d.ca_pem), w->ca.pem));
	world_free(w);
}

static bool believed(struct world *w)
{
	struct raw r = raw_connect(w, true); /* TLS 1.3: the client is done before the server has judged */
	(void)SSL_write(r.ssl, "OPTIONS /echo HTTP/1.1\r\nHost: a\r\n\r\n", 36);
	bool yes = status_of(raw_reply(w, &r)) == 204;
	raw_close(&r);
	return yes;
}

static bool comes_to_believe(struct world *w)
{
	for (msec_t end = mono() + 10000; mono() < end; poll(NULL, 0, 5))
		if (believed(w))
			return true;
	return false;
}

static void new_ca_of_agents_is_believed(void **state)
{
	struct world *w = world_new();
	w->port = edge_server_port(x->edge);
	assert_false(believed(w));
	add_ca("/troth/agents", w->ca.der);
	assert_true(comes_to_believe(w));
	world_free(w);
}

/* -- a certificate that somebody brought -------------------------------------------------------------------- */
static bool ca_pem_has(const char *pem, bool want)
{
	for (msec_t end = mono() + 10000; mono() < end; poll(NULL, 0, 5))
		if ((strstr(read_text(x->d.ca_pem), pem) != NULL) == want)
			return true;
	return false;
}

/* What a caller by this name gets of the listener. */
static const char *shown(const char *name)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
	SSL *ssl = SSL_new(ctx);
	struct world w = { .a = x->a, .port = edge_server_port(x->edge) };
	struct raw tcp = raw_connect_plain(&w);
	char subject[80] = "";
	SSL_set_fd(ssl, tcp.fd);
	SSL_set_tlsext_host_name(ssl, name);
	assert_int_equal(SSL_connect(ssl), 1);
	X509 *leaf = SSL_get1_peer_certificate(ssl);
	X509_NAME_get_text_by_NID(X509_get_subject_name(leaf), NID_commonName, subject, sizeof subject);
	X509_free(leaf);
	SSL_free(ssl);
	SSL_CTX_free(ctx);
	close(tcp.fd);
	return arena_text(x->a, subject);
}

static bool comes_to_show(const char *name, const char *subject)
{
	for (msec_t end = mono() + 10000; mono() < end; poll(NULL, 0, 5))
		if (text_equal(shown(name), subject))
			return true;
	return false;
}

/* The same once more, with a key that cannot be opened: a data directory whose server.key is another's. */
static troth_rc spoil_run(struct verb_ctx *ctx, const void *arg, void *out, struct troth_err *e)
{
	struct credential_row row;
	struct version_row v;
	char uuid[UUID_LEN];
	TRY(credential_row_by_name(ctx->tx, ctx->a, BROUGHT_CREDENTIAL, &row, e));
	TRY(version_row_get(ctx->tx, ctx->a, row.signing_version, &v, e));
	verb_uuid(ctx, uuid);
	v.uuid = uuid;
	v.sealed_key = bytes_of_text("not sealed to anybody");
	TRY(version_row_insert(ctx->tx, &v, e));
	row.signing_version = v.id;
	return credential_row_update(ctx->tx, &row, e);
}

static const struct verb SPOIL = { "test.spoil", VERB_WRITE, ROLE_SYSTEM, sizeof(struct no_cmd), sizeof(struct no_ret), NULL, spoil_run };

static void what_is_brought_is_shown_until_it_is_taken_away(void **state)
{
	struct brought b = brought_make(x->a, port_now(&PORT_CLOCK_REAL), (struct brought_wish){ .san = "troth.example" });
	struct brought_cmd cmd = { .certificate = b.leaf, .chain = arena_printf(x->a, "%s%s", b.root, b.inter), .private_key = b.key };
	struct no_cmd none = { 0 };
	const char *own = shown("127.0.0.1");
	assert_string_equal(shown("troth.example"), own);
	pipeline_submit(x->pipeline, &VERB_BROUGHT_SET, NULL, &cmd, NULL, NULL);
	assert_true(ca_pem_has(b.root, true)); /* beside our own */
	assert_non_null(strstr(read_text(x->d.server_pem), "BEGIN CERTIFICATE"));
	assert_true(comes_to_show("troth.example", "svc"));
	assert_string_equal(shown("127.0.0.1"), own);
	pipeline_submit(x->pipeline, &VERB_BROUGHT_UNSET, NULL, &none, NULL, NULL);
	assert_true(ca_pem_has(b.root, false));
	assert_string_equal(shown("troth.example"), own);
	pipeline_submit(x->pipeline, &VERB_BROUGHT_SET, NULL, &cmd, NULL, NULL);
	assert_true(comes_to_show("troth.example", "svc"));
	pipeline_submit(x->pipeline, &SPOIL, NULL, &none, NULL, NULL);
	assert_true(ca_pem_has(b.root, false));
	assert_string_equal(shown("troth.example"), own); /* nobody is shut out */
}

static int setup(void **state)
{
	x = calloc(1, sizeof *x);
	x->a = arena_new(64 << 20);
	snprintf(x->base, sizeof x->base, "/tmp/troth-tls-XXXXXX");
	assert_non_null(mkdtemp(x->base));
	x->d = datadir_make(x->a, arena_printf(x->a, "%s/d", x->base));
	char *argv[] = { (char *)"init", (char *)"--dir", (char *)x->d.dir };
	assert_int_equal(init_command(3, argv), 0);
	open_parts();
	return 0;
}

static int teardown(void **state)
{
	struct process_result r;
	const char *const rm[] = { "/bin/rm", "-rf", x->base, NULL };
	edge_server_stop(x->edge, 500);
	edge_server_join(x->edge);
	pipeline_stop(x->pipeline);
	edge_server_free(x->edge);
	pipeline_free(x->pipeline);
	server_tls_free(x->tls);
	service_free(x->svc);
	store_close(x->store);
	troth_rc rc = process_run(rm, 0, 0, 10000, &r, NULL);
	arena_free(x->a);
	free(x);
	return rc_ok(rc) ? 0 : -1;
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(nothing_to_do_nothing_done), cmocka_unit_test(renewed_at_half_life),
					    cmocka_unit_test(what_is_brought_is_shown_until_it_is_taken_away),
					    cmocka_unit_test(new_ca_reaches_ca_pem),
					    cmocka_unit_test(new_ca_of_agents_is_believed) };
	if (argc > 1 && strcmp(argv[1], "keeper") == 0)
		return keeper_command(argc - 1, argv + 1);
	const struct CMUnitTest alone[] = { cmocka_unit_test(the_listener_is_moved_to_another_ca) }; /* from then on trust is the engine's */
	return cmocka_run_group_tests(tests, setup, teardown) + cmocka_run_group_tests(alone, setup, teardown);
}
