/* Messages on the line: 1..64 requests, or 1..64 replies, in one datagram.
 *
 *     "TKM1" | count u8 | count times: id u64 | kind u8 | length u32 | fields (field.h)
 *
 * A message whose outside is broken is refused whole; a request whose fields are (unknown field,
 * unknown kind, trailing bytes) is refused alone, under its own id. */
#ifndef TROTH_KEEPER_MESSAGE_H
#define TROTH_KEEPER_MESSAGE_H

#include "base/limits.h"
#include "keeper/request.h"

enum { MESSAGE_HEADER_BYTES = 5, MESSAGE_FRAME_BYTES = 13 };

struct message_frame { /* one request or reply, its fields not looked at yet */
	uint64_t id;
	uint8_t kind;      /* enum keeper_kind of a request; enum troth_kind of a reply */
	struct bytes body; /* points into the message */
};

/* Starts a message in the empty buffer `out`. */
void message_begin(struct buf *out);
/* Adds one; TOO_LARGE if it would pass LIMIT_KEEPER_BATCH or the buffer's maximum, INVALID if a member
 * is out of its bounds.  On failure `out` is as it was before. */
troth_rc message_add_request(struct buf *out, const struct keeper_request *req, struct troth_err *e);
troth_rc message_add_reply(struct buf *out, const struct keeper_reply *reply, struct troth_err *e);
static inline size_t message_count(const struct buf *out) { return out->len < MESSAGE_HEADER_BYTES ? 0 : out->data[4]; }

/* Takes the outside apart: 1..LIMIT_KEEPER_BATCH frames, all bytes used. */
troth_rc message_split(struct bytes in, struct message_frame ret_frames[LIMIT_KEEPER_BATCH], size_t *ret_count,
		       struct troth_err *e);
/* Reads one frame.  Texts live in arena a; bytes point into the message. */
troth_rc message_read_request(struct arena *a, const struct message_frame *f, struct keeper_request *ret,
			      struct troth_err *e);
troth_rc message_read_reply(struct arena *a, const struct message_frame *f, struct keeper_reply *ret,
			    struct troth_err *e);

#endif
