/* `troth agent enroll`: a one-time token and the CA's fingerprint for an identity.
 *
 * The identity's key is made here and never leaves.  Until the server's answer is on disk nothing
 * counts: a run that fails can be repeated with the same key (and, if the server never saw the token,
 * with the same token). */
#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/agent.h"
#include "agent/hand.h"
#include "agent/options.h"
#include "edge/client.h"
#include "pki/pki.h"

enum { ENROLL_ARENA = 64 << 20 };

const char AGENT_ENROLL_USAGE[] =
	"usage: troth agent enroll --server URL --ca-fingerprint HEX --token-file FILE\n"
	"                          --dir DIR [--instance NAME | --again NAME]\n"
	"\n"
	"Makes this node's identity: a key here, a certificate from the server.\n"
	"\n"
	"  --server URL           https://host:port\n"
	"  --ca-fingerprint HEX   SHA-256 of the server's CA: troth token create says\n"
	"                         it, or on the server's machine\n"
	"                         openssl x509 -in ca.pem -noout -fingerprint -sha256\n"
	"  --token-file FILE      the token of `troth token create`, which works once;\n"
	"                         - reads it from standard input\n"
	"  --token TOKEN          the token itself; others on this machine can see it\n"
	"                         in the list of processes\n"
	"  --dir DIR              made if it is missing, readable for its owner only\n"
	"  --instance NAME        the name wanted, if the token does not fix it\n"
	"  --again NAME           DIR is this instance's, and its identity has expired\n"
	"                         or was refused: a new one, with a token made by\n"
	"                         `troth token create --reinstall`; what DIR remembers\n"
	"                         stays\n"
	"\n"
	"example:\n"
	"  troth agent enroll --server https://troth.example:8443 \\\n"
	"    --ca-fingerprint 3f2a... --token-file token --dir /var/lib/troth-agent\n";

enum { TOKEN_FILE_BYTES = 4096 };

struct options { const char *server, *fingerprint, *token, *token_file, *dir, *instance, *again; };

/* One line of standard input. */
static void ask_token(struct buf *room)
{
	char c;
	if (isatty(STDIN_FILENO))
		fputs("join token: ", stderr);
	*room = buf_make_secret(TOKEN_FILE_BYTES);
	while (buf_ok(room) && read(STDIN_FILENO, &c, 1) == 1 && c != '\n')
		buf_add_byte(room, (uint8_t)c);
}

/* The first line of the file, in the secret buffer `room`. */
static troth_rc read_token(const char *file, struct buf *room, const char **ret, struct troth_err *e)
{
	if (strcmp(file, "-") == 0)
		ask_token(room);
	else
		TRY(file_read_secret(file, TOKEN_FILE_BYTES, room, e));
	buf_add_byte(room, 0);
	ENSURE(buf_ok(room), e, TROTH_TOO_LARGE, "a token has less than %d bytes; \"%s\" holds something else", TOKEN_FILE_BYTES, file);
	char *text = (char *)room->data;
	text[strcspn(text, "\r\n")] = 0;
	ENSURE(text[0], e, TROTH_INVALID, "there is no token in \"%s\"", file);
	*ret = text;
	return RC_OK;
}

/* 64 hex digits, colons between them allowed. */
static troth_rc read_fingerprint(const char *text, uint8_t ret[SHA256_LEN], struct troth_err *e)
{
	char plain[SHA256_HEX_LEN];
	size_t n = 0;
	for (; *text && n < sizeof plain - 1; text++)
		if (*text != ':')
			plain[n++] = *text;
	plain[n] = 0;
	if (*text == 0 && n == sizeof plain - 1 && hex_decode(plain, n, ret, SHA256_LEN))
		return RC_OK;
	troth_rc rc = err_set(e, TROTH_INVALID, "--ca-fingerprint is no SHA-256 fingerprint");
	err_hint(e, "64 hex digits: openssl x509 -in ca.pem -noout -fingerprint -sha256");
	return rc;
}

static troth_rc open_directory(const char *path, struct store_dir *ret, struct troth_err *e)
{
	struct stat st;
	TRY(dir_make(path, 0700, e));
	ENSURE(stat(path, &st) == 0 && chmod(path, 0700) == 0, e, TROTH_IO, "could not make \"%s\" private to its owner", path);
	*ret = (struct store_dir){ &PORT_FS_REAL, open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC) };
	ENSURE(ret->fd >= 0, e, TROTH_IO, "could not open \"%s\"", path);
	return RC_OK;
}

/* A directory is one instance's: it enrols again only by name. */
static troth_rc check_second(const struct store_dir *d, struct arena *a, const struct options *o, struct troth_err *e)
{
	struct agent_identity id;
	bool there = rc_ok(identity_read(d, a, &id, NULL));
	ENSURE(there || !o->again, e, TROTH_NOT_FOUND, "\"%s\" holds no identity to be replaced", o->dir);
	if (!there || text_equal(o->again, id.instance))
		return RC_OK;
	troth_rc rc = err_set(e, TROTH_CONFLICT, "\"%s\" holds the identity of instance %s already", o->dir, id.instance);
	err_hint(e, "enrol into another directory; if this identity has expired: --again %s", id.instance);
	return rc;
}

static troth_rc make_key(const struct store_dir *d, struct buf *ret_pem, struct key **ret, struct troth_err *e)
{
	if (rc_ok(store_read(d, "identity-next.key", 4 * LIMIT_KEY_DER_BYTES, ret_pem, NULL)))
		return key_parse(buf_bytes(ret_pem), ret, e);
	TRY(key_generate(KEY_EC_P256, ret, e));
	*ret_pem = buf_make_secret(4 * LIMIT_KEY_DER_BYTES);
	TRY(key_write(*ret, KEY_PKCS8_PEM, ret_pem, e));
	return store_write(d, "identity-next.key", buf_bytes(ret_pem), e);
}

static troth_rc boot_id(struct arena *a, const char *state_id, const char **ret, struct troth_err *e)
{
	CLEANUP(buf_release) struct buf b = { 0 };
	struct store_dir root = { &PORT_FS_REAL, AT_FDCWD };
	TRY(store_read(&root, "/proc/sys/kernel/random/boot_id", 128, &b, e));
	*ret = arena_printf(a, "%.36s-%.8s", buf_text(&b), state_id);
	return RC_OK;
}

static troth_rc ask(const struct options *o, struct arena *a, const char *csr, const char *state_id,
		    const uint8_t pin[SHA256_LEN], struct msg_enrolled *ret, struct troth_err *e)
{
	CLEANUP(buf_release) struct buf body = buf_make(MSG_BYTES);
	struct http_client_config config = { .server = o->server, .pinned = true, .max_reply_bytes = MSG_BYTES };
	struct msg_enroll m = { .token = o->token, .csr = csr, .agent_version = TROTH_VERSION, .instance = o->again ? o->again : o->instance };
	struct http_answer answer;
	TRY(boot_id(a, state_id, &m.boot_id, e));
	memcpy(config.pin, pin, SHA256_LEN);
	msg_enroll_encode(&body, &m);
	ENSURE(buf_ok(&body), e, TROTH_TOO_LARGE, "the request is too large");
	struct http_outgoing out = { .method = HTTP_POST, .target = "/v1/agent/enroll", .body = buf_bytes(&body) };
	troth_rc rc = http_call(a, &config, &out, &answer, e);
	if (rc_failed(rc)) {
		if (e->kind == TROTH_UNAVAILABLE && !e->hint[0])
			err_hint(e, "does the server run at %s, and can this node reach it?", o->server);
		return rc;
	}
	TRY(http_answer_check(a, &answer, e));
	return msg_enrolled_decode(a, answer.body, ret, e);
}

/* The answer comes over the pinned connection; the CA set in it must hold the pinned CA all the same. */
static troth_rc check_pin(struct arena *a, const char *server_ca, const uint8_t pin[SHA256_LEN], struct troth_err *e)
{
	const struct cert *const *certs;
	size_t n;
	TRY(certs_parse_pem(a, bytes_of_text(server_ca), &certs, &n, e));
	for (size_t i = 0; i < n; i++)
		if (memcmp(certs[i]->fingerprint, pin, SHA256_LEN) == 0)
			return RC_OK;
	return err_set(e, TROTH_UNAUTHENTICATED, "the server's CA set does not hold the CA with the given fingerprint");
}

static troth_rc enroll_into(const struct options *o, const struct store_dir *d, struct arena *a, struct troth_err *e)
{
	CLEANUP(buf_release) struct buf pem = { 0 };
	CLEANUP(key_releasep) struct key *k = NULL;
	uint8_t pin[SHA256_LEN];
	char state_id[UUID_LEN];
	const char *csr;
	struct msg_enrolled m;
	TRY(read_fingerprint(o->fingerprint, pin, e));
	TRY(check_second(d, a, o, e));
	TRY(make_key(d, &pem, &k, e));
	TRY(csr_build(a, k, o->instance ? o->instance : "agent", &csr, e));
	port_uuid(&PORT_RANDOM_REAL, state_id);
	TRY(ask(o, a, csr, state_id, pin, &m, e));
	TRY(check_pin(a, m.server_ca, pin, e));
	TRY(identity_install(d, a, buf_bytes(&pem), m.certificate, m.chain, m.server_ca, e));
	struct agent_identity id = { o->server, m.instance_id, m.instance, m.deployment, m.epoch, state_id };
	TRY(identity_write(d, &id, e));
	printf("enrolled as %s in deployment %s\n\nnext:\n  troth agent run --dir %s --profiles /etc/troth/profiles\n", m.instance,
	       m.deployment, o->dir);
	return store_remove(d, "identity-next.key", e);
}

static troth_rc enroll(struct options *o, struct arena *a, struct troth_err *e)
{
	CLEANUP(buf_release) struct buf token = { 0 };
	struct store_dir d;
	ENSURE(!o->token != !o->token_file, e, TROTH_INVALID, "give the join token by --token-file or by --token");
	if (o->token_file)
		TRY(read_token(o->token_file, &token, &o->token, e));
	TRY(open_directory(o->dir, &d, e));
	troth_rc rc = enroll_into(o, &d, a, e);
	close(d.fd);
	return rc;
}

int agent_enroll(int argc, char **argv)
{
	struct options o = { 0 };
	struct troth_err e = { 0 };
	const struct agent_option options[] = { { "server", &o.server, true }, { "ca-fingerprint", &o.fingerprint, true },
						{ "token", &o.token, false }, { "token-file", &o.token_file, false },
						{ "dir", &o.dir, true },
						{ "instance", &o.instance, false }, { "again", &o.again, false } };
	if (rc_failed(agent_options_read(argc, argv, options, ARRAY_LEN(options), &e))) {
		(void)agent_failed(&e);
		return 2;
	}
	struct arena *a = arena_new(ENROLL_ARENA);
	troth_rc rc = enroll(&o, a, &e);
	int code = rc_ok(rc) ? 0 : agent_failed(&e); /* findings live in the arena */
	arena_free(a);
	return code;
}
