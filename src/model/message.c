/* The codec of agent messages: one table per message drives both directions.
 *
 * A table row names the JSON member, its kind, its place in the struct and its bound (json_field of
 * base/json.h).  Flat members are read by json_read and written by put_fields from the same row, so
 * the two directions cannot drift apart.  Lists of objects are JF_ANY rows of a `wire` struct that
 * lies around the message, and are read by the function of the nested object. */
#include "model/message.h"

#include <string.h>

#define ROW(type, member, json_kind, row_flags, low, high)                                         \
	{ .name = #member, .kind = (json_kind), .offset = offsetof(type, member),                  \
	  .flags = (row_flags), .min = (low), .max = (high) }

enum {
	PEM_CERT_BYTES = 2 * LIMIT_CERT_DER_BYTES,
	PEM_CSR_BYTES = 2 * LIMIT_CSR_DER_BYTES,
	TOKEN_BYTES = 256,
	BOOT_ID_BYTES = 64,
	VERSION_BYTES = 64,
	RETRY_MAX_S = 3600,
	FINGERPRINTS_MAX = LIMIT_BUNDLE_CERTS,
};

/* -- both directions -------------------------------------------------------------------------- */

static void put_texts(struct json_writer *w, const struct json_texts *texts)
{
	jw_array(w);
	for (size_t i = 0; i < texts->count; i++)
		jw_text(w, texts->items[i]);
	jw_array_end(w);
}

/* Writes the flat members that are set; NULL texts and empty optional lists stay away. */
static void put_fields(struct json_writer *w, const struct json_field *fields, size_t count, const void *m)
{
	for (size_t i = 0; i < count; i++) {
		const struct json_field *f = &fields[i];
		const void *at = (const char *)m + f->offset;
		const char *text;
		switch (f->kind) {
		case JF_TEXT:
			memcpy(&text, at, sizeof text);
			if (text)
				jw_kv_text(w, f->name, text);
			break;
		case JF_INT: jw_kv_int(w, f->name, *(const int64_t *)at); break;
		case JF_BOOL: jw_kv_bool(w, f->name, *(const bool *)at); break;
		case JF_TEXTS:
			jw_key(w, f->name);
			put_texts(w, at);
			break;
		default: break; /* JF_ANY: the caller writes it */
		}
	}
}

/* A copy of the object without the members that the table does not know. */
static const struct json *only_known(struct arena *a, const struct json *j, const struct json_field *fields,
				     size_t count)
{
	if (j->type != JSON_OBJECT)
		return j;
	struct json *out = arena_copy(a, j, sizeof *j);
	out->map.keys = ARENA_ARRAY(a, const char *, j->map.count);
	out->map.values = ARENA_ARRAY(a, struct json, j->map.count);
	out->map.count = 0;
	for (size_t i = 0; i < j->map.count; i++)
		for (size_t k = 0; k < count; k++)
			if (strcmp(j->map.keys[i], fields[k].name) == 0) {
				out->map.keys[out->map.count] = j->map.keys[i];
				out->map.values[out->map.count++] = j->map.values[i];
				break;
			}
	return out;
}

enum strictness { REQUEST, REPLY }; /* a reply may say more than we know */

static troth_rc read_object(struct arena *a, const struct json *j, enum strictness how,
			    const struct json_field *fields, size_t count, void *out, struct troth_err *e)
{
	return json_read(a, how == REPLY ? only_known(a, j, fields, count) : j, fields, count, out, e);
}

static troth_rc read_body(struct arena *a, struct bytes in, enum strictness how, const struct json_field *fields,
			  size_t count, void *out, struct troth_err *e)
{
	const struct json *j;
	TRY(json_parse(a, in, &j, e));
	return read_object(a, j, how, fields, count, out, e);
}

/* The items of a list of objects; count 0 when absent. */
static troth_rc list_items(struct arena *a, const struct json *j, size_t max, const struct json **ret_items,
			   size_t *ret_count, struct troth_err *e)
{
	*ret_items = NULL;
	*ret_count = 0;
	if (!j)
		return RC_OK;
	if (j->type != JSON_ARRAY) {
		err_finding(a, e, j->path, "type", "must be a list", NULL);
		return (troth_rc){ TROTH_INVALID };
	}
	if (j->list.count > max) {
		err_finding(a, e, j->path, "length",
			    arena_printf(a, "has %zu entries; at most %zu are accepted", j->list.count, max), NULL);
		return (troth_rc){ TROTH_INVALID };
	}
	*ret_items = j->list.items;
	*ret_count = j->list.count;
	return RC_OK;
}

/* -- checks of single values -------------------------------------------------------------------- */

static troth_rc finding(struct arena *a, struct troth_err *e, const struct json *j, const char *member,
			const char *rule, const char *text)
{
	err_finding(a, e, member ? arena_printf(a, "%s.%s", j ? j->path : "$", member) : j->path, rule, text, NULL);
	return (troth_rc){ TROTH_INVALID };
}

static troth_rc check_uuid(struct arena *a, const char *text, const char *path, struct troth_err *e)
{
	if (uuid_valid(text))
		return RC_OK;
	err_finding(a, e, path, "uuid", "is not a UUID", "an id is written like 6f1c3a52-0b7e-4d0a-9a52-3f1b2c4d5e6f");
	return (troth_rc){ TROTH_INVALID };
}

static bool is_fingerprint(const char *s)
{
	size_t n = strspn(s, "0123456789abcdef");
	return n == SHA256_HEX_LEN - 1 && s[n] == 0;
}

static troth_rc check_fingerprints(struct arena *a, const struct json_texts *list, const char *path,
				   struct troth_err *e)
{
	for (size_t i = 0; i < list->count; i++)
		if (!is_fingerprint(list->items[i])) {
			err_finding(a, e, arena_printf(a, "%s[%zu]", path, i), "fingerprint",
				    "is not a SHA-256 fingerprint", "64 lower-case hex digits without colons");
			return (troth_rc){ TROTH_INVALID };
		}
	return RC_OK;
}

/* -- enroll, identity ---------------------------------------------------------------------------- */

static const struct json_field ENROLL[] = {
	ROW(struct msg_enroll, token, JF_TEXT, JF_REQUIRED, 0, TOKEN_BYTES),
	ROW(struct msg_enroll, csr, JF_TEXT, JF_REQUIRED, 0, PEM_CSR_BYTES),
	ROW(struct msg_enroll, boot_id, JF_TEXT, JF_REQUIRED, 0, BOOT_ID_BYTES),
	ROW(struct msg_enroll, agent_version, JF_TEXT, 0, 0, VERSION_BYTES),
	ROW(struct msg_enroll, instance, JF_TEXT, 0, 0, LIMIT_NAME_BYTES),
};

static const struct json_field ENROLLED[] = {
	ROW(struct msg_enrolled, instance_id, JF_TEXT, JF_REQUIRED, 0, UUID_LEN),
	ROW(struct msg_enrolled, instance, JF_TEXT, JF_REQUIRED, 0, LIMIT_NAME_BYTES),
	ROW(struct msg_enrolled, deployment, JF_TEXT, JF_REQUIRED, 0, LIMIT_NAME_BYTES),
	ROW(struct msg_enrolled, certificate, JF_TEXT, JF_REQUIRED, 0, PEM_CERT_BYTES),
	ROW(struct msg_enrolled, chain, JF_TEXT, JF_REQUIRED, 0, LIMIT_PEM_BYTES),
	ROW(struct msg_enrolled, server_ca, JF_TEXT, JF_REQUIRED, 0, LIMIT_PEM_BYTES),
	ROW(struct msg_enrolled, agents_ca, JF_TEXT, JF_REQUIRED, 0, LIMIT_PEM_BYTES),
	ROW(struct msg_enrolled, epoch, JF_TEXT, JF_REQUIRED, 0, MSG_EPOCH_BYTES),
};

static const struct json_field IDENTITY[] = {
	ROW(struct msg_identity, csr, JF_TEXT, JF_REQUIRED, 0, PEM_CSR_BYTES),
};

static const struct json_field RENEWED[] = {
	ROW(struct msg_renewed, certificate, JF_TEXT, JF_REQUIRED, 0, PEM_CERT_BYTES),
	ROW(struct msg_renewed, chain, JF_TEXT, JF_REQUIRED, 0, LIMIT_PEM_BYTES),
	ROW(struct msg_renewed, server_ca, JF_TEXT, JF_REQUIRED, 0, LIMIT_PEM_BYTES),
};

static const struct json_field NONCE[] = {
	ROW(struct msg_nonce, nonce, JF_TEXT, JF_REQUIRED, 0, MSG_NONCE_BYTES),
};

static const struct json_field RECOVERY[] = {
	ROW(struct msg_recovery, certificate, JF_TEXT, JF_REQUIRED, 0, PEM_CERT_BYTES),
	ROW(struct msg_recovery, csr, JF_TEXT, JF_REQUIRED, 0, PEM_CSR_BYTES),
	ROW(struct msg_recovery, nonce, JF_TEXT, JF_REQUIRED, 0, MSG_NONCE_BYTES),
	ROW(struct msg_recovery, signature, JF_TEXT, JF_REQUIRED, 0, MSG_SIGNATURE_BYTES),
};

static const struct json_field RECOVERING[] = {
	ROW(struct msg_recovering, state, JF_TEXT, JF_REQUIRED, 0, LIMIT_NAME_BYTES),
	ROW(struct msg_recovering, instance, JF_TEXT, JF_REQUIRED, 0, LIMIT_NAME_BYTES),
	ROW(struct msg_recovering, retry_s, JF_INT, 0, 0, RETRY_MAX_S),
	ROW(struct msg_recovering, certificate, JF_TEXT, 0, 0, PEM_CERT_BYTES),
	ROW(struct msg_recovering, chain, JF_TEXT, 0, 0, LIMIT_PEM_BYTES),
	ROW(struct msg_recovering, server_ca, JF_TEXT, 0, 0, LIMIT_PEM_BYTES),
};

static const struct json_field CSR[] = {
	ROW(struct msg_csr, session, JF_INT, JF_REQUIRED, 1, INT64_MAX),
	ROW(struct msg_csr, target, JF_TEXT, JF_REQUIRED, 0, UUID_LEN),
	ROW(struct msg_csr, request, JF_TEXT, JF_REQUIRED, 0, UUID_LEN),
	ROW(struct msg_csr, csr, JF_TEXT, JF_REQUIRED, 0, PEM_CSR_BYTES),
};

static void encode_flat(struct buf *out, const struct json_field *fields, size_t count, const void *m)
{
	struct json_writer w = json_writer_make(out);
	jw_object(&w);
	put_fields(&w, fields, count, m);
	jw_object_end(&w);
}

void msg_enroll_encode(struct buf *out, const struct msg_enroll *m)
{
	encode_flat(out, ENROLL, ARRAY_LEN(ENROLL), m);
}

void msg_enrolled_encode(struct buf *out, const struct msg_enrolled *m)
{
	encode_flat(out, ENROLLED, ARRAY_LEN(ENROLLED), m);
}

void msg_identity_encode(struct buf *out, const struct msg_identity *m)
{
	encode_flat(out, IDENTITY, ARRAY_LEN(IDENTITY), m);
}

void msg_renewed_encode(struct buf *out, const struct msg_renewed *m)
{
	encode_flat(out, RENEWED, ARRAY_LEN(RENEWED), m);
}

void msg_nonce_encode(struct buf *out, const struct msg_nonce *m)
{
	encode_flat(out, NONCE, ARRAY_LEN(NONCE), m);
}

void msg_recovery_encode(struct buf *out, const struct msg_recovery *m)
{
	encode_flat(out, RECOVERY, ARRAY_LEN(RECOVERY), m);
}

void msg_recovering_encode(struct buf *out, const struct msg_recovering *m)
{
	encode_flat(out, RECOVERING, ARRAY_LEN(RECOVERING), m);
}

void msg_csr_encode(struct buf *out, const struct msg_csr *m)
{
	encode_flat(out, CSR, ARRAY_LEN(CSR), m);
}

troth_rc msg_enroll_decode(struct arena *a, struct bytes in, struct msg_enroll *ret, struct troth_err *e)
{
	struct msg_enroll m = { 0 };
	TRY(read_body(a, in, REQUEST, ENROLL, ARRAY_LEN(ENROLL), &m, e));
	*ret = m;
	return RC_OK;
}

troth_rc msg_enrolled_decode(struct arena *a, struct bytes in, struct msg_enrolled *ret, struct troth_err *e)
{
	struct msg_enrolled m = { 0 };
	TRY(read_body(a, in, REPLY, ENROLLED, ARRAY_LEN(ENROLLED), &m, e));
	TRY(check_uuid(a, m.instance_id, "$.instance_id", e));
	*ret = m;
	return RC_OK;
}

troth_rc msg_identity_decode(struct arena *a, struct bytes in, struct msg_identity *ret, struct troth_err *e)
{
	struct msg_identity m = { 0 };
	TRY(read_body(a, in, REQUEST, IDENTITY, ARRAY_LEN(IDENTITY), &m, e));
	*ret = m;
	return RC_OK;
}

troth_rc msg_renewed_decode(struct arena *a, struct bytes in, struct msg_renewed *ret, struct troth_err *e)
{
	struct msg_renewed m = { 0 };
	TRY(read_body(a, in, REPLY, RENEWED, ARRAY_LEN(RENEWED), &m, e));
	*ret = m;
	return RC_OK;
}

troth_rc msg_nonce_decode(struct arena *a, struct bytes in, struct msg_nonce *ret, struct troth_err *e)
{
	struct msg_nonce m = { 0 };
	TRY(read_body(a, in, REPLY, NONCE, ARRAY_LEN(NONCE), &m, e));
	*ret = m;
	return RC_OK;
}

troth_rc msg_recovery_decode(struct arena *a, struct bytes in, struct msg_recovery *ret, struct troth_err *e)
{
	struct msg_recovery m = { 0 };
	TRY(read_body(a, in, REQUEST, RECOVERY, ARRAY_LEN(RECOVERY), &m, e));
	*ret = m;
	return RC_OK;
}

troth_rc msg_recovering_decode(struct arena *a, struct bytes in, struct msg_recovering *ret, struct troth_err *e)
{
	struct msg_recovering m = { 0 };
	TRY(read_body(a, in, REPLY, RECOVERING, ARRAY_LEN(RECOVERING), &m, e));
	bool approved = text_equal(m.state, "approved");
	if (approved && (!m.certificate || !m.server_ca))
		err_finding(a, e, "$.certificate", "required", "is missing, though it is approved", NULL);
	*ret = m;
	return approved && !(m.certificate && m.server_ca) ? (troth_rc){ TROTH_INVALID } : RC_OK;
}

struct bytes msg_recovery_signed(struct arena *a, const struct msg_recovery *m)
{
	return bytes_of_text(arena_printf(a, "troth agent recovery 1\n%s\n%zu\n%s%s", m->nonce, strlen(m->certificate), m->certificate, m->csr));
}

troth_rc msg_csr_decode(struct arena *a, struct bytes in, struct msg_csr *ret, struct troth_err *e)
{
	struct msg_csr m = { 0 };
	TRY(read_body(a, in, REQUEST, CSR, ARRAY_LEN(CSR), &m, e));
	TRY(check_uuid(a, m.target, "$.target", e));
	TRY(check_uuid(a, m.request, "$.request", e));
	*ret = m;
	return RC_OK;
}

/* -- session ------------------------------------------------------------------------------------------ */

struct session_wire {
	struct msg_session m;
	const struct json *targets;
};

static const struct json_field SESSION[] = {
	ROW(struct msg_session, boot_id, JF_TEXT, JF_REQUIRED, 0, BOOT_ID_BYTES),
	ROW(struct msg_session, epoch, JF_TEXT, 0, 0, MSG_EPOCH_BYTES),
	ROW(struct msg_session, agent_version, JF_TEXT, 0, 0, VERSION_BYTES),
	ROW(struct session_wire, targets, JF_ANY, JF_REQUIRED, 0, 0),
};

static const struct json_field LOADED[] = {
	ROW(struct msg_loaded, id, JF_TEXT, JF_REQUIRED, 0, UUID_LEN),
	ROW(struct msg_loaded, loaded_generation, JF_INT, JF_REQUIRED, 0, MSG_GENERATION_MAX),
	ROW(struct msg_loaded, high_water, JF_INT, JF_REQUIRED, 0, MSG_GENERATION_MAX),
	ROW(struct msg_loaded, fingerprints, JF_TEXTS, JF_REQUIRED, 0, FINGERPRINTS_MAX),
};

static const struct json_field OPENED[] = {
	ROW(struct msg_opened, session, JF_INT, JF_REQUIRED, 1, INT64_MAX),
	ROW(struct msg_opened, epoch, JF_TEXT, JF_REQUIRED, 0, MSG_EPOCH_BYTES),
};

void msg_session_encode(struct buf *out, const struct msg_session *m)
{
	struct json_writer w = json_writer_make(out);
	jw_object(&w);
	put_fields(&w, SESSION, ARRAY_LEN(SESSION), m);
	jw_key(&w, "targets");
	jw_array(&w);
	for (size_t i = 0; i < m->target_count; i++) {
		jw_object(&w);
		put_fields(&w, LOADED, ARRAY_LEN(LOADED), &m->targets[i]);
		jw_object_end(&w);
	}
	jw_array_end(&w);
	jw_object_end(&w);
}

static troth_rc read_loaded(struct arena *a, const struct json *j, struct msg_loaded *ret, struct troth_err *e)
{
	struct msg_loaded m = { 0 };
	TRY(read_object(a, j, REQUEST, LOADED, ARRAY_LEN(LOADED), &m, e));
	TRY(check_uuid(a, m.id, arena_printf(a, "%s.id", j->path), e));
	TRY(check_fingerprints(a, &m.fingerprints, arena_printf(a, "%s.fingerprints", j->path), e));
	if (m.high_water < m.loaded_generation)
		return finding(a, e, j, "high_water", "order", "is below loaded_generation");
	*ret = m;
	return RC_OK;
}

troth_rc msg_session_decode(struct arena *a, struct bytes in, struct msg_session *ret, struct troth_err *e)
{
	struct session_wire wire = { 0 };
	const struct json *items;
	size_t count;
	TRY(read_body(a, in, REQUEST, SESSION, ARRAY_LEN(SESSION), &wire, e));
	TRY(list_items(a, wire.targets, MSG_TARGETS, &items, &count, e));
	wire.m.targets = ARENA_ARRAY(a, struct msg_loaded, count);
	wire.m.target_count = count;
	for (size_t i = 0; i < count; i++)
		TRY(read_loaded(a, &items[i], &wire.m.targets[i], e));
	*ret = wire.m;
	return RC_OK;
}

void msg_opened_encode(struct buf *out, const struct msg_opened *m)
{
	encode_flat(out, OPENED, ARRAY_LEN(OPENED), m);
}

troth_rc msg_opened_decode(struct arena *a, struct bytes in, struct msg_opened *ret, struct troth_err *e)
{
	struct msg_opened m = { 0 };
	TRY(read_body(a, in, REPLY, OPENED, ARRAY_LEN(OPENED), &m, e));
	*ret = m;
	return RC_OK;
}

/* -- desired --------------------------------------------------------------------------------------------- */

struct target_wire {
	struct msg_target m;
	const char *kind, *role, *sealed_key;
	const struct json *parameters, *certificates, *csr;
};

struct desired_wire {
	struct msg_desired m;
	const struct json *targets;
};

static const struct json_field DESIRED[] = {
	ROW(struct msg_desired, session, JF_INT, JF_REQUIRED, 1, INT64_MAX),
	ROW(struct msg_desired, epoch, JF_TEXT, JF_REQUIRED, 0, MSG_EPOCH_BYTES),
	ROW(struct msg_desired, version, JF_INT, JF_REQUIRED, 0, INT64_MAX),
	ROW(struct desired_wire, targets, JF_ANY, JF_REQUIRED, 0, 0),
	ROW(struct msg_desired, gone, JF_TEXTS, 0, 0, MSG_TARGETS),
	ROW(struct msg_desired, renew_identity, JF_BOOL, 0, 0, 0),
};

static const struct json_field TARGET[] = {
	ROW(struct msg_target, id, JF_TEXT, JF_REQUIRED, 0, UUID_LEN),
	ROW(struct msg_target, name, JF_TEXT, JF_REQUIRED, 0, LIMIT_NAME_BYTES),
	ROW(struct target_wire, kind, JF_TEXT, JF_REQUIRED, 0, 16),
	ROW(struct msg_target, profile, JF_TEXT, JF_REQUIRED, 0, LIMIT_NAME_BYTES),
	ROW(struct target_wire, role, JF_TEXT, JF_REQUIRED, 0, 16),
	ROW(struct target_wire, parameters, JF_ANY, 0, 0, 0),
	ROW(struct msg_target, generation, JF_INT, JF_REQUIRED, 0, MSG_GENERATION_MAX),
	ROW(struct target_wire, certificates, JF_ANY, 0, 0, 0),
	ROW(struct msg_target, distrusted, JF_TEXTS, 0, 0, LIMIT_DISTRUSTED),
	ROW(struct msg_target, key_request, JF_TEXT, 0, 0, UUID_LEN),
	ROW(struct target_wire, sealed_key, JF_TEXT, 0, 0, 2 * MSG_SEALED_KEY_BYTES),
	ROW(struct target_wire, csr, JF_ANY, 0, 0, 0),
	ROW(struct msg_target, leaving, JF_BOOL, 0, 0, 0),
};

static const struct json_field CSR_WANTED[] = {
	ROW(struct msg_csr_wanted, request, JF_TEXT, JF_REQUIRED, 0, UUID_LEN),
	ROW(struct msg_csr_wanted, key_type, JF_TEXT, JF_REQUIRED, 0, 32),
	ROW(struct msg_csr_wanted, common_name, JF_TEXT, 0, 0, LIMIT_NAME_BYTES),
};

static const char *const KIND_NAMES[] = { [MSG_SLOT] = "slot", [MSG_STORE] = "store" };
static const char *const ROLE_NAMES[] = { [MSG_SERVER] = "server", [MSG_CLIENT] = "client" };
static const char *const LEVEL_NAMES[] = { [MSG_LEVEL_WRITTEN] = "written", [MSG_LEVEL_LOADED] = "loaded",
					   [MSG_LEVEL_PROBED] = "probed" };

const char *msg_level_name(enum msg_level level) { return LEVEL_NAMES[level]; }

/* The index of `text` in names, as a finding if it is none of them. */
static troth_rc read_word(struct arena *a, const struct json *j, const char *member, const char *const *names,
			  size_t count, const char *text, unsigned *ret, struct troth_err *e)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(names[i], text) == 0) {
			*ret = (unsigned)i;
			return RC_OK;
		}
	const char *list = "";
	for (size_t i = 0; i < count; i++)
		list = arena_printf(a, "%s%s\"%s\"", list, i ? ", " : "", names[i]);
	return finding(a, e, j, member, "word", arena_printf(a, "must be one of %s", list));
}

static void put_parameters(struct json_writer *w, const struct msg_target *m)
{
	jw_key(w, "parameters");
	jw_object(w);
	for (size_t i = 0; i < m->parameter_count; i++)
		jw_kv_text(w, m->parameters[i].name, m->parameters[i].value);
	jw_object_end(w);
}

/* No arena here: groups of 3 bytes are encoded one after the other into a small array. */
static void put_base64(struct json_writer *w, struct bytes in)
{
	static const char DIGITS[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	char text[2 * MSG_SEALED_KEY_BYTES];
	size_t n = 0;
	if (in.len > MSG_SEALED_KEY_BYTES) {
		w->out->failed = true; /* as a buf that is too small: the caller asks buf_ok */
		return;
	}
	for (size_t i = 0; i < in.len; i += 3) {
		size_t left = in.len - i;
		uint32_t v = (uint32_t)in.data[i] << 16 | (left > 1 ? (uint32_t)in.data[i + 1] << 8 : 0) |
			     (left > 2 ? in.data[i + 2] : 0);
		text[n++] = DIGITS[v >> 18];
		text[n++] = DIGITS[v >> 12 & 63];
		text[n++] = left > 1 ? DIGITS[v >> 6 & 63] : '=';
		text[n++] = left > 2 ? DIGITS[v & 63] : '=';
	}
	jw_text_n(w, text, n);
}

static void put_target(struct json_writer *w, const struct msg_target *m)
{
	jw_object(w);
	put_fields(w, TARGET, ARRAY_LEN(TARGET), &(struct target_wire){ .m = *m, .kind = KIND_NAMES[m->kind],
									.role = ROLE_NAMES[m->role] });
	put_parameters(w, m);
	jw_key(w, "certificates");
	put_texts(w, &m->certificates);
	if (m->sealed_key.len) {
		jw_key(w, "sealed_key");
		put_base64(w, m->sealed_key);
	}
	if (m->csr) {
		jw_key(w, "csr");
		jw_object(w);
		put_fields(w, CSR_WANTED, ARRAY_LEN(CSR_WANTED), m->csr);
		jw_object_end(w);
	}
	jw_object_end(w);
}

void msg_desired_encode(struct buf *out, const struct msg_desired *m)
{
	struct json_writer w = json_writer_make(out);
	jw_object(&w);
	put_fields(&w, DESIRED, ARRAY_LEN(DESIRED), m);
	jw_key(&w, "targets");
	jw_array(&w);
	for (size_t i = 0; i < m->target_count; i++)
		put_target(&w, &m->targets[i]);
	jw_array_end(&w);
	jw_object_end(&w);
}

static troth_rc read_parameters(struct arena *a, const struct json *j, struct msg_target *m, struct troth_err *e)
{
	if (!j)
		return RC_OK;
	if (j->type != JSON_OBJECT || j->map.count > MSG_PARAMETERS)
		return finding(a, e, j, NULL, "parameters",
			       arena_printf(a, "must be an object of at most %d texts", MSG_PARAMETERS));
	m->parameters = ARENA_ARRAY(a, struct msg_parameter, j->map.count);
	m->parameter_count = j->map.count;
	for (size_t i = 0; i < j->map.count; i++) {
		const struct json *v = &j->map.values[i];
		if (v->type != JSON_STRING || v->str.len > MSG_PARAMETER_BYTES || memchr(v->str.s, 0, v->str.len))
			return finding(a, e, v, NULL, "parameter",
				       arena_printf(a, "must be a text of at most %d bytes", MSG_PARAMETER_BYTES));
		m->parameters[i] = (struct msg_parameter){ j->map.keys[i], v->str.s };
	}
	return RC_OK;
}

static troth_rc read_certificates(struct arena *a, const struct json *j, size_t max, struct json_texts *ret,
				  struct troth_err *e)
{
	const struct json *items;
	size_t count;
	TRY(list_items(a, j, max, &items, &count, e));
	const char **texts = ARENA_ARRAY(a, const char *, count);
	for (size_t i = 0; i < count; i++) {
		const struct json *v = &items[i];
		if (v->type != JSON_STRING || v->str.len > PEM_CERT_BYTES || memchr(v->str.s, 0, v->str.len))
			return finding(a, e, v, NULL, "certificate",
				       arena_printf(a, "must be a PEM text of at most %d bytes", PEM_CERT_BYTES));
		texts[i] = v->str.s;
	}
	*ret = (struct json_texts){ texts, count };
	return RC_OK;
}

static troth_rc read_csr_wanted(struct arena *a, const struct json *j, const struct msg_csr_wanted **ret,
				struct troth_err *e)
{
	if (!j)
		return RC_OK;
	struct msg_csr_wanted *m = ARENA_NEW(a, struct msg_csr_wanted);
	m->common_name = "";
	TRY(read_object(a, j, REPLY, CSR_WANTED, ARRAY_LEN(CSR_WANTED), m, e));
	TRY(check_uuid(a, m->request, arena_printf(a, "%s.request", j->path), e));
	*ret = m;
	return RC_OK;
}

static troth_rc read_sealed_key(struct arena *a, const struct json *j, const char *text, struct bytes *ret,
				struct troth_err *e)
{
	if (!text)
		return RC_OK;
	struct troth_err why = { 0 };
	if (rc_failed(base64_decode(a, text, strlen(text), ret, &why)))
		return finding(a, e, j, "sealed_key", "base64", why.primary);
	if (ret->len > MSG_SEALED_KEY_BYTES)
		return finding(a, e, j, "sealed_key", "length", "is too long for a sealed key");
	return RC_OK;
}

/* What has to fit together: a document has certificates; a slot's has exactly one way to its key. */
static troth_rc check_target(struct arena *a, const struct json *j, const struct msg_target *m, struct troth_err *e)
{
	bool keyed = m->key_request || m->sealed_key.len > 0;
	TRY(check_fingerprints(a, &m->distrusted, arena_printf(a, "%s.distrusted", j->path), e));
	if (m->generation == 0)
		return RC_OK;
	if (m->kind == MSG_SLOT && m->certificates.count == 0)
		return finding(a, e, j, "certificates", "required", "a slot's document needs its leaf");
	if (m->kind == MSG_SLOT && !keyed)
		return finding(a, e, j, "key_request", "required", "a slot's document names its key: key_request or sealed_key");
	if (m->kind == MSG_SLOT && m->key_request && m->sealed_key.len > 0)
		return finding(a, e, j, "sealed_key", "order", "stands beside key_request; only one of them names the key");
	if (m->kind == MSG_STORE && keyed)
		return finding(a, e, j, "key_request", "order", "a store has no key");
	if (m->key_request)
		TRY(check_uuid(a, m->key_request, arena_printf(a, "%s.key_request", j->path), e));
	return RC_OK;
}

static troth_rc read_target(struct arena *a, const struct json *j, struct msg_target *ret, struct troth_err *e)
{
	struct target_wire wire = { 0 };
	unsigned kind, role;
	TRY(read_object(a, j, REPLY, TARGET, ARRAY_LEN(TARGET), &wire, e));
	TRY(check_uuid(a, wire.m.id, arena_printf(a, "%s.id", j->path), e));
	TRY(read_word(a, j, "kind", KIND_NAMES, ARRAY_LEN(KIND_NAMES), wire.kind, &kind, e));
	TRY(read_word(a, j, "role", ROLE_NAMES, ARRAY_LEN(ROLE_NAMES), wire.role, &role, e));
	wire.m.kind = (enum msg_target_kind)kind;
	wire.m.role = (enum msg_role)role;
	TRY(read_parameters(a, wire.parameters, &wire.m, e));
	TRY(read_certificates(a, wire.certificates, kind == MSG_SLOT ? LIMIT_CHAIN_CERTS : LIMIT_BUNDLE_CERTS,
			      &wire.m.certificates, e));
	TRY(read_sealed_key(a, j, wire.sealed_key, &wire.m.sealed_key, e));
	TRY(read_csr_wanted(a, wire.csr, &wire.m.csr, e));
	TRY(check_target(a, j, &wire.m, e));
	*ret = wire.m;
	return RC_OK;
}

troth_rc msg_desired_decode(struct arena *a, struct bytes in, struct msg_desired *ret, struct troth_err *e)
{
	struct desired_wire wire = { 0 };
	const struct json *items;
	size_t count;
	TRY(read_body(a, in, REPLY, DESIRED, ARRAY_LEN(DESIRED), &wire, e));
	TRY(list_items(a, wire.targets, MSG_TARGETS, &items, &count, e));
	wire.m.targets = ARENA_ARRAY(a, struct msg_target, count);
	wire.m.target_count = count;
	for (size_t i = 0; i < count; i++)
		TRY(read_target(a, &items[i], &wire.m.targets[i], e));
	for (size_t i = 0; i < wire.m.gone.count; i++)
		TRY(check_uuid(a, wire.m.gone.items[i], arena_printf(a, "$.gone[%zu]", i), e));
	*ret = wire.m;
	return RC_OK;
}

/* -- report ----------------------------------------------------------------------------------------------- */

struct report_wire {
	struct msg_report m;
	const char *level;
	const struct json *failed, *found;
};

static const struct json_field REPORT[] = {
	ROW(struct msg_report, session, JF_INT, JF_REQUIRED, 1, INT64_MAX),
	ROW(struct msg_report, seq, JF_INT, JF_REQUIRED, 1, INT64_MAX),
	ROW(struct msg_report, target, JF_TEXT, JF_REQUIRED, 0, UUID_LEN),
	ROW(struct msg_report, generation, JF_INT, JF_REQUIRED, 0, MSG_GENERATION_MAX),
	ROW(struct msg_report, high_water, JF_INT, JF_REQUIRED, 0, MSG_GENERATION_MAX),
	ROW(struct report_wire, level, JF_TEXT, JF_REQUIRED, 0, 16),
	ROW(struct msg_report, settled, JF_BOOL, JF_REQUIRED, 0, 0),
	ROW(struct msg_report, fingerprints, JF_TEXTS, JF_REQUIRED, 0, FINGERPRINTS_MAX),
	ROW(struct msg_report, stopped, JF_BOOL, 0, 0, 0),
	ROW(struct report_wire, failed, JF_ANY, 0, 0, 0),
	ROW(struct report_wire, found, JF_ANY, 0, 0, 0),
	ROW(struct msg_report, drift, JF_TEXTS, 0, 0, MSG_DRIFT_LINES),
};

struct failed { int64_t generation; const char *reason; };
struct found { struct json_texts fingerprints; const char *text; };

static const struct json_field FAILED[] = {
	ROW(struct failed, generation, JF_INT, JF_REQUIRED, 1, MSG_GENERATION_MAX),
	ROW(struct failed, reason, JF_TEXT, JF_REQUIRED, 0, 0),
};

static const struct json_field FOUND[] = {
	ROW(struct found, fingerprints, JF_TEXTS, JF_REQUIRED, 0, FINGERPRINTS_MAX),
	ROW(struct found, text, JF_TEXT, 0, 0, 0),
};

static void put_failed(struct json_writer *w, const struct msg_report *m)
{
	jw_key(w, "failed");
	jw_object(w);
	put_fields(w, FAILED, ARRAY_LEN(FAILED),
		   &(struct failed){ m->failed_generation, m->failed_reason ? m->failed_reason : "" });
	jw_object_end(w);
}

static void put_found(struct json_writer *w, const struct msg_report *m)
{
	jw_key(w, "found");
	jw_object(w);
	put_fields(w, FOUND, ARRAY_LEN(FOUND), &(struct found){ m->found_fingerprints, m->found_text });
	jw_object_end(w);
}

void msg_report_encode(struct buf *out, const struct msg_report *m)
{
	struct json_writer w = json_writer_make(out);
	jw_object(&w);
	put_fields(&w, REPORT, ARRAY_LEN(REPORT), &(struct report_wire){ .m = *m, .level = LEVEL_NAMES[m->level] });
	if (m->failed_generation)
		put_failed(&w, m);
	if (m->has_found)
		put_found(&w, m);
	jw_object_end(&w);
}

static troth_rc read_failed(struct arena *a, const struct json *j, struct msg_report *m, struct troth_err *e)
{
	struct failed f = { 0 };
	if (!j)
		return RC_OK;
	TRY(read_object(a, j, REQUEST, FAILED, ARRAY_LEN(FAILED), &f, e));
	if (f.generation > m->high_water)
		return finding(a, e, j, "generation", "order", "is above high_water: a failed generation is done with");
	m->failed_generation = f.generation;
	m->failed_reason = f.reason;
	return RC_OK;
}

static troth_rc read_found(struct arena *a, const struct json *j, struct msg_report *m, struct troth_err *e)
{
	struct found f = { 0 };
	if (!j)
		return RC_OK;
	TRY(read_object(a, j, REQUEST, FOUND, ARRAY_LEN(FOUND), &f, e));
	TRY(check_fingerprints(a, &f.fingerprints, arena_printf(a, "%s.fingerprints", j->path), e));
	m->has_found = true;
	m->found_fingerprints = f.fingerprints;
	m->found_text = f.text;
	return RC_OK;
}

troth_rc msg_report_decode(struct arena *a, struct bytes in, struct msg_report *ret, struct troth_err *e)
{
	struct report_wire wire = { 0 };
	const struct json *j;
	unsigned level;
	TRY(json_parse(a, in, &j, e));
	TRY(read_object(a, j, REQUEST, REPORT, ARRAY_LEN(REPORT), &wire, e));
	TRY(check_uuid(a, wire.m.target, "$.target", e));
	TRY(read_word(a, j, "level", LEVEL_NAMES, ARRAY_LEN(LEVEL_NAMES), wire.level, &level, e));
	wire.m.level = (enum msg_level)level;
	TRY(check_fingerprints(a, &wire.m.fingerprints, "$.fingerprints", e));
	if (wire.m.high_water < wire.m.generation)
		return finding(a, e, j, "high_water", "order", "is below generation");
	TRY(read_failed(a, wire.failed, &wire.m, e));
	TRY(read_found(a, wire.found, &wire.m, e));
	*ret = wire.m;
	return RC_OK;
}
