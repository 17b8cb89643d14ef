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
#include "base/limits.h"
#include "base/text.h"
#include "service/nouns.h"

const char DEV_USAGE[] =
	"usage: troth dev --dir DIR [--listen 127.0.0.1:PORT] [--plain-http]\n"
	"                 [--log-level LEVEL]\n"
	"\n"
	"A server for trying and testing: made in DIR if there is none, then run until\n"
	"SIGTERM or SIGINT. When it answers it prints one line of JSON: where it is, its\n"
	"CA, and an administrator's token and client certificate. Logs go to stderr.\n"
	"\n"
	"  --dir DIR           the data directory; kill it at any time and start it\n"
	"                      again on the same one\n"
	"  --listen ADDRESS    default: 127.0.0.1 and a free port, the next time the\n"
	"                      same one\n"
	"  --plain-http        the same API without TLS too, on a free port of\n"
	"                      127.0.0.1: \"http_url\"\n"
	"  --log-level LEVEL   debug, info, warn (default) or error\n"
	"\n"
	"example:\n"
	"  troth dev --dir /tmp/t --plain-http\n";

#define ADMIN_PRINCIPAL "dev-admin" /* who has the client certificate; the token is admin's */

struct dev {
	struct arena *a;
	struct datadir d;
	const char *cert, *key; /* files of the administrator's client certificate */
};

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

static troth_rc make_admin_cert(const struct dev *dev, struct troth_err *e)
{
	struct principal_view_ret ret;
	const char *csr;
	if (is_fresh(dev))
		return RC_OK;
	TRY(admin_csr(dev, &csr, e));
	struct principal_add_cmd add = { .name = ADMIN_PRINCIPAL, .role = "admin", .csr = csr };
	struct principal_rotate_cmd again = { ADMIN_PRINCIPAL, csr };
	troth_rc rc = datadir_do(dev->a, dev->d.dir, &VERB_PRINCIPAL_ADD, &add, &ret, e);
	if (rc.code == TROTH_CONFLICT) {
		err_clear(e);
		rc = datadir_do(dev->a, dev->d.dir, &VERB_PRINCIPAL_ROTATE, &again, &ret, e);
	}
	TRY(rc);
	return file_write(dev->cert, bytes_of_text(arena_printf(dev->a, "%s%s", ret.certificate, ret.chain)), 0644, e);
}

/* -- start ----------------------------------------------------------------------------------------------------- */
static troth_rc make_dir(const struct dev *dev, const char *listen, struct troth_err *e)
{
	const struct init_options init = { .dir = dev->d.dir, .listen = listen ? listen : "127.0.0.1:0" };
	if (rc_failed(datadir_check(&dev->d, NULL)) || access(dev->d.admin_token, F_OK) != 0)
		TRY(init_dir(dev->a, &init, e));
	return make_admin_cert(dev, e);
}

static const char *read_line(struct arena *a, const char *path)
{
	struct bytes text;
	if (rc_failed(file_read(a, path, LIMIT_PEM_BYTES, &text, NULL)))
		return NULL;
	return arena_text_n(a, (const char *)text.data, strcspn((const char *)text.data, "\n"));
}

static const char *absolute(struct arena *a, const char *path)
{
	char cwd[4096];
	return path[0] == '/' || !getcwd(cwd, sizeof cwd) ? path : arena_printf(a, "%s/%s", cwd, path);
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
	jw_kv_text(&w, "data_dir", dev->d.dir);
	jw_kv_int(&w, "pid", getpid());
	jw_key(&w, "facades");
	jw_object(&w);
	jw_object_end(&w);
	jw_object_end(&w);
	printf("%s\n", buf_text(&out));
	fflush(stdout);
}

int dev_command(int argc, char **argv)
{
	static const struct command self = { .name = "dev" };
	CLEANUP(arena_freep) struct arena *a = arena_new(LIMIT_REQUEST_ARENA_BYTES);
	struct server_options o = { .log_level = "warn", .clock_went_back = true };
	struct option_values words = { 0 };
	struct troth_err e = { 0 };
	bool plain = false;
	const struct option options[] = { { "dir", &o.dir }, { "listen", &o.listen }, { "log-level", &o.log_level },
					  { "plain-http", NULL, &plain, NULL } };
	if (rc_failed(options_read(argc, argv, options, ARRAY_LEN(options), &words, &e)) || rc_failed(server_set_log(&o, &e)))
		return command_usage(&self, "%s", e.primary);
	if (!o.dir || words.count)
		return command_usage(&self, "say where: --dir DIR");
	struct dev dev = { .a = a, .d = datadir_make(a, absolute(a, o.dir)) };
	dev.cert = arena_printf(a, "%s/admin.pem", dev.d.dir);
	dev.key = arena_printf(a, "%s/admin.key", dev.d.dir);
	if (rc_failed(make_dir(&dev, o.listen, &e)))
		return command_failed(&e);
	o.dir = dev.d.dir;
	o.plain_listen = plain ? "127.0.0.1:0" : NULL;
	o.ready = on_ready;
	o.self = &dev;
	return server_run(a, &o);
}
