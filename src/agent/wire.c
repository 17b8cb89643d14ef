/* The codec between link and hand: one walk over a struct's fields serves both directions, so what is
 * written is what is read.  Numbers are little-endian; a text is a length and bytes, ~0 for NULL. */
#include "agent/wire.h"

#include <string.h>

#include "base/limits.h"

enum { ABSENT = 0xffffffffu, FORMAT = 1, PEM_MAX = 2 * LIMIT_CERT_DER_BYTES, FINGERPRINTS = LIMIT_BUNDLE_CERTS };

struct wire {
	struct buf *out;  /* writing */
	struct bytes in;  /* reading */
	struct arena *a;
	const char *bad;  /* what was wrong, first */
};

static const char *const OP_NAMES[] = {
	[HAND_HELLO] = "hello", [HAND_EPOCH] = "epoch", [HAND_LOOK] = "look", [HAND_STAGE] = "stage",
	[HAND_REFUSE] = "refuse", [HAND_SWAP] = "swap", [HAND_RELOAD] = "reload", [HAND_ATTEST] = "attest",
	[HAND_SETTLE] = "settle", [HAND_PUT_BACK] = "put-back", [HAND_BACK_DONE] = "back-done", [HAND_CHECK] = "check",
	[HAND_FORGET] = "forget", [HAND_CSR] = "csr", [HAND_IDENTITY_CSR] = "identity-csr",
	[HAND_IDENTITY_SAVE] = "identity-save", [HAND_TRUST_SAVE] = "trust-save",
};

const char *hand_op_name(enum hand_op op) { return op < HAND_OP_COUNT ? OP_NAMES[op] : "?"; }

static void fail(struct wire *w, const char *why)
{
	if (!w->bad)
		w->bad = why;
	w->in.len = 0;
}

static const uint8_t *take(struct wire *w, size_t n)
{
	if (w->in.len < n) {
		fail(w, "it ends too early");
		return NULL;
	}
	const uint8_t *p = w->in.data;
	w->in.data += n;
	w->in.len -= n;
	return p;
}

static uint64_t number(struct wire *w, uint64_t v, size_t width)
{
	uint8_t bytes[8];
	if (w->out) {
		for (size_t i = 0; i < width; i++)
			bytes[i] = (uint8_t)(v >> 8 * i);
		buf_add(w->out, bytes, width);
		return v;
	}
	const uint8_t *p = take(w, width);
	v = 0;
	for (size_t i = 0; p && i < width; i++)
		v |= (uint64_t)p[i] << 8 * i;
	return v;
}

static void x_u32(struct wire *w, uint32_t *v) { *v = (uint32_t)number(w, *v, 4); }
static void x_i64(struct wire *w, int64_t *v) { *v = (int64_t)number(w, (uint64_t)*v, 8); }

static unsigned x_choice(struct wire *w, unsigned v, unsigned count)
{
	v = (unsigned)number(w, v, 1);
	if (v >= count) {
		fail(w, "a choice is unknown");
		return 0;
	}
	return v;
}

static void x_bool(struct wire *w, bool *v) { *v = x_choice(w, *v, 2) != 0; }

static void x_bytes(struct wire *w, struct bytes *v, size_t max)
{
	uint32_t len = (uint32_t)v->len;
	x_u32(w, &len);
	if (w->out) {
		buf_add_bytes(w->out, *v);
		return;
	}
	if (len > max) {
		fail(w, "a field is too long");
		return;
	}
	const uint8_t *p = take(w, len);
	*v = p ? arena_bytes(w->a, bytes_of(p, len)) : bytes_of(NULL, 0);
}

static void x_text(struct wire *w, const char **v, size_t max)
{
	uint32_t len = *v ? (uint32_t)strlen(*v) : ABSENT;
	x_u32(w, &len);
	if (w->out) {
		if (*v)
			buf_add_text(w->out, *v);
		return;
	}
	*v = NULL;
	if (len == ABSENT)
		return;
	if (len > max) {
		fail(w, "a text is too long");
		return;
	}
	const uint8_t *p = take(w, len);
	if (!p)
		return;
	if (memchr(p, 0, len))
		fail(w, "a text holds a NUL");
	else
		*v = arena_text_n(w->a, (const char *)p, len);
}

static uint32_t x_count(struct wire *w, size_t count, size_t max)
{
	uint32_t n = (uint32_t)count;
	x_u32(w, &n);
	if (n > max) {
		fail(w, "a list is too long");
		return 0;
	}
	return n;
}

/* An absent text in a list becomes an empty one. */
static void x_texts(struct wire *w, struct json_texts *v, size_t max_count, size_t max_len)
{
	uint32_t n = x_count(w, v->count, max_count);
	if (!w->out)
		*v = (struct json_texts){ ARENA_ARRAY(w->a, const char *, n), n };
	for (uint32_t i = 0; i < n && !w->bad; i++)
		x_text(w, &v->items[i], max_len);
	for (uint32_t i = 0; i < n && !w->out; i++)
		v->items[i] = v->items[i] ? v->items[i] : "";
}

static void x_parameters(struct wire *w, struct msg_parameter **v, size_t *count)
{
	uint32_t n = x_count(w, *count, MSG_PARAMETERS);
	if (!w->out) {
		*v = ARENA_ARRAY(w->a, struct msg_parameter, n);
		*count = n;
	}
	for (uint32_t i = 0; i < n && !w->bad; i++) {
		x_text(w, &(*v)[i].name, LIMIT_NAME_BYTES);
		x_text(w, &(*v)[i].value, MSG_PARAMETER_BYTES);
		if (!w->bad && (!(*v)[i].name || !(*v)[i].value))
			fail(w, "a parameter without name or value");
	}
}

static void x_spec(struct wire *w, const char **name, const char **profile, enum msg_target_kind *kind,
		   enum msg_role *role, struct msg_parameter **parameters, size_t *count)
{
	x_text(w, name, LIMIT_NAME_BYTES);
	x_text(w, profile, LIMIT_NAME_BYTES);
	*kind = (enum msg_target_kind)x_choice(w, *kind, MSG_STORE + 1);
	*role = (enum msg_role)x_choice(w, *role, MSG_CLIENT + 1);
	x_parameters(w, parameters, count);
}

static void x_request(struct wire *w, struct hand_request *r)
{
	r->op = (enum hand_op)x_choice(w, r->op, HAND_OP_COUNT);
	x_u32(w, &r->ticket);
	x_text(w, &r->id, UUID_LEN);
	x_i64(w, &r->generation);
	x_spec(w, &r->name, &r->profile, &r->kind, &r->role, &r->parameters, &r->parameter_count);
	x_texts(w, &r->certificates, LIMIT_BUNDLE_CERTS, PEM_MAX);
	x_texts(w, &r->distrusted, LIMIT_DISTRUSTED, SHA256_HEX_LEN);
	x_text(w, &r->key_request, UUID_LEN);
	x_bytes(w, &r->sealed_key, MSG_SEALED_KEY_BYTES);
	x_text(w, &r->request, UUID_LEN);
	x_text(w, &r->key_type, 32);
	x_text(w, &r->common_name, LIMIT_NAME_BYTES);
	x_text(w, &r->text, WIRE_TEXT_BYTES);
	x_text(w, &r->certificate, PEM_MAX);
	x_text(w, &r->chain, LIMIT_PEM_BYTES);
	x_text(w, &r->server_ca, LIMIT_PEM_BYTES);
}

static void x_view(struct wire *w, struct hand_view *v)
{
	v->phase = (enum hand_phase)x_choice(w, v->phase, PHASE_BACKING + 1);
	x_i64(w, &v->loaded);
	x_i64(w, &v->high_water);
	x_i64(w, &v->doing);
	x_bool(w, &v->no_way_back);
	x_bool(w, &v->has_files);
	x_texts(w, &v->loaded_fingerprints, FINGERPRINTS, SHA256_HEX_LEN);
	x_texts(w, &v->doing_fingerprints, FINGERPRINTS, SHA256_HEX_LEN);
	x_text(w, &v->reason, WIRE_TEXT_BYTES);
	x_spec(w, &v->name, &v->profile, &v->kind, &v->role, &v->parameters, &v->parameter_count);
	x_texts(w, &v->found_fingerprints, FINGERPRINTS, SHA256_HEX_LEN);
	x_text(w, &v->found_text, WIRE_TEXT_BYTES);
}

static void x_reply(struct wire *w, struct hand_reply *r)
{
	r->op = (enum hand_op)x_choice(w, r->op, HAND_OP_COUNT);
	x_u32(w, &r->ticket);
	x_text(w, &r->id, UUID_LEN);
	x_i64(w, &r->generation);
	x_bool(w, &r->ok);
	r->kind = (enum troth_kind)x_choice(w, r->kind, TROTH_KIND_MAX);
	x_text(w, &r->text, WIRE_TEXT_BYTES);
	x_view(w, &r->view);
	x_texts(w, &r->fingerprints, FINGERPRINTS, SHA256_HEX_LEN);
	x_bool(w, &r->no_way_back);
	x_bool(w, &r->down);
	x_bool(w, &r->matched);
	x_bool(w, &r->present);
	x_texts(w, &r->drift, WIRE_DRIFT_LINES, WIRE_TEXT_BYTES);
	x_text(w, &r->csr, 2 * LIMIT_CSR_DER_BYTES);
	x_text(w, &r->server, LIMIT_URL_BYTES);
	x_text(w, &r->instance_id, UUID_LEN);
	x_text(w, &r->boot_id, MSG_EPOCH_BYTES);
	x_text(w, &r->epoch, MSG_EPOCH_BYTES);
	x_text(w, &r->certificate, LIMIT_PEM_BYTES);
	x_text(w, &r->server_ca, LIMIT_PEM_BYTES);
	x_bytes(w, &r->key, 2 * LIMIT_KEY_DER_BYTES);
	x_texts(w, &r->ids, LIMIT_TARGETS_PER_INSTANCE, UUID_LEN);
	x_text(w, &r->trust_id, UUID_LEN);
	x_i64(w, &r->trust_generation);
	x_texts(w, &r->trust_fingerprints, FINGERPRINTS, SHA256_HEX_LEN);
}

static troth_rc finish(struct wire *w, struct troth_err *e)
{
	if (!w->bad && w->in.len)
		w->bad = "something is left over";
	ENSURE(!w->bad, e, TROTH_INVALID, "broken message between link and hand: %s", w->bad);
	return RC_OK;
}

static struct wire reader(struct arena *a, struct bytes in)
{
	struct wire w = { .in = in, .a = a };
	if (number(&w, 0, 1) != FORMAT)
		fail(&w, "another format");
	return w;
}

void hand_request_encode(struct buf *out, const struct hand_request *r)
{
	struct hand_request copy = *r;
	struct wire w = { .out = out };
	(void)number(&w, FORMAT, 1);
	x_request(&w, &copy);
	if (w.bad)
		out->failed = true;
}

void hand_reply_encode(struct buf *out, const struct hand_reply *r)
{
	struct hand_reply copy = *r;
	struct wire w = { .out = out };
	(void)number(&w, FORMAT, 1);
	x_reply(&w, &copy);
	if (w.bad)
		out->failed = true;
}

troth_rc hand_request_decode(struct arena *a, struct bytes in, struct hand_request *ret, struct troth_err *e)
{
	struct hand_request r = { 0 };
	struct wire w = reader(a, in);
	x_request(&w, &r);
	TRY(finish(&w, e));
	*ret = r;
	return RC_OK;
}

troth_rc hand_reply_decode(struct arena *a, struct bytes in, struct hand_reply *ret, struct troth_err *e)
{
	struct hand_reply r = { 0 };
	struct wire w = reader(a, in);
	x_reply(&w, &r);
	TRY(finish(&w, e));
	*ret = r;
	return RC_OK;
}
