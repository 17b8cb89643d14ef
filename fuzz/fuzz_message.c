/* What agent and server, and the agent's two halves, say to each other: the first byte says which.
 * What is read can be written, and reads the same. */
#include "agent/wire.h"
#include "base/limits.h"
#include "model/message.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CODEC(name, type)                                                                          \
	static void try_##name(struct arena *a, struct bytes in, struct buf *out)                  \
	{                                                                                          \
		struct type m, again;                                                              \
		struct troth_err e = { 0 };                                                        \
		if (rc_failed(msg_##name##_decode(a, in, &m, &e))) {                               \
			CHECK(e.kind != TROTH_OK && e.primary[0]);                                 \
			return;                                                                    \
		}                                                                                  \
		msg_##name##_encode(out, &m);                                                      \
		CHECK(!buf_ok(out) || rc_ok(msg_##name##_decode(a, buf_bytes(out), &again, &e)));  \
	}

CODEC(enroll, msg_enroll)
CODEC(enrolled, msg_enrolled)
CODEC(identity, msg_identity)
CODEC(renewed, msg_renewed)
CODEC(session, msg_session)
CODEC(opened, msg_opened)
CODEC(desired, msg_desired)
CODEC(report, msg_report)
CODEC(csr, msg_csr)
CODEC(nonce, msg_nonce)
CODEC(recovery, msg_recovery)
CODEC(recovering, msg_recovering)

static void try_request(struct arena *a, struct bytes in, struct buf *out)
{
	struct hand_request m;
	struct troth_err e = { 0 };
	if (rc_failed(hand_request_decode(a, in, &m, &e)))
		return;
	hand_request_encode(out, &m);
	CHECK(bytes_equal(buf_bytes(out), in));
}

static void try_reply(struct arena *a, struct bytes in, struct buf *out)
{
	struct hand_reply m;
	struct troth_err e = { 0 };
	if (rc_failed(hand_reply_decode(a, in, &m, &e)))
		return;
	hand_reply_encode(out, &m);
	CHECK(buf_ok(out));
}

static void (*const CODECS[])(struct arena *a, struct bytes in, struct buf *out) = {
	try_enroll, try_enrolled, try_identity, try_renewed, try_session, try_opened, try_desired, try_report, try_csr, try_request, try_reply,
	try_nonce, try_recovery, try_recovering,
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0)
		return 0;
	struct arena *a = arena_new(LIMIT_REQUEST_ARENA_BYTES);
	struct buf out = buf_make_secret(4 * MSG_BYTES);
	CODECS[data[0] % ARRAY_LEN(CODECS)](a, bytes_of(data + 1, size - 1), &out);
	buf_release(&out);
	arena_free(a);
	return 0;
}
