/* The engine's view from outside.  (Its header and the store's use the same words, so this file is alone.) */
#include "engine/engine.h"
#include "peek.h"

enum { DUMP_BYTES = 256 << 20 };

uint64_t peek_hash(const struct view *v)
{
	CLEANUP(buf_release) struct buf out = buf_make(DUMP_BYTES);
	uint64_t h = UINT64_C(14695981039346656037);
	view_dump(v, &out);
	CHECK(buf_ok(&out));
	for (size_t i = 0; i < out.len; i++)
		h = (h ^ out.data[i]) * UINT64_C(1099511628211);
	return h;
}

bool peek_counters(const struct view *v, char *why, size_t size) { return view_check(v, why, size); }
