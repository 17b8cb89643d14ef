/* The data directory: names of its files, and the few that are written by more than one command. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "app/server.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/text.h"
#include "pki/pki.h"

const char *datadir_said(const char *dir)
{
	const char *set = getenv("TROTH_DIR");
	return dir ? dir : set && set[0] ? set : NULL;
}

struct datadir datadir_make(struct arena *a, const char *dir)
{
	size_t len = strlen(dir);
	while (len > 1 && dir[len - 1] == '/')
		len--;
	const char *d = arena_text_n(a, dir, len);
	return (struct datadir){
		.dir = d,
		.store = arena_printf(a, "%s/troth.db", d),
		.master_key = arena_printf(a, "%s/master.key", d),
		.server_key = arena_printf(a, "%s/server.key", d),
		.server_pem = arena_printf(a, "%s/server.pem", d),
		.ca_pem = arena_printf(a, "%s/ca.pem", d),
		.admin_token = arena_printf(a, "%s/admin.token", d),
		.admin_json = arena_printf(a, "%s/admin.json", d),
		.note = arena_printf(a, "%s/epoch", d),
		.listen = arena_printf(a, "%s/server.listen", d),
		.config = arena_printf(a, "%s/troth.yaml", d),
		.settings = arena_printf(a, "%s/server.settings", d),
		.keeper_log = arena_printf(a, "%s/keeper.log", d),
		.url = arena_printf(a, "%s/server.url", d),
	};
}

troth_rc datadir_check(const struct datadir *d, struct troth_err *e)
{
	const char *const needed[] = { d->store, d->server_key, d->server_pem, d->ca_pem, d->admin_json, d->listen };
	for (size_t i = 0; i < ARRAY_LEN(needed); i++) {
		if (access(needed[i], F_OK) == 0)
			continue;
		if (errno == EACCES) {
			troth_rc rc = err_errno(e, errno, "could not look into data directory \"%s\"", d->dir);
			err_hint(e, "it is another user's: run this as that user, or as root");
			return rc;
		}
		troth_rc rc = err_set(e, TROTH_NOT_FOUND, "%s is not a complete data directory: there is no %s", d->dir, needed[i]);
		if (access(d->store, F_OK) == 0)
			err_hint(e, "put it back, or restore a backup into a new directory: troth restore --help");
		else
			err_hint(e, "make one with: troth init --dir %s", d->dir);
		return rc;
	}
	return RC_OK;
}

/* "1: FLOCK  ADVISORY  WRITE 4711 fe:01:1234 0 EOF": process and inode.  Of another file system's inode of the same number a
 * caller finds no settings, and goes on as if no server ran. */
static pid_t flock_owner(const char *line, ino_t inode)
{
	char kind[16], how[16];
	long pid;
	unsigned major, minor;
	unsigned long long of;
	bool read = sscanf(line, "%*s %15s %*s %15s %ld %x:%x:%llu", kind, how, &pid, &major, &minor, &of) == 6;
	return read && strcmp(kind, "FLOCK") == 0 && strcmp(how, "WRITE") == 0 && of == inode && pid > 0 ? (pid_t)pid : 0;
}

static pid_t search_locks(ino_t inode)
{
	char line[256];
	pid_t found = 0;
	FILE *locks = fopen("/proc/locks", "re");
	while (locks && !found && fgets(line, sizeof line, locks))
		found = flock_owner(line, inode);
	if (locks)
		fclose(locks);
	return found;
}

pid_t datadir_server(const struct datadir *d)
{
	char lock[4096];
	struct stat st;
	pid_t found = 0;
	if ((size_t)snprintf(lock, sizeof lock, "%s.lock", d->store) >= sizeof lock || stat(lock, &st) != 0)
		return 0;
	/* The kernel gives the list out a page at a time: where others come and go between two pages, a line can be missed. */
	for (int tries = 0; !found && tries < 4; tries++)
		found = search_locks(st.st_ino);
	return found;
}

/* Whose it is: who runs this as somebody else has to be somebody else. */
static troth_rc not_ours(const char *what, const char *path, int why, struct troth_err *e)
{
	struct stat st;
	troth_rc rc = err_errno(e, why, "could not %s \"%s\"", what, path);
	if (stat(path, &st) == 0 && st.st_uid != geteuid())
		err_hint(e, "it belongs to the user with the id %u: run this as that user", (unsigned)st.st_uid);
	else
		err_hint(e, "chmod u+rw %s, and look whether its file system is mounted read-only", path);
	return rc;
}

troth_rc datadir_check_usable(const struct datadir *d, struct troth_err *e)
{
	const struct { const char *path; int mode; } wanted[] = {
		{ d->dir, R_OK | W_OK | X_OK }, { d->store, R_OK | W_OK }, { d->server_key, R_OK }, { d->server_pem, R_OK }, { d->ca_pem, R_OK },
		{ d->admin_json, R_OK }, { d->listen, R_OK } };
	TRY(datadir_check(d, e));
	for (size_t i = 0; i < ARRAY_LEN(wanted); i++) {
		if (faccessat(AT_FDCWD, wanted[i].path, R_OK, AT_EACCESS) != 0)
			return not_ours("read", wanted[i].path, errno, e);
		if (faccessat(AT_FDCWD, wanted[i].path, wanted[i].mode, AT_EACCESS) != 0)
			return not_ours("write to", wanted[i].path, errno, e);
	}
	return RC_OK;
}

static const struct cert *last_of(struct arena *a, const char *pem)
{
	const struct cert *const *certs;
	size_t n = 0;
	return rc_ok(certs_parse_pem(a, bytes_of_text(pem), &certs, &n, NULL)) && n ? certs[n - 1] : NULL;
}

troth_rc server_pem_make(struct arena *a, const char *certificate, const char *chain, const char *bridge,
			 const char *server_ca, const char **ret_pem, struct troth_err *e)
{
	const char *pem = arena_printf(a, "%s%s", certificate, chain ? chain : "");
	const struct cert *last = last_of(a, pem), *const *cas;
	size_t n = 0;
	pem = arena_printf(a, "%s%s", pem, bridge ? bridge : ""); /* before the root: who looks for an issuer takes the first */
	ENSURE(last, e, TROTH_CORRUPT, "the server's certificate cannot be read");
	TRY(certs_parse_pem(a, bytes_of_text(server_ca), &cas, &n, e));
	for (size_t i = 0; i < n && !cert_self_signed(last); i++)
		if (cert_issued_by(last, cas[i])) {
			pem = arena_printf(a, "%s%s", pem, cert_pem(a, cas[i]->der));
			break;
		}
	*ret_pem = pem;
	return RC_OK;
}

/* As admin.json names it: a relative path there is relative to the directory, not to where init was called. */
static const char *named(const struct datadir *d, const char *path)
{
	return d->dir[0] == '/' ? path : path + strlen(d->dir) + 1;
}

troth_rc datadir_write_address(const struct datadir *d, const char *url, const char *listen, struct troth_err *e)
{
	CLEANUP(buf_release) struct buf json = buf_make(LIMIT_HTTP_HEADER_BYTES);
	CLEANUP(buf_release) struct buf line = buf_make(LIMIT_HTTP_HEADER_BYTES);
	struct json_writer w = json_writer_make(&json);
	jw_object(&w);
	jw_kv_text(&w, "url", url);
	jw_kv_text(&w, "ca_file", named(d, d->ca_pem));
	jw_kv_text(&w, "token_file", named(d, d->admin_token));
	jw_object_end(&w);
	buf_add_text(&json, "\n");
	buf_printf(&line, "%s\n", listen);
	TRY(file_write(d->admin_json, buf_bytes(&json), 0600, e));
	return file_write(d->listen, buf_bytes(&line), 0644, e);
}

troth_rc datadir_read_address(struct arena *a, const struct datadir *d, const char **ret_url, const char **ret_listen,
			      struct troth_err *e)
{
	struct bytes text, line;
	const struct json *j;
	TRY(file_read(a, d->admin_json, LIMIT_HTTP_HEADER_BYTES, &text, e));
	TRY(file_read(a, d->listen, LIMIT_HTTP_HEADER_BYTES, &line, e));
	troth_rc rc = json_parse(a, text, &j, e);
	if (rc_failed(rc)) {
		err_prefix(e, "%s", d->admin_json);
		err_hint(e, "it is one line: {\"url\":\"https://HOST:PORT\",\"ca_file\":\"ca.pem\",\"token_file\":\"admin.token\"}");
		return rc;
	}
	*ret_url = json_get_text(j, "url", "");
	*ret_listen = arena_text_n(a, (const char *)line.data, strcspn((const char *)line.data, "\n"));
	struct address address;
	if (address_parse(*ret_listen, &address))
		return RC_OK;
	rc = err_set(e, TROTH_INVALID, "%s: \"%.60s\" is no address to listen on", d->listen, *ret_listen);
	err_hint(e, "it is one line: " ADDRESS_FORM);
	return rc;
}

const char *server_url(struct arena *a, const struct address *listen, const char *name, int port)
{
	if (address_is_any(listen))
		return arena_printf(a, "https://%s:%d", name ? name : "localhost", port);
	return arena_printf(a, listen->written > listen->host_len ? "https://[%.*s]:%d" : "https://%.*s:%d", (int)listen->host_len, listen->host, port);
}

static void key_done(struct key **k) { key_release(*k); }

troth_rc server_csr(struct arena *a, const struct datadir *d, const char **ret_csr, struct troth_err *e)
{
	CLEANUP(buf_release) struct buf pem = buf_make_secret(0);
	CLEANUP(key_done) struct key *key = NULL;
	TRY(file_read_secret(d->server_key, LIMIT_PEM_BYTES, &pem, e));
	TRY(key_parse(buf_bytes(&pem), &key, e));
	return csr_build(a, key, "troth server", ret_csr, e);
}
