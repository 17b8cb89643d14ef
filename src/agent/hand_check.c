/* Drift: what should be on disk is compared with what is, and put right. */
#include <string.h>

#include "agent/hand_job.h"

/* -- CHECK: what should be there, there? ------------------------------------------------------------------------------------------ */

static void drift(struct job *j, const char *text)
{
	if (j->ret->drift.count < WIRE_DRIFT_LINES)
		j->ret->drift.items[j->ret->drift.count++] = text;
}

static bool owner_differs(const struct stat *st, struct tree_owner o)
{
	return o.set && ((o.uid != (uid_t)-1 && st->st_uid != o.uid) || (o.gid != (gid_t)-1 && st->st_gid != o.gid));
}

static troth_rc check_file(struct job *j, int fd, const struct document_file *f, struct troth_err *e)
{
	CLEANUP(buf_release) struct buf b = { 0 };
	struct stat st;
	struct tree_owner owner;
	struct troth_err why = { 0 };
	const char *what = NULL;
	TRY(job_owner(j, f->as, &owner, e));
	if (rc_failed(tree_read(job_fs(j), fd, f->name, DEPLOYED_BYTES, &b, &st, &why)))
		what = why.kind == TROTH_NOT_FOUND ? "was removed" : "was replaced";
	else if (!bytes_equal(buf_bytes(&b), f->data))
		what = "was changed";
	else if ((st.st_mode & 07777) != f->as->mode || owner_differs(&st, owner))
		what = "had another owner or mode";
	if (!what)
		return RC_OK;
	TRY(tree_replace(job_fs(j), fd, f->name, f->data, f->as->mode, owner, e));
	drift(j, arena_printf(j->a, "%s/current/%s %s; put right", j->p.directory, f->name, what));
	return RC_OK;
}

static troth_rc check_version(struct job *j, int dir, struct document *d, struct troth_err *e)
{
	struct document_file *files;
	size_t n;
	int fd;
	TRY(document_files(j->a, &j->p, d, &files, &n, e));
	TRY(job_open_version(j, dir, j->m.loaded.dir, true, &fd, e));
	troth_rc rc = RC_OK;
	for (size_t i = 0; i < n && rc_ok(rc); i++)
		rc = check_file(j, fd, &files[i], e);
	job_fs(j)->close(job_fs(j)->self, fd);
	return rc;
}

static troth_rc check_links(struct job *j, int dir, struct troth_err *e)
{
	char current[STATE_DIR_BYTES] = "";
	struct troth_err why = { 0 };
	troth_rc rc = job_current(j, dir, current, &why);
	if (rc_failed(rc) || !text_equal(current, j->m.loaded.dir)) {
		TRY(tree_link(job_fs(j), dir, j->m.loaded.dir, "current", e));
		drift(j, arena_printf(j->a, "%s/current led to \"%s\"; put right", j->p.directory, current));
	}
	for (size_t i = 0; i < j->p.fixed_count; i++) {
		bool changed;
		TRY(job_link_fixed(j, &j->p.fixed[i], &changed, e));
		if (changed)
			drift(j, arena_printf(j->a, "%s was no longer the symlink to %s/current; put right", j->p.fixed[i].path, j->p.directory));
	}
	return RC_OK;
}

troth_rc hand_do_check(struct job *j, struct troth_err *e)
{
	int dir = -1;
	CLEANUP(document_release) struct document d = { 0 };
	j->ret->drift = (struct json_texts){ ARENA_ARRAY(j->a, const char *, WIRE_DRIFT_LINES), 0 };
	TRY(job_prepare(j, &dir, e));
	troth_rc rc = RC_OK;
	if (j->m.phase != PHASE_SETTLED || j->m.loaded.generation != j->r->generation || j->m.loaded.generation == 0)
		rc = err_set(e, TROTH_CONFLICT, "generation %lld is not what is settled", (long long)j->r->generation);
	if (rc_ok(rc))
		rc = job_read_document(j, &j->m.loaded, &d, e);
	if (rc_ok(rc))
		rc = check_version(j, dir, &d, e);
	if (rc_ok(rc))
		rc = check_links(j, dir, e);
	if (rc_ok(rc))
		rc = job_remove_old_trust(j, dir, e); /* a crash may have left some */
	job_close(j, &dir);
	return rc;
}
