/* `troth backup`, `troth backup verify`, `troth restore`: a data directory as one sealed file, and back.
 *
 *     DIR/troth.db (as of one moment) + DIR/master.key, server.key ...  ->  one SQLite database in memory  ->  CMS for the recipients
 *
 * A server may run meanwhile.  What is restored is older than its fleet: the note beside the database says so, and the
 * server's first start begins a new epoch (note.h), in which nothing is relied upon before it was seen again. */
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "app/server.h"
#include "base/limits.h"
#include "base/text.h"
#include "keeper/wrap.h"
#include "pki/cms.h"
#include "pki/pki.h"
#include "store/copy.h"

const char BACKUP_USAGE[] =
	"usage: troth backup FILE --dir DIR --recipient CERTIFICATE...\n"
	"\n"
	"Writes the data directory DIR into FILE: the store as of one moment, the master\n"
	"key, the server's key and certificate. A server may be running on it. FILE is\n"
	"sealed (CMS, AES-256-GCM) for the holders of the recipients' keys; who has one\n"
	"of those keys and FILE has every key of troth, so keep them apart.\n"
	"\n"
	"  --dir DIR                the data directory (or TROTH_DIR); run this as the\n"
	"                           user it belongs to\n"
	"  --recipient CERTIFICATE  PEM file of who may open it, with an EC or RSA key;\n"
	"                           may be repeated\n"
	"\n"
	"examples:\n"
	"  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \\\n"
	"    -days 3650 -subj /CN=troth-backup -keyout backup.key -out backup.pem\n"
	"  troth backup /backup/troth.cms --dir /var/lib/troth/server \\\n"
	"    --recipient backup.pem\n"
	"  troth backup verify /backup/troth.cms --key backup.key\n";
const char BACKUP_VERIFY_USAGE[] =
	"usage: troth backup verify FILE --key KEY\n"
	"\n"
	"Opens a backup in memory and looks through it: sealed for this key and\n"
	"unchanged, the store intact and of a schema this program knows, every file\n"
	"there, the master key the one that opens the store's keys. Writes nothing.\n"
	"\n"
	"  --key KEY  PEM file of a recipient's private key, without a passphrase\n"
	"\n"
	"example:\n"
	"  troth backup verify /backup/troth.cms --key backup.key\n";
const char RESTORE_USAGE[] =
	"usage: troth restore FILE --dir DIR --key KEY\n"
	"\n"
	"Makes the data directory DIR from a backup: all of it or nothing. The server's\n"
	"first start on it begins a new epoch: every instance is seen again before\n"
	"anything relies on it, and no generation is used twice. Never start the old\n"
	"server again beside it.\n"
	"\n"
	"What happened after the backup is not in it: look at `troth principal list` for\n"
	"who was revoked since, and repeat each `troth rotate --compromised`.\n"
	"\n"
	"  --dir DIR  where to; must not exist, or be empty\n"
	"  --key KEY  PEM file of a recipient's private key, without a passphrase\n"
	"\n"
	"example:\n"
	"  troth restore /backup/troth.cms --dir /var/lib/troth/server --key backup.key\n"
	"  troth server --dir /var/lib/troth/server\n";

enum { BACKUP_ARENA_BYTES = 16 << 20 };

/* What lies beside the store in a backup.  server.listen and admin.json say where the server was. */
static const struct kept {
	const char *name;
	size_t path; /* in struct datadir */
	mode_t mode;
	bool optional; /* an administrator's token may have been put away */
} KEPT[] = {
	{ "admin.json", offsetof(struct datadir, admin_json), 0600 },
	{ "admin.token", offsetof(struct datadir, admin_token), 0600, true },
	{ "ca.pem", offsetof(struct datadir, ca_pem), 0644 },
	{ "master.key", offsetof(struct datadir, master_key), 0600 },
	{ "server.key", offsetof(struct datadir, server_key), 0600 },
	{ "server.listen", offsetof(struct datadir, listen), 0644 },
	{ "server.pem", offsetof(struct datadir, server_pem), 0644 },
};

static const char *path_of(const struct datadir *d, const struct kept *k)
{
	return *(const char *const *)((const char *)d + k->path);
}

static void key_done(struct key **k) { key_release(*k); }

/* The master key goes through it. */
static struct arena *secret_arena(void)
{
	struct arena *a = arena_new(BACKUP_ARENA_BYTES);
	arena_secret(a);
	return a;
}

/* -- what one must hold ----------------------------------------------------------------------------------------- */

/* A backup in the clear. */
struct opened {
	const char *file;
	size_t bytes;
	struct buf copy;
	struct copy_info info;
	struct copy_files files;
};

static void opened_done(struct opened *o) { buf_release(&o->copy); }

static const struct copy_file *file_named(const struct copy_files *files, const char *name)
{
	for (size_t i = 0; i < files->count; i++)
		if (strcmp(files->items[i].name, name) == 0)
			return &files->items[i];
	return NULL;
}

static const struct kept *kept_named(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(KEPT); i++)
		if (strcmp(KEPT[i].name, name) == 0)
			return &KEPT[i];
	return NULL;
}

/* Each file that must be there, and none that restore would not know where to put. */
static troth_rc check_files(const struct copy_files *files, struct troth_err *e)
{
	for (size_t i = 0; i < ARRAY_LEN(KEPT); i++)
		ENSURE(KEPT[i].optional || file_named(files, KEPT[i].name), e, TROTH_INVALID, "there is no %s in it", KEPT[i].name);
	for (size_t i = 0; i < files->count; i++)
		ENSURE(kept_named(files->items[i].name), e, TROTH_INVALID, "there is a file \"%.60s\" in it that is none of a data directory",
		       files->items[i].name);
	return RC_OK;
}

/* The master key is the one under which the store's keys were wrapped: it opens one of them. */
static troth_rc check_master(struct arena *a, const struct opened *o, struct troth_err *e)
{
	CLEANUP(key_done) struct key *key = NULL;
	struct keeper_policy policy;
	struct bytes master = file_named(&o->files, "master.key")->contents;
	ENSURE(master.len == 32, e, TROTH_INVALID, "master.key in it has %zu bytes, not 32", master.len);
	troth_rc rc = wrap_open(master.data, o->info.audit_blob, a, &policy, &key, e);
	if (rc_failed(rc))
		err_prefix(e, "the master key in it does not open the keys in it");
	return rc;
}

static troth_rc look_through(struct arena *a, struct opened *o, struct troth_err *e)
{
	TRY(store_copy_check(a, buf_bytes(&o->copy), &o->info, &o->files, e));
	TRY(check_files(&o->files, e));
	return check_master(a, o, e);
}

/* -- writing one --------------------------------------------------------------------------------------------- */

struct sealing {
	struct datadir d;
	const char *file;
	struct bytes recipients[LIMIT_BACKUP_RECIPIENTS];
	size_t recipient_count;
};

static troth_rc read_recipient(struct arena *a, const char *path, struct sealing *s, struct troth_err *e)
{
	struct bytes pem;
	const struct cert *const *certs;
	size_t n = 0;
	ENSURE(s->recipient_count < LIMIT_BACKUP_RECIPIENTS, e, TROTH_TOO_LARGE, "a backup has at most %d recipients", LIMIT_BACKUP_RECIPIENTS);
	troth_rc rc = file_read(a, path, LIMIT_PEM_BYTES, &pem, e);
	if (rc_ok(rc))
		rc = certs_parse_pem(a, pem, &certs, &n, e);
	if (rc_failed(rc)) {
		err_prefix(e, "--recipient %s", path);
		err_hint(e, "the recipient's certificate, PEM; see troth backup --help");
		return rc;
	}
	s->recipients[s->recipient_count++] = certs[0]->der;
	return RC_OK;
}

/* Into the secret arena, and nowhere else. */
static troth_rc read_secret(struct arena *a, const char *path, struct bytes *ret, struct troth_err *e)
{
	CLEANUP(buf_release) struct buf b = buf_make_secret(0);
	TRY(file_read_secret(path, LIMIT_PEM_BYTES, &b, e));
	*ret = bytes_of(arena_copy(a, b.data, b.len), b.len);
	return RC_OK;
}

static troth_rc read_kept(struct arena *a, const struct datadir *d, struct copy_files *ret, struct troth_err *e)
{
	ret->count = 0;
	for (size_t i = 0; i < ARRAY_LEN(KEPT); i++) {
		struct copy_file *f = &ret->items[ret->count];
		f->name = KEPT[i].name;
		if (KEPT[i].optional && access(path_of(d, &KEPT[i]), F_OK) != 0)
			continue;
		TRY(read_secret(a, path_of(d, &KEPT[i]), &f->contents, e));
		ret->count++;
	}
	return RC_OK;
}

static troth_rc exists_already(const char *file, struct troth_err *e)
{
	troth_rc rc = err_set(e, TROTH_CONFLICT, "\"%s\" exists already", file);
	err_hint(e, "a backup never replaces another: give it a new name, such as one with the date");
	return rc;
}

static void say_info(const char *what, const char *file, size_t bytes, const struct copy_info *info)
{
	char made[RFC3339_LEN];
	printf("%s  %s, %zu bytes\nas of     %s\nepoch     %lld\naudit     row %lld\n", what, file, bytes, time_format(info->made, made),
	       (long long)info->epoch, (long long)info->audit_seq);
}

/* It is looked through before it is sealed: a backup of a damaged store is told of now, not when it is needed. */
static troth_rc backup_write(struct arena *a, const struct sealing *s, struct troth_err *e)
{
	CLEANUP(opened_done) struct opened o = { .copy = buf_make_secret(LIMIT_BACKUP_BYTES) };
	CLEANUP(buf_release) struct buf sealed = buf_make((size_t)LIMIT_BACKUP_BYTES + LIMIT_PEM_BYTES);
	struct copy_files files;
	TRY(datadir_check(&s->d, e));
	if (access(s->file, F_OK) == 0)
		return exists_already(s->file, e); /* before the work is done */
	TRY(read_kept(a, &s->d, &files, e));
	TRY(store_copy(s->d.store, port_now(&PORT_CLOCK_REAL), &files, &o.copy, e));
	TRY(look_through(a, &o, e));
	TRY(cms_seal_for(s->recipients, s->recipient_count, buf_bytes(&o.copy), &sealed, e));
	troth_rc rc = file_write_new(s->file, buf_bytes(&sealed), 0600, e);
	if (rc.code == TROTH_CONFLICT)
		return exists_already(s->file, e); /* somebody was faster */
	TRY(rc);
	say_info("backup  ", s->file, sealed.len, &o.info);
	printf("sealed    for %zu\n\nnext:\n  troth backup verify %s --key KEY\n", s->recipient_count, s->file);
	return RC_OK;
}

int backup_command(int argc, char **argv)
{
	static const struct command self = { .name = "backup" };
	CLEANUP(arena_freep) struct arena *a = secret_arena();
	struct option_values words = { 0 }, recipients = { 0 };
	struct sealing s = { 0 };
	struct troth_err e = { 0 };
	const char *dir = NULL;
	const struct option options[] = { { "dir", &dir }, { "recipient", NULL, NULL, &recipients } };
	if (rc_failed(options_read(argc, argv, options, ARRAY_LEN(options), &words, &e)))
		return command_usage(&self, "%s", e.primary);
	dir = datadir_said(dir);
	if (words.count != 1 || !dir || recipients.count == 0)
		return command_usage(&self, "say what it is written to, of what and for whom: FILE --dir DIR --recipient CERTIFICATE");
	troth_rc rc = RC_OK;
	s.d = datadir_make(a, dir);
	s.file = words.items[0];
	for (size_t i = 0; i < recipients.count && rc_ok(rc); i++)
		rc = read_recipient(a, recipients.items[i], &s, &e);
	if (rc_ok(rc))
		rc = backup_write(a, &s, &e);
	return rc_ok(rc) ? 0 : command_failed(&e);
}

/* -- opening one --------------------------------------------------------------------------------------------- */

static troth_rc read_key(const char *path, struct key **ret, struct troth_err *e)
{
	CLEANUP(buf_release) struct buf pem = buf_make_secret(0);
	troth_rc rc = file_read_secret(path, LIMIT_PEM_BYTES, &pem, e);
	bool read = rc_ok(rc);
	if (read)
		rc = key_parse(buf_bytes(&pem), ret, e);
	if (rc_failed(rc))
		err_prefix(e, read ? "--key %s" : "--key", path);
	return rc;
}

/* INVALID also for a file that is no backup: both look the same, and the words say both. */
static troth_rc backup_open(struct arena *a, const char *key_path, struct opened *o, struct troth_err *e)
{
	CLEANUP(key_done) struct key *key = NULL;
	CLEANUP(buf_release) struct buf sealed = buf_make_secret(0);
	TRY(read_key(key_path, &key, e));
	troth_rc rc = file_read_secret(o->file, (size_t)LIMIT_BACKUP_BYTES + LIMIT_PEM_BYTES, &sealed, e);
	if (rc_failed(rc)) {
		err_prefix(e, "the backup FILE");
		return rc;
	}
	o->bytes = sealed.len;
	o->copy = buf_make_secret(LIMIT_BACKUP_BYTES);
	rc = cms_open_large(key, buf_bytes(&sealed), &o->copy, e);
	if (rc_failed(rc)) {
		err_hint(e, "either it was sealed for other keys than %s, or it was changed, or it is no backup of troth", key_path);
		err_prefix(e, "%s", o->file);
		return rc;
	}
	rc = look_through(a, o, e);
	if (rc_failed(rc))
		err_prefix(e, "%s", o->file);
	return rc;
}

struct opening_options {
	const char *file, *dir, *key;
};

static troth_rc backup_verify(struct arena *a, const struct opening_options *o, struct troth_err *e)
{
	CLEANUP(opened_done) struct opened b = { .file = o->file };
	TRY(backup_open(a, o->key, &b, e));
	say_info("backup  ", b.file, b.bytes, &b.info);
	printf("result    it can be restored\n");
	return RC_OK;
}

/* -- a data directory again ---------------------------------------------------------------------------------- */

static troth_rc write_files(const struct datadir *d, const struct opened *b, struct troth_err *e)
{
	CLEANUP(buf_release) struct buf store = buf_make_secret(LIMIT_BACKUP_BYTES);
	for (size_t i = 0; i < b->files.count; i++) {
		const struct kept *k = kept_named(b->files.items[i].name);
		TRY(file_write(path_of(d, k), b->files.items[i].contents, k->mode, e));
	}
	TRY(store_copy_strip(buf_bytes(&b->copy), &store, e));
	return file_write(d->store, buf_bytes(&store), 0600, e);
}

/* An audit row that the store does not have: the first start finds the note newer than the database, and begins an epoch. */
static troth_rc write_restored_note(struct arena *a, const struct datadir *d, const struct copy_info *info, struct troth_err *e)
{
	const char *text = arena_printf(a, "epoch %lld\naudit %lld\n", (long long)info->epoch, (long long)info->audit_seq + 1);
	return file_write(d->note, bytes_of_text(text), 0600, e);
}

/* admin.json names files by their path, which is another now. */
static troth_rc write_new_address(struct arena *a, const struct datadir *made, const struct datadir *last, struct troth_err *e)
{
	struct datadir address = *last;
	const char *url, *listen;
	TRY(datadir_read_address(a, made, &url, &listen, e));
	address.admin_json = made->admin_json;
	address.listen = made->listen;
	return datadir_write_address(&address, url, listen, e);
}

static void remove_made(const struct datadir *d)
{
	for (size_t i = 0; i < ARRAY_LEN(KEPT); i++)
		(void)unlink(path_of(d, &KEPT[i])); /* what is not there is not there */
	(void)unlink(d->store);
	(void)unlink(d->note);
	(void)rmdir(d->dir);
}

static troth_rc fill_dir(struct arena *a, const struct datadir *made, const struct datadir *last, const struct opened *b, struct troth_err *e)
{
	TRY(write_files(made, b, e));
	TRY(write_restored_note(a, made, &b->info, e));
	TRY(write_new_address(a, made, last, e));
	if (rename(made->dir, last->dir) != 0)
		return err_errno(e, errno, "could not move %s to %s", made->dir, last->dir);
	return file_sync_parent(last->dir, e);
}

static troth_rc make_empty(const char *dir, struct troth_err *e)
{
	if (mkdir(dir, 0700) == 0)
		return RC_OK;
	int err_no = errno;
	troth_rc rc = err_errno(e, err_no, "could not make directory \"%s\"", dir);
	if (err_no == EEXIST)
		err_hint(e, "it is of a restore that was interrupted, or of one that runs now; if none runs, remove it");
	return rc;
}

/* rmdir removes nothing but an empty directory. */
static troth_rc must_be_empty(const char *dir, struct troth_err *e)
{
	if (rmdir(dir) == 0 || errno == ENOENT)
		return RC_OK;
	troth_rc rc = err_set(e, errno == ENOTEMPTY || errno == EEXIST || errno == ENOTDIR ? TROTH_CONFLICT : TROTH_IO,
			      "%s is there already, and is no empty directory", dir);
	err_hint(e, "restore into a new directory, and start the server on that one");
	return rc;
}

static troth_rc restore_dir(struct arena *a, const struct opening_options *o, struct troth_err *e)
{
	CLEANUP(opened_done) struct opened b = { .file = o->file };
	const struct datadir last = datadir_make(a, o->dir), made = datadir_make(a, arena_printf(a, "%s.restoring", last.dir));
	TRY(backup_open(a, o->key, &b, e));
	TRY(must_be_empty(last.dir, e));
	TRY(make_empty(made.dir, e));
	troth_rc rc = fill_dir(a, &made, &last, &b, e);
	if (rc_failed(rc)) {
		remove_made(&made);
		return rc;
	}
	say_info("restored", b.file, b.bytes, &b.info);
	printf("to        %s\n\nnext:\n  troth server --dir %s\n", last.dir, last.dir);
	return RC_OK;
}

/* -- commands -------------------------------------------------------------------------------------------------- */

static int opening_command(const struct command *self, int argc, char **argv, bool makes,
			   troth_rc (*run)(struct arena *, const struct opening_options *, struct troth_err *))
{
	CLEANUP(arena_freep) struct arena *a = secret_arena();
	struct option_values words = { 0 };
	struct opening_options o = { 0 };
	struct troth_err e = { 0 };
	const struct option options[] = { { "key", &o.key }, { "dir", &o.dir } };
	if (rc_failed(options_read(argc, argv, options, makes ? 2 : 1, &words, &e)))
		return command_usage(self, "%s", e.primary);
	if (words.count != 1 || !o.key || (makes && !o.dir))
		return command_usage(self, "say which file and whose key: FILE %s--key KEY", makes ? "--dir DIR " : "");
	o.file = words.items[0];
	return rc_ok(run(a, &o, &e)) ? 0 : command_failed(&e);
}

int backup_verify_command(int argc, char **argv)
{
	static const struct command self = { .name = "backup verify" };
	return opening_command(&self, argc, argv, false, backup_verify);
}

int restore_command(int argc, char **argv)
{
	static const struct command self = { .name = "restore" };
	return opening_command(&self, argc, argv, true, restore_dir);
}
