/* The service itself: told to read its files again, asked what it says it has loaded. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "agent/hand_task.h"

enum { ATTEST_BYTES = 16 << 10 };

/* -- RELOAD -------------------------------------------------------------------------------------------------------------------- */

/* The number in the first line of the pid file.  NOT_FOUND: no file, no process. */
static troth_rc read_pid(struct task *j, pid_t *ret_pid, uid_t *ret_owner, struct troth_err *e)
{
	const struct port_fs *fs = task_fs(j);
	char text[32] = "";
	struct stat st;
	int fd = fs->openat(fs->self, AT_FDCWD, j->p.pid_file, O_RDONLY | O_NONBLOCK, 0);
	if (fd < 0)
		return err_errno(e, errno, "could not open pid file \"%.200s\"", j->p.pid_file);
	ssize_t n = fs->read(fs->self, fd, text, sizeof text - 1);
	int stat_rc = fs->fstatat(fs->self, fd, "", &st, AT_EMPTY_PATH);
	fs->close(fs->self, fd);
	ENSURE(n > 0 && stat_rc == 0, e, TROTH_NOT_FOUND, "pid file \"%.200s\" is empty", j->p.pid_file);
	char *end;
	long pid = strtol(text, &end, 10);
	ENSURE(end != text && (*end == 0 || *end == '\n' || *end == '\r' || *end == ' ') && pid > 1 && pid < 1 << 30, e, TROTH_INVALID,
	       "pid file \"%.200s\" holds no process number", j->p.pid_file);
	*ret_pid = (pid_t)pid;
	*ret_owner = st.st_uid;
	return RC_OK;
}

/* Nobody to signal.  Said with the place, for it may be the place that is wrong. */
static troth_rc nobody_runs(struct task *j, const char *text)
{
	j->ret->down = true;
	j->ret->text = text;
	return RC_OK;
}

/* Who may write the pid file may choose the process: so only one of its own, unless root wrote it. */
static troth_rc reload_by_signal(struct task *j, struct troth_err *e)
{
	struct hand_port *p = &j->h->port;
	struct troth_err why = { 0 };
	pid_t pid;
	uid_t writer, runs_as;
	troth_rc rc = read_pid(j, &pid, &writer, &why);
	if (rc_failed(rc) && why.kind == TROTH_NOT_FOUND)
		return nobody_runs(j, arena_text(j->a, why.primary));
	if (rc_failed(rc))
		return err_set(e, why.kind, "%s", why.primary);
	if (p->process_owner(p->self, pid, &runs_as) != 0)
		return nobody_runs(j, arena_printf(j->a, "process %d of pid file \"%.200s\" is gone", (int)pid, j->p.pid_file));
	ENSURE(writer == 0 || runs_as == writer, e, TROTH_FORBIDDEN,
	       "pid file \"%.200s\" belongs to user %u and names process %d of user %u; it is not signalled", j->p.pid_file, (unsigned)writer,
	       (int)pid, (unsigned)runs_as);
	if (p->signal(p->self, pid, j->p.signal) == 0)
		return RC_OK;
	if (errno != ESRCH)
		return err_errno(e, errno, "could not signal process %d", (int)pid);
	return nobody_runs(j, arena_printf(j->a, "process %d of pid file \"%.200s\" is gone", (int)pid, j->p.pid_file));
}

static const char *one_line(struct arena *a, const char *text)
{
	char *out = arena_text_n(a, text, strnlen(text, 300));
	for (char *p = out; *p; p++)
		if ((unsigned char)*p < 32)
			*p = ' ';
	return out;
}

static troth_rc run_command(struct task *j, const char *const *command, const char *what, struct troth_err *e)
{
	struct hand_port *p = &j->h->port;
	struct process_result res = { 0 };
	TRY(p->run(p->self, command, j->p.reload_timeout, &res, e));
	const char *said = one_line(j->a, res.output);
	ENSURE(!res.timed_out, e, TROTH_TIMEOUT, "%s command %s did not end within %lld s; it was killed", what, command[0],
	       (long long)(j->p.reload_timeout / MSEC_S));
	ENSURE(res.signal == 0, e, TROTH_IO, "%s command %s was ended by signal %d: %s", what, command[0], res.signal, said);
	ENSURE(res.exit_code == 0, e, TROTH_IO, "%s command %s exited with %d: %s", what, command[0], res.exit_code, said);
	return RC_OK;
}

bool task_no_way_back(const struct task *j)
{
	const struct json_texts *back = j->m.loaded.generation ? &j->m.loaded.fingerprints : &j->m.found_fingerprints;
	for (size_t i = 0; i < back->count; i++)
		for (size_t k = 0; k < j->m.distrusted.count; k++)
			if (text_equal(back->items[i], j->m.distrusted.items[k]))
				return true;
	return false;
}

/* An emergency: a reload would keep what distrust must end, connections and the keys of their tickets. */
static bool is_emergency(const struct task *j)
{
	return j->m.phase == PHASE_APPLYING && j->p.restart[0] && task_no_way_back(j);
}

troth_rc hand_do_reload(struct task *j, struct troth_err *e)
{
	TRY(task_load(j, e));
	TRY(task_place(j, e));
	if (is_emergency(j))
		return run_command(j, j->p.restart, "restart", e);
	if (j->p.signal)
		return reload_by_signal(j, e);
	if (j->p.command[0])
		return run_command(j, j->p.command, "reload", e);
	return RC_OK; /* the files are read at each use */
}

/* -- ATTEST --------------------------------------------------------------------------------------------------------------------- */

static troth_rc read_attest(struct task *j, struct buf *out, struct troth_err *e)
{
	const struct port_fs *fs = task_fs(j);
	int fd = fs->openat(fs->self, AT_FDCWD, j->p.attest_file, O_RDONLY | O_NONBLOCK | O_NOFOLLOW, 0);
	if (fd < 0)
		return err_errno(e, errno, "could not open attest file \"%.200s\"", j->p.attest_file);
	uint8_t chunk[1024];
	ssize_t n = 1;
	while (buf_ok(out) && (n = fs->read(fs->self, fd, chunk, sizeof chunk)) > 0) /* the service may write without an end */
		buf_add(out, chunk, (size_t)n);
	fs->close(fs->self, fd);
	ENSURE(n == 0 && buf_ok(out), e, TROTH_IO, "could not read attest file \"%.200s\"", j->p.attest_file);
	return RC_OK;
}

/* Every line's first word is the hash: each process of the service writes one. */
static bool all_lines_say(const char *text, const char *hex, const char **ret_other)
{
	size_t lines = 0;
	*ret_other = NULL;
	while (*text) {
		size_t len = strcspn(text, "\n"), word = strcspn(text, " \t\r\n");
		if (word > 0 && (word != strlen(hex) || memcmp(text, hex, word) != 0))
			*ret_other = text;
		lines += word > 0;
		text += len;
		text += *text == '\n';
	}
	return lines > 0 && !*ret_other;
}

troth_rc hand_do_attest(struct task *j, struct troth_err *e)
{
	CLEANUP(document_release) struct document d = { 0 };
	CLEANUP(buf_release) struct buf said = buf_make(ATTEST_BYTES);
	struct document_file *files;
	size_t n;
	uint8_t hash[SHA256_LEN];
	char hex[SHA256_HEX_LEN];
	const char *other;
	TRY(task_load(j, e));
	TRY(task_place(j, e));
	ENSURE(j->p.attest_file, e, TROTH_INVALID, "profile %s has no attest file", j->p.profile);
	TRY(task_read_document(j, j->m.phase == PHASE_APPLYING ? &j->m.doing : &j->m.loaded, &d, e));
	TRY(document_files(j->a, &j->p, &d, &files, &n, e));
	struct bytes want = bytes_of(NULL, 0);
	for (size_t i = 0; i < n; i++)
		if (files[i].as == &j->p.files[j->p.attest_of])
			want = files[i].data;
	pki_sha256(want, hash);
	hex_encode(hash, sizeof hash, hex);
	if (rc_failed(read_attest(j, &said, e))) {
		j->ret->text = arena_printf(j->a, "the service does not attest: %s", e->primary);
		return RC_OK;
	}
	j->ret->present = said.len > 0;
	j->ret->matched = all_lines_say(buf_text(&said), hex, &other);
	if (!j->ret->matched)
		j->ret->text = arena_printf(j->a, "asked for %s with SHA-256 %s, the service attests %.64s", j->p.files[j->p.attest_of].name, hex,
					    other ? one_line(j->a, other) : "nothing");
	return RC_OK;
}
