/* Messages to the keeper, as a taken-over server could send them: the frames, the fields, and then the
 * whole decision.  What is read must write back to the same bytes. */
#include <stdlib.h>

#include "base/limits.h"
#include "keeper/keeper.h"
#include "keeper/message.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static msec_t fixed_now(void *self)
{
	(void)self;
	return INT64_C(1795000000000);
}

/* A minute a request, so that the rate of a key does not end the exploration. */
static msec_t fast_mono(void *self)
{
	static msec_t mono;
	(void)self;
	return mono += MSEC_MIN;
}

/* The master key is all zeros: the seeds hold a blob wrapped under it. */
static struct keeper_state *state_get(void)
{
	static const struct port_clock CLOCK = { NULL, fixed_now, fast_mono };
	static const uint8_t MASTER[KEEPER_MASTER_KEY_BYTES];
	static struct keeper_state *state;
	struct keeper_ports ports = { .clock = &CLOCK };
	if (!state && rc_failed(keeper_state_new(MASTER, &ports, &state, NULL)))
		abort();
	return state;
}

static void check_inverse(const struct message_frame *f, const struct keeper_request *req)
{
	CLEANUP(buf_release) struct buf out = buf_make(LIMIT_KEEPER_MESSAGE_BYTES);
	message_begin(&out);
	if (rc_failed(message_add_request(&out, req, NULL)))
		abort();
	size_t head = MESSAGE_HEADER_BYTES + MESSAGE_FRAME_BYTES;
	if (!bytes_equal(bytes_of(out.data + head, out.len - head), f->body))
		abort();
}

/* A key in clear leaves by three requests only; an authority's only if its own policy says so, and never one of troth's own. */
static void check_key(struct arena *a, const struct keeper_request *req, const struct keeper_reply *reply)
{
	struct keeper_policy policy;
	if (!reply->key.len || req->kind == KEEPER_KEY_MAKE)
		return;
	if (req->kind != KEEPER_KEY_OPEN && req->kind != KEEPER_AUTHORITY_OPEN)
		abort();
	if (rc_failed(keeper_policy_read(a, req->key_open.blob, &policy, NULL)) || !policy.exportable ||
	    (policy.kind == KEEPER_KEY_AUTHORITY) != (req->kind == KEEPER_AUTHORITY_OPEN) ||
	    (policy.kind == KEEPER_KEY_AUTHORITY && text_starts(policy.authority, "/troth/")))
		abort();
}

/* Key generation is slow and depends on nothing in the message. */
static void handle(struct arena *a, const struct keeper_request *req)
{
	struct keeper_reply reply;
	enum key_type type;
	if (keeper_needs_key(req, &type) && type != KEY_ED25519)
		return;
	keeper_handle(state_get(), req, a, &reply);
	if (reply.kind != TROTH_OK && !*reply.text)
		abort();
	check_key(a, req, &reply);
}

static void try_reply(struct arena *a, const struct message_frame *f)
{
	struct keeper_reply reply;
	if (rc_ok(message_read_reply(a, f, &reply, NULL)) && !reply.text)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP(arena_freep) struct arena *a = arena_new(LIMIT_REQUEST_ARENA_BYTES);
	struct message_frame frames[LIMIT_KEEPER_BATCH];
	struct keeper_request req;
	struct keeper_policy policy;
	size_t n = 0;
	if (rc_ok(keeper_policy_read(a, bytes_of(data, size), &policy, NULL)) && !policy.authority)
		abort();
	if (rc_failed(message_split(bytes_of(data, size), frames, &n, NULL)))
		return 0;
	for (size_t i = 0; i < n; i++) {
		try_reply(a, &frames[i]);
		if (rc_failed(message_read_request(a, &frames[i], &req, NULL)))
			continue;
		check_inverse(&frames[i], &req);
		handle(a, &req);
	}
	return 0;
}
