/* What link and hand say to each other: typed requests and replies, bytes in between.
 *
 * The link has the network and no rights; the hand has the rights and no network.  Between them goes
 * this, over a SOCK_SEQPACKET pair: nothing but these structs, every text and list bounded, decoded
 * strictly (what is too long, too many, unknown or left over is refused).  The hand takes none of it
 * at its word: it looks up profile and place itself and checks every step against its own state.
 * One request of one target at a time; the ticket comes back in the reply. */
#ifndef TROTH_AGENT_WIRE_H
#define TROTH_AGENT_WIRE_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/json.h"
#include "model/message.h"

enum {
	WIRE_PACKET_BYTES = 64 << 10,              /* one datagram; longer messages go in several */
	WIRE_MESSAGE_BYTES = LIMIT_HTTP_BODY_BYTES + (64 << 10), /* the largest document and its frame */
	WIRE_TEXT_BYTES = 2048,
	WIRE_DRIFT_LINES = MSG_DRIFT_LINES,
};

enum hand_op {
	HAND_HELLO,         /* who are we: address, identity, targets known */
	HAND_EPOCH,         /* the server was restored: take back what is only begun */
	HAND_LOOK,          /* take the target's place, say what state it is in */
	HAND_STAGE,         /* write a document beside the one in use; nothing changes for anybody */
	HAND_REFUSE,        /* this generation will not be applied: remember it as done with */
	HAND_SWAP,          /* begin it: one rename */
	HAND_RELOAD,        /* make the service read its files */
	HAND_ATTEST,        /* did the service write down that it loaded them? */
	HAND_SETTLE,        /* it is in use, by all processes: the new l */
	HAND_PUT_BACK,      /* the files of l again */
	HAND_BACK_DONE,     /* l is in use again, the other generation is done with */
	HAND_CHECK,         /* compare what is on disk with what should be; put it right */
	HAND_FORGET,        /* the target is gone: its files stay, our memory of it goes */
	HAND_CSR,           /* a key for this request id (kept), and its CSR */
	HAND_IDENTITY_CSR,  /* the same for the agent's own identity */
	HAND_IDENTITY_SAVE, /* the new identity's certificate */
	HAND_TRUST_SAVE,    /* a new set of CAs by which the server is believed; answered as HELLO */
	HAND_OP_COUNT
};
const char *hand_op_name(enum hand_op op);

struct hand_request {
	enum hand_op op;
	uint32_t ticket;
	const char *id;                  /* of the target; NULL for the ops on the agent itself */
	int64_t generation;
	/* LOOK: what the server says the target is; name NULL: as remembered */
	const char *name, *profile;
	enum msg_target_kind kind;
	enum msg_role role;
	struct msg_parameter *parameters;
	size_t parameter_count;
	/* STAGE, TRUST_SAVE */
	struct json_texts certificates;  /* PEM, as in msg_target */
	struct json_texts distrusted;    /* fingerprints: what holds one is not gone back to */
	const char *key_request;
	struct bytes sealed_key;
	/* CSR */
	const char *request, *key_type, *common_name;
	/* REFUSE, PUT_BACK: why; EPOCH: which */
	const char *text;
	/* IDENTITY_SAVE: PEM */
	const char *certificate, *chain, *server_ca;
};

enum hand_phase {
	PHASE_SETTLED,  /* what is on disk is what is loaded: l */
	PHASE_APPLYING, /* `doing` was begun and may be loaded; not proven */
	PHASE_BACKING,  /* `doing` failed; l is on its way back */
};

struct hand_view {                       /* a target as the hand remembers it */
	enum hand_phase phase;
	int64_t loaded, high_water, doing; /* l, h, and the generation begun (0: none) */
	bool no_way_back;                /* l, or what was there before us, is distrusted: `doing` stays */
	bool has_files;                  /* something of ours or adopted is there for l */
	struct json_texts loaded_fingerprints, doing_fingerprints;
	const char *reason;              /* BACKING: why */
	const char *name, *profile;
	enum msg_target_kind kind;
	enum msg_role role;
	struct msg_parameter *parameters;
	size_t parameter_count;
	struct json_texts found_fingerprints; /* in the files before anything of ours */
	const char *found_text;          /* NULL: nothing found */
};

struct hand_reply {
	enum hand_op op;
	uint32_t ticket;
	const char *id;
	int64_t generation;
	bool ok;
	enum troth_kind kind;            /* if not ok */
	const char *text;                /* if not ok: why.  LOOK: ok, and why there is no place for it */
	struct hand_view view;           /* LOOK */
	struct json_texts fingerprints;  /* STAGE: of the document */
	bool no_way_back;                /* STAGE: as in the view; PUT_BACK: it is refused because of that */
	bool down;                       /* RELOAD: no process runs, so none has old contents */
	bool matched, present;           /* ATTEST: the attest file is there; it says what it should */
	struct json_texts drift;         /* CHECK: what differed */
	const char *csr;                 /* CSR, IDENTITY_CSR */
	/* HELLO */
	const char *server, *instance_id, *boot_id, *epoch;
	const char *certificate, *server_ca; /* PEM; certificate with its chain */
	struct bytes key;                /* PEM; the link needs it for TLS.  Wipe what it came in */
	struct json_texts ids;           /* targets known */
	const char *trust_id;            /* of the built-in store that server_ca is; "": known from the enrolment only */
	int64_t trust_generation;
	struct json_texts trust_fingerprints;
};

/* Encoders append; `out` should be a secret buffer.  Decoders: the result lives in `a`. */
void hand_request_encode(struct buf *out, const struct hand_request *r);
void hand_reply_encode(struct buf *out, const struct hand_reply *r);
troth_rc hand_request_decode(struct arena *a, struct bytes in, struct hand_request *ret, struct troth_err *e);
troth_rc hand_reply_decode(struct arena *a, struct bytes in, struct hand_reply *ret, struct troth_err *e);

#endif
