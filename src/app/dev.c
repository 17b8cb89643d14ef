/* `troth dev`: a whole server in one directory, for trying and testing.
 *
 * init where nothing is, else the server that is there; then one line of JSON on stdout that says how to reach it, made by
 * the code that makes real credentials: nothing is opened up that a real server keeps shut, except that the same API may
 * also be served without TLS on loopback. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "app/server.h"
#include "base/json.h"
#include "facade/facade.h"
#include "base/limits.h"
#include "base/text.h"
#include "service/nouns.h"

const char DEV_USAGE[] =
	"usage: troth dev --dir DIR [--listen 127.0.0.1:PORT] [--plain-http]\n"
	"                 [--admin-password PASSWORD] [--log-level LEVEL]\n"
	"\n"
	"A server for trying and testing: made in DIR if there is none, then run until\n"
	"SIGTERM or SIGINT. When it answers it prints one line of JSON: where it is, its\n"
	"CA, an administrator's token, client certificate and password (which is good\n"
	"for POST /oauth/token), and a password for each compatible API. Logs go to\n"
	"stderr. No troth.yaml is read.\n"
	"\n"
	"  --dir DIR           the data directory; kill it at any time and start it\n"
	"                      again on the same one\n"
	"  --listen ADDRESS    default: 127.0.0.1 and a free port, the next time the\n"
	"                      same one\n"
	"  --plain-http        the same API without TLS too, on a free port of\n"
	"                      127.0.0.1: \"http_url\"\n"
	"  --admin-password PASSWORD\n"
	"                      the administrator's, 12 characters or more (default: one\n"
	"                      that is made). Others on this machine see a command line\n"
	"  --log-level LEVEL   debug, info, warn (default) or error\n"
	"\n"
	"example:\n"
	"  troth dev --dir /tmp/t --plain-http\n";

#define ADMIN_PRINCIPAL "dev-admin" /* who has the client certificate; the token is admin's */

#define PASSWORD_PRINCIPAL "dev"    /* who logs in by password; for the API x it is dev-x */

enum { LOGINS_MAX = 8, MADE_COST = 10 /* of passwords that are made: 120 random bits need no slow derivation, and trying has to begin at once */ };
struct dev_login { const char *facade, *client, *user, *password; };

struct dev {
	struct arena *a;
	struct datadir d;
	const char *cert, *key; /* files of the administrator's client certificate */
	const char *admin_password; /* as said, or NULL */
	struct dev_login logins[LOGINS_MAX]; /* the first is the native API's */
	size_t login_count;
	struct datadir_session session;
};

/* Opened when there is something to do: usually there is not. */
static troth_rc dev_open(struct dev *dev, struct troth_err *e)
{
	return dev->session.svc ? RC_OK : datadir_open(dev->a, dev->d.dir, &dev->session, e);
}

static troth_rc dev_do(struct dev *dev, const struct verb *verb, const void *cmd, void *ret, struct troth_err *e)
{
	TRY(dev_open(dev, e));
	return datadir_do(&dev->session, dev->a, verb, cmd, ret, e);
}

/* -- the administrator's client certificate ------------------------------------------------------------------ */
static void key_done(struct key **k) { key_release(*k); }

/* A key of its own beside the directory's others, and a request for it. */
static troth_rc admin_csr(const struct dev *dev, const char **ret_csr, struct troth_err *e)
{
	CLEANUP(key_done) struct key *key = NULL;
	CLEANUP(buf_release) struct buf pem = buf_make_secret(LIMIT_PEM_BYTES);
	TRY(key_generate(KEY_EC_P256, &key, e));
	TRY(key_write(key, KEY_PKCS8_PEM, &pem, e));
	TRY(file_write(dev->key, buf_bytes(&pem), 0600, e));
	return csr_build(dev->a, key, ADMIN_PRINCIPAL, ret_csr, e);
}

/* Past half of its life it is made anew; before, those who have it may go on with it. */
static bool is_fresh(const struct dev *dev)
{
	struct bytes pem;
	const struct cert *const *certs;
	size_t n;
	msec_t now = port_now(&PORT_CLOCK_REAL);
	return access(dev->key, R_OK) == 0 && rc_ok(file_read(dev->a, dev->cert, LIMIT_PEM_BYTES, &pem, NULL)) &&
	       rc_ok(certs_parse_pem(dev->a, pem, &certs, &n, NULL)) && n > 0 &&
	       now < certs[0]->not_before / 2 + certs[0]->not_after / 2;
}

static troth_rc make_admin_cert(struct dev *dev, struct troth_err *e)
{
	struct principal_view_ret ret;
	const char *csr;
	if (is_fresh(dev))
		return RC_OK;
	TRY(admin_csr(dev, &csr, e));
	struct principal_add_cmd add = { .name = ADMIN_PRINCIPAL, .role = "admin", .csr = csr };
	struct principal_rotate_cmd again = { ADMIN_PRINCIPAL, csr };
	troth_rc rc = dev_do(dev, &VERB_PRINCIPAL_ADD, &add, &ret, e);
	if (rc.code == TROTH_CONFLICT) {
		err_clear(e);
		rc = dev_do(dev, &VERB_PRINCIPAL_ROTATE, &again, &ret, e);
	}
	TRY(rc);
	return file_write(dev->cert, bytes_of_text(arena_printf(dev->a, "%s%s", ret.certificate, ret.chain)), 0644, e);
}

/* -- passwords ------------------------------------------------------------------------------------------------- */
static const char *read_line(struct arena *a, const char *path)
{
	struct bytes text;
	if (rc_failed(file_read(a, path, LIMIT_PEM_BYTES, &text, NULL)))
		return NULL;
	return arena_text_n(a, (const char *)text.data, strcspn((const char *)text.data, "\n"));
}

/* It stays what it was: in a file of its own, as the token is, until another one is said. */
static troth_rc make_login(struct dev *dev, struct dev_login *login, const char *said, struct troth_err *e)
{
	const char *file = arena_printf(dev->a, "%s/%s.password", dev->d.dir, login->user), *kept = read_line(dev->a, file);
	struct principal_add_cmd add = { .name = login->user, .role = "admin", .facade = login->facade, .password = said, .generate_password = !said };
	struct principal_rotate_cmd again = { .id = login->user, .password = said, .generate_password = !said };
	struct principal_view_ret ret;
	login->password = kept;
	if (kept && (!said || text_equal(said, kept)))
		return RC_OK;
	TRY(dev_open(dev, e));
	dev->session.port->password_cost = said ? 0 : MADE_COST;
	troth_rc rc = dev_do(dev, &VERB_PRINCIPAL_ADD, &add, &ret, e);
	if (rc.code == TROTH_CONFLICT) {
		err_clear(e);
		rc = dev_do(dev, &VERB_PRINCIPAL_ROTATE, &again, &ret, e);
	}
	if (rc_failed(rc) && said && e->findings) {
		const char *text = e->findings->text;
		e->findings = NULL; /* the only one; it names a member, and a person typed an option */
		rc = err_set(e, e->kind, "--admin-password: %s", text);
		err_hint(e, "leave it out, and a good one is made and printed");
	}
	TRY(rc);
	login->password = said ? said : ret.password;
	return file_write(file, bytes_of_text(arena_printf(dev->a, "%s\n", login->password)), 0600, e);
}

static troth_rc make_logins(struct dev *dev, struct troth_err *e)
{
	dev->logins[dev->login_count++] = (struct dev_login){ .user = PASSWORD_PRINCIPAL };
	for (const struct facade *f = FACADES_SERVED; f->name && dev->login_count < LOGINS_MAX; f++)
		dev->logins[dev->login_count++] = (struct dev_login){ f->name, f->client, arena_printf(dev->a, PASSWORD_PRINCIPAL "-%s", f->name) };
	for (size_t i = 0; i < dev->login_count; i++)
		TRY(make_login(dev, &dev->logins[i], i ? NULL : dev->admin_password, e));
	return RC_OK;
}

/* -- start ----------------------------------------------------------------------------------------------------- */
static troth_rc make_dir(struct dev *dev, const char *listen, struct troth_err *e)
{
	const struct init_options init = { .dir = dev->d.dir, .listen = listen ? listen : "127.0.0.1:0" };
	if (rc_failed(datadir_check(&dev->d, NULL)) || access(dev->d.admin_token, F_OK) != 0)
		TRY(init_dir(dev->a, &init, e));
	TRY(make_admin_cert(dev, e));
	return make_logins(dev, e);
}

static const char *absolute(struct arena *a, const char *path)
{
	char cwd[4096];
	return path[0] == '/' || !getcwd(cwd, sizeof cwd) ? path : arena_printf(a, "%s/%s", cwd, path);
}

/* Its password is good for a person through `client_id`, and as the secret of a client of the name of `user`. */
static void write_facade(struct json_writer *w, const struct dev_login *login, const char *url)
{
	jw_key(w, login->facade);
	jw_object(w);
	jw_kv_text(w, "base_url", url);
	jw_kv_text(w, "user", login->user);
	jw_kv_text(w, "password", login->password);
	jw_kv_text(w, "client_id", login->client);
	jw_object_end(w);
}

static void on_ready(void *self, const char *url, const char *http_url)
{
	const struct dev *dev = self;
	CLEANUP(buf_release) struct buf out = buf_make_secret(LIMIT_PEM_BYTES);
	struct json_writer w = json_writer_make(&out);
	jw_object(&w);
	jw_kv_text(&w, "url", url);
	if (http_url)
		jw_kv_text(&w, "http_url", http_url);
	jw_kv_text(&w, "ca_file", dev->d.ca_pem);
	jw_kv_text(&w, "admin_cert", dev->cert);
	jw_kv_text(&w, "admin_key", dev->key);
	jw_kv_text(&w, "token", read_line(dev->a, dev->d.admin_token));
	jw_kv_text(&w, "admin_user", dev->logins[0].user);
	jw_kv_text(&w, "admin_password", dev->logins[0].password);
	jw_kv_text(&w, "data_dir", dev->d.dir);
	jw_kv_int(&w, "pid", getpid());
	jw_key(&w, "facades");
	jw_object(&w);
	for (size_t i = 1; i < dev->login_count; i++)
		write_facade(&w, &dev->logins[i], url);
	jw_object_end(&w);
	jw_object_end(&w);
	printf("%s\n", buf_text(&out));
	fflush(stdout);
}

int dev_command(int argc, char **argv)
{
	static const struct command self = { .name = "dev" };
	CLEANUP(arena_freep) struct arena *a = arena_new(LIMIT_REQUEST_ARENA_BYTES);
	struct config_from from = { .given = { [SETTING_LOG_LEVEL] = "warn" } };
	struct server_options o = { .clock_went_back = true };
	struct option_values words = { 0 };
	struct troth_err e = { 0 };
	bool plain = false;
	const char *password = NULL;
	const struct option options[] = { { "dir", &o.dir }, { "listen", &from.given[SETTING_LISTEN] },
					  { "log-level", &from.given[SETTING_LOG_LEVEL] },
					  { "plain-http", NULL, &plain, NULL }, { "admin-password", &password } };
	if (rc_failed(options_read(argc, argv, options, ARRAY_LEN(options), &words, &e)) || rc_failed(server_take_config(a, &from, &o, &e)))
		return command_usage(&self, "%s", e.primary);
	if (!o.dir || words.count)
		return command_usage(&self, "say where: --dir DIR");
	struct dev dev = { .a = a, .d = datadir_make(a, absolute(a, o.dir)), .admin_password = password };
	arena_secret(a);
	dev.cert = arena_printf(a, "%s/admin.pem", dev.d.dir);
	dev.key = arena_printf(a, "%s/admin.key", dev.d.dir);
	troth_rc made = make_dir(&dev, from.given[SETTING_LISTEN], &e);
	datadir_close(&dev.session);
	if (rc_failed(made))
		return command_failed(&e);
	o.dir = dev.d.dir;
	o.plain_listen = plain ? "127.0.0.1:0" : NULL;
	o.ready = on_ready;
	o.self = &dev;
	return server_run(a, &o);
}
