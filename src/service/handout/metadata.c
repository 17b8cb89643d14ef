/* A JSON object that is kept with a version.  See metadata.h. */
#include "service/handout/metadata.h"

#include "base/limits.h"
#include "store/store.h"

/* UTF-8: each character has one byte that is not a continuation. */
static size_t characters(const char *text)
{
	size_t n = 0;
	for (; *text; text++)
		n += ((unsigned char)*text & 0xc0) != 0x80;
	return n;
}

troth_rc metadata_read(struct arena *a, const struct json *said, const char **ret, struct troth_err *e)
{
	CLEANUP(buf_release) struct buf out = buf_make(4 * LIMIT_METADATA_CHARS + 1);
	struct json_writer w = json_writer_make(&out);
	*ret = NULL;
	if (!said || said->type == JSON_NULL)
		return RC_OK;
	ENSURE(said->type == JSON_OBJECT, e, TROTH_INVALID, "metadata is a JSON object: write it like {\"team\":\"payments\"}");
	ENSURE(json_is_finite(said), e, TROTH_INVALID, "metadata holds a number that is too large: write it as a string");
	jw_value(&w, said);
	ENSURE(buf_ok(&out) && characters(buf_text(&out)) <= LIMIT_METADATA_CHARS, e, TROTH_INVALID,
	       "metadata is longer than %d characters: keep what is long elsewhere, and where it is here", LIMIT_METADATA_CHARS);
	*ret = arena_text(a, buf_text(&out));
	return RC_OK;
}

troth_rc metadata_set(struct verb_ctx *ctx, const char *version, const char *metadata, struct troth_err *e)
{
	struct version_row row;
	TRY(version_row_by_uuid(ctx->tx, ctx->a, version, &row, e));
	return metadata_row_put(ctx->tx, row.id, metadata, e);
}
