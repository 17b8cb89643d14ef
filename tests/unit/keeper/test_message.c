/* Messages: every kind there and back, limits, and what is not a message. */
#include "fixture.h"

#include "keeper/message.h"

static struct bytes B(const char *s) { return bytes_of_text(s); }

static struct keeper_request sample(enum keeper_kind kind)
{
	struct keeper_request r = { .id = 0x123456789 + (uint64_t)kind, .kind = kind };
	struct keeper_issuer issuer = { B("blob"), B("cert") };
	switch (kind) {
	case KEEPER_AUTHORITY_CREATE:
		r.authority_create.policy = policy_of("/demo/ca", T0);
		r.authority_create.key_type = KEY_RSA_4096;
		r.authority_create.spec = spec_of(CERT_ROOT, T0);
		break;
	case KEEPER_AUTHORITY_SIGN: {
		static const char *const PERMITTED[] = { "example.org", "example.net" };
		r.authority_sign.issuer = issuer;
		r.authority_sign.policy = policy_of("/demo/sub", T0);
		r.authority_sign.key_type = KEY_EC_P384;
		r.authority_sign.spec = spec_of(CERT_INTERMEDIATE, T0);
		r.authority_sign.spec.permitted_dns = PERMITTED;
		r.authority_sign.spec.permitted_dns_count = 2;
		break;
	}
	case KEEPER_LEAF_SIGN:
		r.leaf_sign.issuer = issuer;
		r.leaf_sign.spec = spec_of(CERT_LEAF, T0);
		r.leaf_sign.spec.spki = B("spki");
		break;
	case KEEPER_LEAF_SEAL:
		r = seal_request(issuer, (struct keeper_issuer){ B("agents blob"), B("agents cert") }, B("recipient"), KEY_ED25519, T0);
		break;
	case KEEPER_KEY_SEAL:
		r.key_seal.blob = bytes_of_text("blob");
		r.key_seal.recipient = bytes_of_text("recipient");
		r.key_seal.agents = (struct keeper_issuer){ bytes_of_text("agents blob"), bytes_of_text("agents cert") };
		break;
	case KEEPER_KEY_MAKE:
		r.key_make.policy = policy_of("/own/leaf", T0);
		r.key_make.key_type = KEY_RSA_2048;
		break;
	case KEEPER_KEY_OPEN:
	case KEEPER_AUTHORITY_OPEN:
		r.key_open.blob = B("blob");
		break;
	case KEEPER_KEY_WRAP:
		r.key_wrap.policy = policy_of("/own/ca", T0);
		r.key_wrap.key = B("secret");
		break;
	case KEEPER_AUTHORITY_CROSS:
		r.authority_cross.issuer = issuer;
		r.authority_cross.subject = (struct keeper_issuer){ B("new blob"), B("new cert") };
		r.authority_cross.spec = spec_of(CERT_INTERMEDIATE, T0);
		break;
	case KEEPER_AUTHORITY_REQUEST:
		r.authority_request.policy = policy_of("/corp/issuing", T0);
		r.authority_request.key_type = KEY_EC_P384;
		r.authority_request.spec = spec_of(CERT_INTERMEDIATE, T0);
		break;
	case KEEPER_AUTHORITY_RENEW:
		r.authority_renew.root = issuer;
		r.authority_renew.spec = spec_of(CERT_ROOT, T0);
		break;
	case KEEPER_WEBHOOK_WRAP:
		r.webhook_wrap.policy = policy_of("ops", T0);
		r.webhook_wrap.secret = B("thirty-two bytes of a secret ....");
		r.webhook_wrap.secret.len = KEEPER_WEBHOOK_SECRET_BYTES;
		break;
	case KEEPER_WEBHOOK_SIGN:
		r.webhook_sign.blob = B("webhook blob");
		r.webhook_sign.message = "msg_1";
		r.webhook_sign.timestamp = T0 / 1000;
		r.webhook_sign.body = B("{}");
		break;
	case KEEPER_AUDIT_CREATE:
		memcpy(r.audit_create.key_id, UUID_2, UUID_LEN);
		break;
	case KEEPER_AUDIT_SIGN:
		r.audit_sign.blob = B("audit blob");
		r.audit_sign.seq = INT64_MAX;
		memset(r.audit_sign.head, 0xcd, SHA256_LEN);
		break;
	default:
		break;
	}
	return r;
}

static void every_request_is_read_as_it_was_written(void **state)
{
	CLEANUP(arena_freep) struct arena *a = arena_new(1 << 20);
	for (enum keeper_kind kind = KEEPER_PING; kind < KEEPER_KIND_MAX; kind++) {
		CLEANUP(buf_release) struct buf out = buf_make(LIMIT_KEEPER_MESSAGE_BYTES), again = buf_make(LIMIT_KEEPER_MESSAGE_BYTES);
		struct keeper_request req = sample(kind), back;
		struct message_frame frames[LIMIT_KEEPER_BATCH];
		size_t n;
		message_begin(&out);
		assert_true(rc_ok(message_add_request(&out, &req, NULL)));
		assert_true(rc_ok(message_split(buf_bytes(&out), frames, &n, NULL)));
		assert_int_equal(n, 1);
		assert_true(rc_ok(message_read_request(a, &frames[0], &back, NULL)));
		assert_true(back.id == req.id && back.kind == kind);
		message_begin(&again);
		assert_true(rc_ok(message_add_request(&again, &back, NULL)));
		assert_true(bytes_equal(buf_bytes(&out), buf_bytes(&again)));
	}
}

static void a_spec_keeps_all_its_members(void **state)
{
	CLEANUP(arena_freep) struct arena *a = arena_new(1 << 20);
	CLEANUP(buf_release) struct buf out = buf_make(LIMIT_KEEPER_MESSAGE_BYTES);
	struct keeper_request req = sample(KEEPER_LEAF_SIGN), back;
	struct message_frame frames[LIMIT_KEEPER_BATCH];
	size_t n;
	message_begin(&out);
	assert_true(rc_ok(message_add_request(&out, &req, NULL)));
	assert_true(rc_ok(message_split(buf_bytes(&out), frames, &n, NULL)));
	assert_true(rc_ok(message_read_request(a, &frames[0], &back, NULL)));
	const struct cert_spec *x = &req.leaf_sign.spec, *y = &back.leaf_sign.spec;
	assert_string_equal(x->common_name, y->common_name);
	assert_string_equal(x->organization, y->organization);
	assert_string_equal(x->organizational_unit, y->organizational_unit);
	assert_string_equal(x->place.country, y->place.country);
	assert_string_equal(x->place.state, y->place.state);
	assert_string_equal(x->place.locality, y->place.locality);
	assert_int_equal(y->key_usage, USAGE_DIGITAL_SIGNATURE | USAGE_NON_REPUDIATION);
	assert_int_equal(y->kind, CERT_LEAF);
	assert_int_equal(y->san_count, 2);
	assert_string_equal(y->sans[1].value, "10.0.0.1");
	assert_true(x->not_before == y->not_before && x->not_after == y->not_after);
	assert_int_equal(y->path_len, -1);
	assert_int_equal(y->eku, EKU_SERVER | EKU_CLIENT);
	assert_memory_equal(x->serial, y->serial, CERT_SERIAL_LEN);
	assert_true(bytes_equal(x->spki, y->spki));
	assert_true(bytes_equal(back.leaf_sign.issuer.blob, B("blob")) && bytes_equal(back.leaf_sign.issuer.cert, B("cert")));
}

static void a_reply_is_read_as_it_was_written(void **state)
{
	CLEANUP(arena_freep) struct arena *a = arena_new(1 << 20);
	CLEANUP(buf_release) struct buf out = buf_make(LIMIT_KEEPER_MESSAGE_BYTES);
	struct keeper_reply ok = { .id = 4, .blob = B("b"), .der = B("d"), .spki = B("s"), .sealed = B("e"), .signature = B("g"),
				   .signed_at = T0 };
	struct keeper_reply no = { .id = 5, .kind = TROTH_FORBIDDEN, .text = "no", .hint = "ask" }, back;
	struct message_frame frames[LIMIT_KEEPER_BATCH];
	size_t n;
	message_begin(&out);
	assert_true(rc_ok(message_add_reply(&out, &ok, NULL)));
	assert_true(rc_ok(message_add_reply(&out, &no, NULL)));
	assert_true(rc_ok(message_split(buf_bytes(&out), frames, &n, NULL)));
	assert_int_equal(n, 2);
	assert_true(rc_ok(message_read_reply(a, &frames[0], &back, NULL)));
	assert_true(bytes_equal(back.blob, ok.blob) && bytes_equal(back.der, ok.der) && bytes_equal(back.spki, ok.spki));
	assert_true(bytes_equal(back.sealed, ok.sealed) && bytes_equal(back.signature, ok.signature));
	assert_true(back.signed_at == T0 && back.kind == TROTH_OK);
	assert_string_equal(back.text, "");
	assert_true(rc_ok(message_read_reply(a, &frames[1], &back, NULL)));
	assert_int_equal(back.kind, TROTH_FORBIDDEN);
	assert_string_equal(back.text, "no");
	assert_string_equal(back.hint, "ask");
	frames[1].kind = TROTH_KIND_MAX;
	assert_true(rc_failed(message_read_reply(a, &frames[1], &back, NULL)));
}

static void a_message_has_at_most_64_and_its_bytes(void **state)
{
	CLEANUP(buf_release) struct buf out = buf_make(LIMIT_KEEPER_MESSAGE_BYTES), small = buf_make(100);
	struct keeper_request req = sample(KEEPER_PING);
	struct troth_err e = { 0 };
	message_begin(&out);
	for (int i = 0; i < LIMIT_KEEPER_BATCH; i++)
		assert_true(rc_ok(message_add_request(&out, &req, NULL)));
	assert_int_equal(message_count(&out), LIMIT_KEEPER_BATCH);
	assert_true(rc_failed(message_add_request(&out, &req, &e)));
	assert_int_equal(e.kind, TROTH_TOO_LARGE);
	message_begin(&small);
	assert_true(rc_ok(message_add_request(&small, &req, NULL)));
	size_t len = small.len;
	struct keeper_request large = sample(KEEPER_LEAF_SEAL);
	assert_true(rc_failed(message_add_request(&small, &large, &e)));
	assert_true(small.len == len && buf_ok(&small) && message_count(&small) == 1);
	assert_true(rc_ok(message_add_request(&small, &req, NULL)));
}

static void what_is_no_request_is_not_written(void **state)
{
	CLEANUP(buf_release) struct buf out = buf_make(LIMIT_KEEPER_MESSAGE_BYTES);
	struct keeper_request req = sample(KEEPER_PING);
	message_begin(&out);
	req.id = 0;
	assert_true(rc_failed(message_add_request(&out, &req, NULL)));
	req = (struct keeper_request){ .id = 1, .kind = KEEPER_KIND_MAX };
	assert_true(rc_failed(message_add_request(&out, &req, NULL)));
	req = sample(KEEPER_LEAF_SIGN);
	req.leaf_sign.issuer.blob = (struct bytes){ 0 };
	assert_true(rc_failed(message_add_request(&out, &req, NULL)));
	assert_int_equal(out.len, MESSAGE_HEADER_BYTES);
}

/* No cut and no changed byte is read as something that would be written otherwise. */
static void reading_is_strict(void **state)
{
	CLEANUP(buf_release) struct buf out = buf_make(LIMIT_KEEPER_MESSAGE_BYTES), again = buf_make(LIMIT_KEEPER_MESSAGE_BYTES);
	struct keeper_request req = sample(KEEPER_AUTHORITY_SIGN), back;
	struct message_frame frames[LIMIT_KEEPER_BATCH];
	size_t n;
	message_begin(&out);
	assert_true(rc_ok(message_add_request(&out, &req, NULL)));
	for (size_t cut = 0; cut < out.len; cut++)
		assert_true(rc_failed(message_split(bytes_of(out.data, cut), frames, &n, NULL)));
	for (size_t i = 0; i < out.len * 8; i++) {
		CLEANUP(arena_freep) struct arena *a = arena_new(1 << 20);
		out.data[i / 8] ^= (uint8_t)(1 << i % 8);
		if (rc_ok(message_split(buf_bytes(&out), frames, &n, NULL)) && rc_ok(message_read_request(a, &frames[0], &back, NULL))) {
			message_begin(&again);
			assert_true(rc_ok(message_add_request(&again, &back, NULL)));
			assert_true(bytes_equal(buf_bytes(&out), buf_bytes(&again)));
		}
		out.data[i / 8] ^= (uint8_t)(1 << i % 8);
	}
	buf_add_byte(&out, 0);
	struct troth_err e = { 0 };
	assert_true(rc_failed(message_split(buf_bytes(&out), frames, &n, &e)));
	assert_non_null(strstr(e.primary, "1 trailing bytes"));
}

static void kinds_have_names(void **state)
{
	assert_string_equal(keeper_kind_name(KEEPER_LEAF_SEAL), "leaf-seal");
	assert_string_equal(keeper_kind_name(0), "unknown");
	assert_string_equal(keeper_kind_name(KEEPER_KIND_MAX), "unknown");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_request_is_read_as_it_was_written),
		cmocka_unit_test(a_spec_keeps_all_its_members),
		cmocka_unit_test(a_reply_is_read_as_it_was_written),
		cmocka_unit_test(a_message_has_at_most_64_and_its_bytes),
		cmocka_unit_test(what_is_no_request_is_not_written),
		cmocka_unit_test(reading_is_strict),
		cmocka_unit_test(kinds_have_names),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
