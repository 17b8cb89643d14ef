/* What the hand remembers of a target, in one small file that survives any crash.
 *
 *     D/targets/index             ids of all targets, one a line
 *     D/targets/<id>.json         this struct
 *     D/targets/<id>.<dir>.crt    the document behind a versioned directory: certificates
 *     D/targets/<id>.<dir>.key    ... and its key (0600)
 *     D/targets/<id>.csrs         its last few CSR request ids
 *     D/keys/<request>.key        ... and their keys (0600)
 *
 * Every file is written beside, fsynced and renamed; the caller acts only when that is done. */
#ifndef TROTH_AGENT_STATE_H
#define TROTH_AGENT_STATE_H

#include "agent/wire.h"
#include "port/port.h"

enum { STATE_DIR_BYTES = 48, STATE_FILE_BYTES = 256 << 10 };

struct version {
	int64_t generation;              /* 0: from before us */
	char dir[STATE_DIR_BYTES];       /* "v7"; "" if there is nothing */
	struct json_texts fingerprints;  /* empty: not ours, unknown */
};

struct target_memory {
	const char *id, *name, *profile;
	enum msg_target_kind kind;
	enum msg_role role;
	struct msg_parameter *parameters;
	size_t parameter_count;
	const char *epoch;
	enum hand_phase phase;
	int64_t high_water;
	struct version loaded, doing;
	const char *reason;
	struct json_texts distrusted;    /* fingerprints that the newest document named: not gone back to */
	struct json_texts old;           /* directories to remove at the next settling */
	struct json_texts found_fingerprints;
	const char *found_text;
};

/* The hand's own directory, over the port. */
struct store_dir { const struct port_fs *fs; int fd; };

/* Whole files below `dir`; names have no "..", at most one "/".  `data` of a secret: 0600. */
troth_rc store_read(const struct store_dir *d, const char *name, size_t max, struct buf *out, struct troth_err *e);
troth_rc store_write(const struct store_dir *d, const char *name, struct bytes data, struct troth_err *e);
troth_rc store_remove(const struct store_dir *d, const char *name, struct troth_err *e); /* absent is fine */
troth_rc store_make_dir(const struct store_dir *d, const char *name, struct troth_err *e);

/* NOT_FOUND: never seen before. */
troth_rc memory_read(const struct store_dir *d, struct arena *a, const char *id, struct target_memory *ret,
		     struct troth_err *e);
/* Adds the id to the index if it is new there. */
troth_rc memory_write(const struct store_dir *d, struct arena *a, const struct target_memory *m, struct troth_err *e);
troth_rc memory_forget(const struct store_dir *d, struct arena *a, const struct target_memory *m, struct troth_err *e);
troth_rc memory_index(const struct store_dir *d, struct arena *a, struct json_texts *ret_ids, struct troth_err *e);

/* The names of a version's document files, in the arena. */
const char *memory_crt_name(struct arena *a, const char *id, const char *dir);
const char *memory_key_name(struct arena *a, const char *id, const char *dir);
const char *memory_request_name(struct arena *a, const char *request);
/* "v7" */
void memory_dir_name(int64_t generation, char out[STATE_DIR_BYTES]);

#endif
