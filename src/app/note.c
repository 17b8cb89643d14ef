/* The note beside the database.  See note.h. */
#include "app/note.h"

#include <stdio.h>

#include "service/nouns.h"

enum { NOTE_BYTES = 256 };

static troth_rc read_note(struct arena *a, const char *path, struct epoch_cmd *ret, struct troth_err *e)
{
	struct bytes text;
	struct troth_err why = { 0 };
	long long epoch, audit;
	int end = 0;
	*ret = (struct epoch_cmd){ 0 };
	if (rc_failed(file_read(a, path, NOTE_BYTES, &text, &why))) {
		ENSURE(why.kind == TROTH_NOT_FOUND, e, why.kind, "%s", why.primary);
		return RC_OK; /* the first start */
	}
	if (sscanf((const char *)text.data, "epoch %18lld\naudit %18lld\n%n", &epoch, &audit, &end) == 2 && (size_t)end == text.len) {
		*ret = (struct epoch_cmd){ epoch, audit };
		return RC_OK;
	}
	troth_rc rc = err_set(e, TROTH_CORRUPT, "file \"%s\" is not a note of epoch and audit row", path);
	err_hint(e, "if it was damaged, move it away: the server then writes a new one, and cannot tell whether the database is older");
	return rc;
}

static troth_rc write_note(struct note *n, int64_t epoch, int64_t audit_seq, struct troth_err *e)
{
	char text[NOTE_BYTES];
	(void)snprintf(text, sizeof text, "epoch %lld\naudit %lld\n", (long long)epoch, (long long)audit_seq); /* it fits */
	TRY(file_write(n->path, bytes_of_text(text), 0644, e));
	n->epoch = epoch;
	n->audit_seq = audit_seq;
	return RC_OK;
}

troth_rc note_begin(struct note *n, struct service *svc, const struct server_port *port, bool *ret_raised, struct troth_err *e)
{
	CLEANUP(arena_freep) struct arena *a = arena_new(LIMIT_REQUEST_ARENA_BYTES);
	struct verb_ctx ctx;
	struct epoch_cmd cmd;
	struct epoch_ret ret;
	struct service_committed nobody_listens_yet;
	TRY(read_note(a, n->path, &cmd, e));
	verb_ctx_init(&ctx, a, &PRINCIPAL_SYSTEM, port, port_now(&port->clock));
	TRY(verb_run(svc, &VERB_EPOCH, &ctx, NULL, &cmd, &ret, e));
	service_committed(svc, a, &nobody_listens_yet);
	*ret_raised = ret.raised;
	n->written = port_mono(&port->clock);
	return write_note(n, ret.epoch, ret.audit_seq, e);
}

troth_rc note_keep(struct note *n, struct tx *snapshot, msec_t mono, bool at_once, struct troth_err *e)
{
	int64_t epoch, audit_seq;
	uint8_t hash[SHA256_LEN];
	if (!at_once && mono - n->written < NOTE_MS)
		return RC_OK;
	TRY(store_epoch(snapshot, &epoch, e));
	TRY(audit_last(snapshot, &audit_seq, hash, e));
	n->written = mono;
	return epoch == n->epoch && audit_seq == n->audit_seq ? RC_OK : write_note(n, epoch, audit_seq, e);
}
