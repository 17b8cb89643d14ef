/* ustar: a block of 512 bytes says name, mode, size and a sum over itself, the contents follow in whole blocks. */
#include "app/tar.h"

#include <stdio.h>
#include <string.h>

/* POSIX.1-1988, "Extended tar Format": numbers are octal texts. */
struct header {
	char name[100], mode[8], uid[8], gid[8], size[12], mtime[12], chksum[8], typeflag[1], linkname[100], magic[6], version[2], uname[32],
		gname[32], devmajor[8], devminor[8], prefix[155], pad[12];
};
_Static_assert(sizeof(struct header) == TAR_BLOCK, "a tar header is one block");

static void put_octal(char *field, size_t size, uint64_t n) { snprintf(field, size, "%0*llo", (int)size - 1, (unsigned long long)n); }

/* The sum is over the header with blanks in the sum's own place. */
static void put_sum(struct header *h)
{
	unsigned sum = 0;
	memset(h->chksum, ' ', sizeof h->chksum);
	for (size_t i = 0; i < sizeof *h; i++)
		sum += ((const uint8_t *)h)[i];
	snprintf(h->chksum, 7, "%06o", sum);
}

static struct header make_header(const char *name, uint64_t size, msec_t when)
{
	struct header h = { .typeflag = "0", .magic = "ustar", .version = "00" };
	memcpy(h.name, name, strlen(name));
	put_octal(h.mode, sizeof h.mode, 0600);
	put_octal(h.uid, sizeof h.uid, 0);
	put_octal(h.gid, sizeof h.gid, 0);
	put_octal(h.size, sizeof h.size, size);
	put_octal(h.mtime, sizeof h.mtime, (uint64_t)(when / MSEC_S));
	put_sum(&h);
	return h;
}

static void pad(struct buf *out, size_t n)
{
	static const uint8_t nothing[TAR_BLOCK];
	for (; n; n -= n < TAR_BLOCK ? n : TAR_BLOCK)
		buf_add(out, nothing, n < TAR_BLOCK ? n : TAR_BLOCK);
}

troth_rc tar_add(const struct tar *t, const char *name, struct bytes contents, struct troth_err *e)
{
	ENSURE(name[0] && name[0] != '/' && strlen(name) <= TAR_NAME_BYTES, e, TROTH_INVALID, "\"%.120s\" cannot be a name in a tar archive", name);
	struct header h = make_header(name, contents.len, t->when);
	buf_add(t->out, &h, sizeof h);
	buf_add_bytes(t->out, contents);
	pad(t->out, (TAR_BLOCK - contents.len % TAR_BLOCK) % TAR_BLOCK);
	ENSURE(buf_ok(t->out), e, TROTH_TOO_LARGE, "the archive would be larger than %zu bytes", t->out->max);
	return RC_OK;
}

troth_rc tar_end(const struct tar *t, struct troth_err *e)
{
	pad(t->out, 2 * TAR_BLOCK);
	ENSURE(buf_ok(t->out), e, TROTH_TOO_LARGE, "the archive would be larger than %zu bytes", t->out->max);
	return RC_OK;
}
