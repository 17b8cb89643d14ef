/* The node; see lab.h. */
#include "lab.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "port/port.h"

/* -- a file system that breaks ------------------------------------------------------------------------ */

static bool broken(void *self)
{
	struct lab *l = self;
	l->calls++;
	if (l->crash_after < 0 || l->calls <= l->crash_after)
		return false;
	errno = EIO;
	return true;
}

#define REAL PORT_FS_REAL
static int f_openat(void *s, int d, const char *p, int f, mode_t m) { return broken(s) ? -1 : REAL.openat(NULL, d, p, f, m); }
static int f_close(void *s, int fd) { return REAL.close(NULL, fd); }
static int f_mkdirat(void *s, int d, const char *p, mode_t m) { return broken(s) ? -1 : REAL.mkdirat(NULL, d, p, m); }
static ssize_t f_read(void *s, int fd, void *o, size_t n) { return broken(s) ? -1 : REAL.read(NULL, fd, o, n); }
static ssize_t f_write(void *s, int fd, const void *x, size_t n) { return broken(s) ? -1 : REAL.write(NULL, fd, x, n); }
static int f_fsync(void *s, int fd) /* the disk is not what is tested here, only that it was asked */
{
	struct lab *l = s;
	struct stat st;
	if (broken(s) || fstat(fd, &st) != 0)
		return -1;
	if (l->synced_count < 256)
		l->synced[l->synced_count++] = st.st_ino;
	return 0;
}
static int f_renameat(void *s, int a, const char *f, int b, const char *t) { return broken(s) ? -1 : REAL.renameat(NULL, a, f, b, t); }
static int f_symlinkat(void *s, const char *to, int d, const char *p) { return broken(s) ? -1 : REAL.symlinkat(NULL, to, d, p); }
static int f_fchown(void *s, int fd, uid_t u, gid_t g) { return broken(s) ? -1 : REAL.fchown(NULL, fd, u, g); }
static int f_fchmod(void *s, int fd, mode_t m) { return broken(s) ? -1 : REAL.fchmod(NULL, fd, m); }
static int f_unlinkat(void *s, int d, const char *p, int f) { return broken(s) ? -1 : REAL.unlinkat(NULL, d, p, f); }
static ssize_t f_readlinkat(void *s, int d, const char *p, char *o, size_t n) { return broken(s) ? -1 : REAL.readlinkat(NULL, d, p, o, n); }
static int f_fstatat(void *s, int d, const char *p, struct stat *st, int f) { return broken(s) ? -1 : REAL.fstatat(NULL, d, p, st, f); }
static int f_flock(void *s, int fd, int op) { return REAL.flock(NULL, fd, op); }

static struct port_fs FS = { NULL, f_openat, f_close, f_mkdirat, f_read, f_write, f_fsync, f_renameat, f_symlinkat, f_fchown, f_fchmod,
			     f_unlinkat, f_readlinkat, f_fstatat, f_flock };

/* -- services ---------------------------------------------------------------------------------------------- */

static msec_t p_now(void *self) { return port_now(&PORT_CLOCK_REAL); }

static int p_user(void *self, const char *name, uid_t *u, gid_t *g)
{
	*u = getuid();
	*g = getgid();
	return strcmp(name, "nobody-here") == 0 ? -1 : 0;
}

static int p_group(void *self, const char *name, gid_t *g)
{
	*g = getgid();
	return 0;
}

static int p_owner(void *self, pid_t pid, uid_t *u)
{
	struct lab *l = self;
	*u = pid == 666 ? 12345 : getuid();
	return l->process_gone ? -1 : 0;
}

static int p_signal(void *self, pid_t pid, int number)
{
	struct lab *l = self;
	l->signals++;
	l->signalled = pid;
	return 0;
}

static troth_rc p_run(void *self, const char *const *argv, msec_t timeout, struct process_result *ret, struct troth_err *e)
{
	struct lab *l = self;
	size_t n = 0;
	l->runs++;
	for (; argv[n]; n++)
		l->ran[n] = arena_text(l->a, argv[n]);
	l->ran[n] = NULL;
	*ret = l->run_result;
	return RC_OK;
}

/* -- life ------------------------------------------------------------------------------------------------------ */

static const char WEB[] =
	"name: web\ndescription: d\nkinds: [slot]\n"
	"parameters:\n  root: {pattern: path}\n  directory: {default: '{root}/web', pattern: path}\n"
	"  pid_file: {default: '{root}/web.pid', pattern: path}\n  command: {default: '', pattern: path}\n  owner: {default: '', pattern: name}\n"
	"  cert_file: {default: '', pattern: path}\n  key_file: {default: '', pattern: path}\n  signal: {default: HUP, pattern: HUP|TERM}\n"
	"  argument: {default: x, pattern: text}\n  restart: {default: '', pattern: path}\n"
	"roots: ['{root}']\ndirectory: '{directory}'\n"
	"files:\n  - {name: cert.pem, content: fullchain, owner: '{owner}'}\n  - {name: key.pem, content: key}\n"
	"fixed:\n  - {path: '{cert_file}', file: cert.pem}\n  - {path: '{key_file}', file: key.pem}\n"
	"reload: {signal: '{signal}', pid_file: '{pid_file}', command: ['{command}', '{argument}'], restart: ['{restart}', again]}\n"
	"probe: {addresses: ['127.0.0.1'], port: 8443}\ndrain: 1s\nproof: probe\n";
static const char TRUST[] =
	"name: trust\ndescription: d\nkinds: [store]\n"
	"parameters:\n  root: {pattern: path}\n"
	"roots: ['{root}']\ndirectory: '{root}/trust'\n"
	"files:\n  - {name: ca.pem, content: bundle}\n  - {name: ca-, content: each}\n"
	"reload: {signal: HUP, pid_file: '{root}/app.pid'}\nattest: {file: '{root}/loaded', of: ca.pem}\ndrain: 1s\nproof: attest\n";

static void make_ca(struct lab *l)
{
	struct bytes spki, der;
	msec_t now = port_now(&PORT_CLOCK_REAL);
	assert_true(rc_ok(key_generate(KEY_EC_P256, &l->ca_key, NULL)));
	assert_true(rc_ok(key_spki(l->ca_key, l->a, &spki, NULL)));
	struct cert_spec spec = { .kind = CERT_ROOT, .common_name = "lab", .not_before = now - CERT_BACKDATE, .not_after = now + 9 * MSEC_DAY,
				  .path_len = -1, .serial = { 1 }, .spki = spki };
	assert_true(rc_ok(cert_build(&spec, NULL, l->ca_key, l->a, &der, NULL)));
	assert_true(rc_ok(cert_parse(l->a, der, &l->ca, NULL)));
}

static void make_identity(struct lab *l)
{
	struct key *k;
	struct bytes spki;
	struct troth_err e = { 0 };
	struct store_dir d = { &PORT_FS_REAL, open(lab_path(l, "agent"), O_RDONLY | O_DIRECTORY) };
	CLEANUP(buf_release) struct buf pem = buf_make_secret(8192);
	assert_true(rc_ok(key_generate(KEY_EC_P256, &k, NULL)));
	assert_true(rc_ok(key_spki(k, l->a, &spki, NULL)));
	assert_true(rc_ok(key_write(k, KEY_PKCS8_PEM, &pem, NULL)));
	struct agent_identity id = { "https://127.0.0.1:1", LAB_SLOT, "lab-0", "lab", "e1", "6f1c3a52" };
	assert_true(rc_ok(identity_install(&d, l->a, buf_bytes(&pem), lab_leaf_for(l, spki), "", cert_pem(l->a, l->ca->der), &e)));
	assert_true(rc_ok(identity_write(&d, &id, &e)));
	key_release(k);
	close(d.fd);
}

int lab_setup(void **state)
{
	struct lab *l = calloc(1, sizeof *l);
	struct troth_err e = { 0 };
	const struct json *all;
	l->a = arena_new(256 << 20);
	l->crash_after = -1;
	l->serial = 2;
	snprintf(l->dir, sizeof l->dir, "/tmp/troth-lab-XXXXXX");
	assert_non_null(mkdtemp(l->dir));
	assert_int_equal(mkdir(lab_path(l, "agent"), 0700), 0);
	FS.self = l;
	l->port = (struct hand_port){ l, &FS, p_now, p_user, p_group, p_owner, p_signal, p_run, 0 };
	if (rc_failed(profile_parse(l->a, bytes_of_text(WEB), "web", &l->profiles[0], &e)) ||
	    rc_failed(profile_parse(l->a, bytes_of_text(TRUST), "trust", &l->profiles[1], &e)))
		fail_msg("%s", e.primary);
	const char *text = arena_printf(l->a, "{\"root\":\"%s/srv\"}", l->dir);
	assert_true(rc_ok(json_parse(l->a, bytes_of_text(text), &all, &e)));
	l->settings.all = all;
	make_ca(l);
	make_identity(l);
	assert_int_equal(mkdir(lab_path(l, "srv"), 0755), 0);
	lab_write(l, "srv/web.pid", "4242\n");
	lab_write(l, "srv/app.pid", "4243\n");
	lab_open(l);
	*state = l;
	return 0;
}

static int remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw) { return remove(path); }

int lab_teardown(void **state)
{
	struct lab *l = *state;
	if (l->open)
		hand_close(&l->hand);
	nftw(l->dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	key_release(l->ca_key);
	arena_free(l->a);
	free(l);
	return 0;
}

const char *lab_path(struct lab *l, const char *name) { return arena_printf(l->a, "%s/%s", l->dir, name); }

void lab_open(struct lab *l)
{
	struct troth_err e = { 0 };
	if (l->open)
		hand_close(&l->hand);
	l->crash_after = -1;
	if (rc_failed(hand_open(&l->hand, &l->port, lab_path(l, "agent"), l->profiles, 2, &l->settings, &e)))
		fail_msg("%s", e.primary);
	l->open = true;
}

void lab_crash_after(struct lab *l, long calls)
{
	l->crash_after = calls;
	l->calls = 0;
}

struct hand_reply lab_do(struct lab *l, struct hand_request r)
{
	struct hand_reply reply;
	hand_handle(&l->hand, &r, l->a, &reply);
	return reply;
}

struct hand_reply lab_op(struct lab *l, enum hand_op op, const char *id, int64_t generation)
{
	return lab_do(l, (struct hand_request){ .op = op, .id = id, .generation = generation, .text = "the reason" });
}

struct hand_reply lab_look(struct lab *l, const char *id)
{
	bool slot = text_equal(id, LAB_SLOT);
	return lab_do(l, (struct hand_request){ .op = HAND_LOOK, .id = id, .name = slot ? "tls" : "cas", .profile = slot ? "web" : "trust",
						.kind = slot ? MSG_SLOT : MSG_STORE });
}

const char *lab_leaf_for(struct lab *l, struct bytes spki)
{
	struct bytes der;
	struct troth_err e = { 0 };
	msec_t now = port_now(&PORT_CLOCK_REAL);
	struct san san = { SAN_DNS, "localhost" };
	struct cert_spec spec = { .kind = CERT_LEAF, .common_name = "leaf", .sans = &san, .san_count = 1, .not_before = now - CERT_BACKDATE,
				  .not_after = now + MSEC_DAY, .serial = { 1, l->serial++ }, .spki = spki, .eku = EKU_SERVER | EKU_CLIENT };
	if (rc_failed(cert_build(&spec, l->ca, l->ca_key, l->a, &der, &e)))
		fail_msg("%s", e.primary);
	return cert_pem(l->a, der);
}

const char *lab_leaf(struct lab *l, const char *request)
{
	struct csr csr;
	struct hand_reply r = lab_do(l, (struct hand_request){ .op = HAND_CSR, .id = LAB_SLOT, .request = request, .key_type = "ec-p256",
								.common_name = "leaf" });
	if (!r.ok)
		fail_msg("%s", r.text);
	assert_true(rc_ok(csr_parse(l->a, bytes_of_text(r.csr), &csr, NULL)));
	return lab_leaf_for(l, csr.spki);
}

const char *lab_ca_pem(struct lab *l, const char *name)
{
	struct key *k;
	struct bytes spki, der;
	msec_t now = port_now(&PORT_CLOCK_REAL);
	assert_true(rc_ok(key_generate(KEY_EC_P256, &k, NULL)));
	assert_true(rc_ok(key_spki(k, l->a, &spki, NULL)));
	struct cert_spec spec = { .kind = CERT_ROOT, .common_name = name, .not_before = now - CERT_BACKDATE, .not_after = now + MSEC_DAY,
				  .path_len = -1, .serial = { 1, l->serial++ }, .spki = spki };
	assert_true(rc_ok(cert_build(&spec, NULL, k, l->a, &der, NULL)));
	key_release(k);
	return cert_pem(l->a, der);
}

struct hand_reply lab_stage(struct lab *l, const char *id, int64_t generation)
{
	const char *request = arena_printf(l->a, "6f1c3a52-0b7e-4d0a-9a52-3f1b2c4d%04d", (int)generation);
	bool slot = text_equal(id, LAB_SLOT);
	const char **pems = ARENA_ARRAY(l->a, const char *, 2);
	pems[0] = slot ? lab_leaf(l, request) : cert_pem(l->a, l->ca->der);
	pems[1] = lab_ca_pem(l, arena_printf(l->a, "ca-%d", (int)generation));
	return lab_do(l, (struct hand_request){ .op = HAND_STAGE, .id = id, .generation = generation, .key_request = slot ? request : NULL,
						.distrusted = l->distrusted,
						.certificates = { pems, slot ? 1 : 2 } });
}

static void must(struct hand_reply r)
{
	if (!r.ok)
		fail_msg("%s: %s", hand_op_name(r.op), r.text);
}

void lab_settled(struct lab *l, const char *id, int64_t generation)
{
	must(lab_stage(l, id, generation));
	must(lab_op(l, HAND_SWAP, id, generation));
	must(lab_op(l, HAND_SETTLE, id, generation));
}

bool lab_exists(struct lab *l, const char *name)
{
	struct stat st;
	return lstat(lab_path(l, name), &st) == 0;
}

char *lab_read(struct lab *l, const char *name)
{
	struct bytes b;
	if (rc_failed(file_read(l->a, lab_path(l, name), 1 << 20, &b, NULL)))
		return NULL;
	return arena_text_n(l->a, (const char *)b.data, b.len);
}

void lab_write(struct lab *l, const char *name, const char *text)
{
	int fd = open(lab_path(l, name), O_WRONLY | O_CREAT | O_TRUNC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
}

char *lab_readlink(struct lab *l, const char *name)
{
	char out[512];
	ssize_t n = readlink(lab_path(l, name), out, sizeof out - 1);
	return n < 0 ? NULL : arena_text_n(l->a, out, (size_t)n);
}

bool lab_pair_fits(struct lab *l)
{
	CLEANUP(key_releasep) struct key *k = NULL;
	const struct cert *c;
	const char *cert = lab_read(l, "srv/web/current/cert.pem"), *key = lab_read(l, "srv/web/current/key.pem");
	return cert && key && rc_ok(cert_parse_any(l->a, bytes_of_text(cert), &c, NULL)) && rc_ok(key_parse(bytes_of_text(key), &k, NULL)) &&
	       key_public_matches(k, c->spki);
}

/* As the core would go on after a restart: whatever was begun is seen through. */
void lab_recover(struct lab *l, int64_t next)
{
	lab_open(l);
	struct hand_reply r = lab_look(l, LAB_SLOT);
	must(r);
	assert_null(r.text);
	int64_t doing = r.view.doing;
	if (r.view.phase == PHASE_APPLYING) {
		must(lab_op(l, HAND_SWAP, LAB_SLOT, doing));
		assert_true(lab_pair_fits(l));
		must(lab_op(l, HAND_SETTLE, LAB_SLOT, doing));
	} else if (r.view.phase == PHASE_BACKING) {
		must(lab_op(l, HAND_PUT_BACK, LAB_SLOT, doing));
		must(lab_op(l, HAND_BACK_DONE, LAB_SLOT, doing));
	}
	if (r.view.loaded)
		assert_int_equal(lab_op(l, HAND_CHECK, LAB_SLOT, lab_op(l, HAND_LOOK, LAB_SLOT, 0).view.loaded).drift.count, 0);
	lab_settled(l, LAB_SLOT, next);
	assert_true(lab_pair_fits(l));
	assert_int_equal(lab_op(l, HAND_CHECK, LAB_SLOT, next).drift.count, 0);
}

bool lab_change(struct lab *l, int64_t g, bool back)
{
	return lab_op(l, HAND_SWAP, LAB_SLOT, g).ok &&
	       (back ? lab_op(l, HAND_PUT_BACK, LAB_SLOT, g).ok && lab_op(l, HAND_BACK_DONE, LAB_SLOT, g).ok :
		       lab_op(l, HAND_SETTLE, LAB_SLOT, g).ok);
}

/* Other values for all targets of this node, in JSON, behind the root. */
void lab_set(struct lab *l, const char *settings)
{
	const struct json *all;
	assert_true(rc_ok(json_parse(l->a, bytes_of_text(arena_printf(l->a, "{\"root\":\"%s/srv\",%s}", l->dir, settings)), &all, NULL)));
	l->settings.all = all;
	lab_open(l);
}
