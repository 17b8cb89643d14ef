/* Contents in the words of messages.  See contents.h. */
#include "service/agent/contents.h"

#include <stdlib.h>

#include "base/text.h"
#include "pki/pki.h"

static void sort_texts(struct json_texts *t)
{
	if (t->count > 1)
		qsort(t->items, t->count, sizeof *t->items, text_order);
}

static struct json_texts texts_make(struct arena *a, size_t count)
{
	return (struct json_texts){ ARENA_ARRAY(a, const char *, count + 1), count };
}

static troth_rc fingerprint_text(struct tx *tx, struct arena *a, int64_t cert_id, const char **ret, struct troth_err *e)
{
	struct cert_row cert;
	TRY(cert_row_get(tx, a, cert_id, &cert, e));
	char *hex = arena_alloc(a, SHA256_HEX_LEN);
	*ret = hex_encode(cert.fingerprint.data, cert.fingerprint.len, hex);
	return RC_OK;
}

troth_rc contents_fingerprints(struct tx *tx, struct arena *a, int64_t content_id, struct json_texts *ret,
			       struct troth_err *e)
{
	struct content_row content;
	TRY(content_row_get(tx, a, content_id, &content, e));
	struct json_texts out = texts_make(a, content.certs.count);
	for (size_t i = 0; i < out.count; i++)
		TRY(fingerprint_text(tx, a, content.certs.items[i], &out.items[i], e));
	if (content.kind == CONTENT_SET)
		sort_texts(&out);
	*ret = out;
	return RC_OK;
}

troth_rc contents_pem(struct tx *tx, struct arena *a, int64_t content_id, struct json_texts *ret, struct troth_err *e)
{
	struct content_row content;
	TRY(content_row_get(tx, a, content_id, &content, e));
	struct json_texts out = texts_make(a, content.certs.count);
	for (size_t i = 0; i < out.count; i++) {
		struct cert_row cert;
		TRY(cert_row_get(tx, a, content.certs.items[i], &cert, e));
		out.items[i] = cert_pem(a, cert.der);
	}
	*ret = out;
	return RC_OK;
}

troth_rc contents_match(struct tx *tx, struct arena *a, int64_t content_id, struct json_texts said, bool *ret_equal,
			struct troth_err *e)
{
	struct content_row content;
	TRY(content_row_get(tx, a, content_id, &content, e));
	*ret_equal = false;
	if (content.certs.count != said.count)
		return RC_OK;
	struct json_texts ours, theirs = texts_make(a, said.count);
	TRY(contents_fingerprints(tx, a, content_id, &ours, e));
	for (size_t i = 0; i < said.count; i++)
		theirs.items[i] = said.items[i];
	if (content.kind == CONTENT_SET)
		sort_texts(&theirs);
	for (size_t i = 0; i < said.count; i++)
		if (strcmp(ours.items[i], theirs.items[i]) != 0)
			return RC_OK;
	*ret_equal = true;
	return RC_OK;
}
