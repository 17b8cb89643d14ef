/* `troth init`: from an empty directory to one that a server can run on.
 *
 * Each step looks whether its result is there, so an init that was interrupted is simply run again; only
 * the last step, which shows the admin's token, makes the directory complete. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "app/server.h"
#include "base/limits.h"
#include "base/text.h"
#include "keeper/keeper.h"
#include "service/nouns.h"
#include "service/service.h"

const char INIT_USAGE[] =
	"usage: troth init --dir DIR [--listen ADDRESS:PORT] [--name NAME]...\n"
	"\n"
	"Makes a data directory: the keeper's master key, the store, troth's own\n"
	"authorities /troth/server and /troth/agents, the server's certificate, and a\n"
	"token for the administrator.\n"
	"\n"
	"  --dir DIR              where to; made if it is not there (mode 0700)\n"
	"  --listen ADDRESS:PORT  where the server will listen (default 127.0.0.1:8443;\n"
	"                         port 0 takes a free one)\n"
	"  --name NAME            a DNS name or IP address that clients call the server\n"
	"                         by; may be repeated. localhost, 127.0.0.1 and the\n"
	"                         listening address are always in\n"
	"\n"
	"examples:\n"
	"  troth init --dir /var/lib/troth/server --listen 0.0.0.0:8443 \\\n"
	"    --name troth.example.org\n"
	"  troth server --dir /var/lib/troth/server\n"
	"\n"
	"Who has DIR/master.key and DIR/troth.db has every key; who loses the one loses\n"
	"every authority. `troth backup` seals both in one file; copies made in another\n"
	"way are to be kept apart.\n";
const char KEEPER_USAGE[] = "usage: troth keeper [--master-key PATH]\n\nThe server starts the keeper itself; there is nothing to run by hand.\n";

enum { INIT_NAMES = 32, KEEPER_ANSWER_MS = 60 * 1000 };

/* -- the keeper, one request at a time ----------------------------------------------------------------------- */
static troth_rc keeper_ask(void *self, struct arena *a, const struct keeper_request *const *need, size_t n,
			   const struct keeper_reply **replies, struct troth_err *e)
{
	for (size_t i = 0; i < n; i++) {
		struct keeper_reply *reply = ARENA_NEW(a, struct keeper_reply);
		TRY(keeper_call(self, a, need[i], KEEPER_ANSWER_MS, reply, e));
		replies[i] = reply;
	}
	return RC_OK;
}

/* -- files ------------------------------------------------------------------------------------------------------ */
static troth_rc make_master_key(const struct datadir *d, struct troth_err *e)
{
	if (access(d->master_key, F_OK) == 0)
		return RC_OK; /* of an init that was interrupted */
	return keeper_master_create(d->master_key, e);
}

static void key_done(struct key **k) { key_release(*k); }

static troth_rc make_server_key(const struct datadir *d, struct troth_err *e)
{
	CLEANUP(key_done) struct key *key = NULL;
	CLEANUP(buf_release) struct buf pem = buf_make_secret(LIMIT_PEM_BYTES);
	if (access(d->server_key, F_OK) == 0)
		return RC_OK;
	TRY(key_generate(KEY_EC_P256, &key, e));
	TRY(key_write(key, KEY_PKCS8_PEM, &pem, e));
	return file_write(d->server_key, buf_bytes(&pem), 0600, e);
}

static bool text_in(const struct json_texts *list, const char *s)
{
	for (size_t i = 0; i < list->count; i++)
		if (strcmp(list->items[i], s) == 0)
			return true;
	return false;
}

static void names_add(struct json_texts *list, const char **items, const char *name)
{
	if (*name && !text_in(list, name) && list->count < INIT_NAMES + 4)
		items[list->count++] = name;
}

/* localhost, the address it listens on, and what was asked for. */
static struct json_texts server_names(struct arena *a, const struct init_options *o)
{
	const char **items = ARENA_ARRAY(a, const char *, INIT_NAMES + 4);
	struct json_texts list = { items, 0 };
	for (size_t i = 0; i < o->names.count; i++)
		names_add(&list, items, o->names.items[i]);
	names_add(&list, items, "localhost");
	names_add(&list, items, "127.0.0.1");
	if (!address_is_any(&o->address))
		names_add(&list, items, arena_text_n(a, o->address.host, o->address.host_len));
	return list;
}

static troth_rc write_results(struct arena *a, const struct datadir *d, const struct init_options *o, const struct init_ret *made,
			      struct troth_err *e)
{
	const char *pem;
	const char *name = o->names.count ? o->names.items[0] : NULL;
	TRY(server_pem_make(a, made->certificate, made->chain, NULL, made->server_ca, &pem, e));
	TRY(file_write(d->server_pem, bytes_of_text(pem), 0644, e));
	TRY(file_write(d->ca_pem, bytes_of_text(made->server_ca), 0644, e));
	TRY(file_write(d->admin_token, bytes_of_text(arena_printf(a, "%s\n", made->admin_token)), 0600, e));
	return datadir_write_address(d, server_url(a, &o->address, name, o->address.port), o->listen, e);
}

/* -- all steps ----------------------------------------------------------------------------------------------------- */
static troth_rc fill_store(struct arena *a, const struct datadir *d, const struct init_options *o, struct keeper_client *keeper,
			   struct init_ret *ret, struct troth_err *e)
{
	const struct server_port port = { PORT_CLOCK_REAL, PORT_RANDOM_REAL };
	const struct verb_keeper ask = { keeper, keeper_ask };
	CLEANUP(store_closep) struct store *store = NULL;
	CLEANUP(service_freep) struct service *svc = NULL;
	struct init_cmd cmd = { .sans = server_names(a, o) };
	TRY(store_open(d->store, NULL, &store, e));
	TRY(service_new(store, &port, &svc, e));
	TRY(server_csr(a, d, &cmd.csr, e));
	return init_run(svc, a, &port, port_now(&port.clock), &ask, &cmd, ret, e);
}

troth_rc init_dir(struct arena *a, const struct init_options *given, struct troth_err *e)
{
	CLEANUP(keeper_client_closep) struct keeper_client *keeper = NULL;
	struct init_options with = *given, *o = &with;
	ENSURE(address_parse(o->listen, &o->address), e, TROTH_INVALID, "\"%.60s\" is no address to listen on: write " ADDRESS_FORM, o->listen);
	const struct datadir dir = datadir_make(a, o->dir), *d = &dir;
	const struct keeper_spawn_options spawn = { d->master_key, d->keeper_log };
	struct init_ret made;
	if (access(d->admin_token, F_OK) == 0 && rc_ok(datadir_check(d, NULL))) {
		troth_rc rc = err_set(e, TROTH_CONFLICT, "%s is a complete data directory already", d->dir);
		err_hint(e, "start it with: troth server --dir %s", d->dir);
		return rc;
	}
	troth_rc rc = dir_make(d->dir, 0700, e);
	if (rc_failed(rc)) {
		err_hint(e, "say another --dir, or make it and give it to the user that the server shall run as: install -d -m 700 -o USER %s", d->dir);
		return rc;
	}
	TRY(make_master_key(d, e));
	TRY(make_server_key(d, e));
	TRY(keeper_spawn("/proc/self/exe", &spawn, &keeper, e));
	TRY(fill_store(a, d, o, keeper, &made, e));
	return write_results(a, d, o, &made, e);
}

troth_rc datadir_open(struct arena *a, const char *dir, struct datadir_session *ret, struct troth_err *e)
{
	const struct datadir d = datadir_make(a, dir);
	const struct keeper_spawn_options spawn = { d.master_key, d.keeper_log };
	const struct store_options options = { .must_exist = true };
	struct server_port *port = ARENA_NEW(a, struct server_port);
	*port = (struct server_port){ PORT_CLOCK_REAL, PORT_RANDOM_REAL };
	TRY(keeper_spawn("/proc/self/exe", &spawn, &ret->keeper, e));
	TRY(store_open(d.store, &options, &ret->store, e));
	ret->port = port;
	return service_new(ret->store, port, &ret->svc, e);
}

troth_rc datadir_do(struct datadir_session *s, struct arena *a, const struct verb *verb, const void *cmd, void *ret, struct troth_err *e)
{
	struct verb_ctx ctx;
	verb_ctx_init(&ctx, a, &PRINCIPAL_SYSTEM, s->port, port_now(&s->port->clock));
	return verb_run(s->svc, verb, &ctx, &(struct verb_keeper){ s->keeper, keeper_ask }, cmd, ret, e);
}

void datadir_close(struct datadir_session *s)
{
	service_free(s->svc);
	store_close(s->store);
	keeper_client_close(s->keeper);
	*s = (struct datadir_session){ 0 };
}

static troth_rc say_done(struct arena *a, const struct datadir *d, struct troth_err *e)
{
	struct bytes pem;
	const struct cert *const *cas;
	size_t n;
	char hex[SHA256_HEX_LEN];
	TRY(file_read(a, d->ca_pem, LIMIT_PEM_BYTES, &pem, e));
	TRY(certs_parse_pem(a, pem, &cas, &n, e));
	printf("data directory  %s\nCA fingerprint  %s\nadmin token     %s\n\nnext:\n  troth server --dir %s\n", d->dir,
	       cert_fingerprint_hex(cas[0], hex), d->admin_token, d->dir);
	return RC_OK;
}

int init_command(int argc, char **argv)
{
	static const struct command self = { .name = "init" };
	CLEANUP(arena_freep) struct arena *a = arena_new(LIMIT_REQUEST_ARENA_BYTES);
	struct init_options o = { .listen = "127.0.0.1:8443" };
	struct option_values words = { 0 };
	struct troth_err e = { 0 };
	const struct option options[] = { { "dir", &o.dir }, { "listen", &o.listen }, { "name", NULL, NULL, &o.names } };
	if (rc_failed(options_read(argc, argv, options, ARRAY_LEN(options), &words, &e)))
		return command_usage(&self, "%s", e.primary);
	if (!o.dir || words.count)
		return command_usage(&self, "say where to: --dir DIR");
	if (!address_parse(o.listen, &o.address)) /* before anything is made */
		return command_usage(&self, "--listen wants " ADDRESS_FORM);
	struct datadir d = datadir_make(a, o.dir);
	troth_rc rc = init_dir(a, &o, &e);
	if (rc_ok(rc))
		rc = say_done(a, &d, &e);
	return rc_ok(rc) ? 0 : command_failed(&e);
}
