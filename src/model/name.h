/* Names, name patterns and subject alternative names as people write them.
 *
 * Three kinds of name exist.  A *path* names a credential, an authority or a bundle: "/prod/pg/server".
 * A *label* names an instance and the templates of a deployment: "pg-1".  A deployment is named by either.
 * A *pattern* is a path or a subject alternative name in which "{instance}" stands for the label of an
 * instance.  Every check returns NULL when the text is good and otherwise a sentence for a finding that
 * says what is wrong with it; the texts are constants.  Nothing here knows what exists: only how it is
 * written. */
#ifndef TROTH_MODEL_NAME_H
#define TROTH_MODEL_NAME_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/err.h"

enum {
	NAME_LABEL_BYTES = 63, /* an instance's label becomes a DNS label (RFC 1035 2.3.4) */
	NAME_DNS_BYTES = 253,  /* RFC 1035 2.3.4, as text without the last dot */
	NAME_URI_BYTES = 512,  /* longer ones break small TLS stacks */
};

/* What to write instead; for the hint of a finding about a path, a label, a pattern, a SAN. */
#define NAME_PATH_HINT "write it like /prod/pg/server: segments of letters, digits, '.', '_' and '-'"
#define NAME_LABEL_HINT "write it like pg-1: letters, digits, '.', '_' and '-', at most 63"
#define NAME_PATTERN_HINT "write it like /prod/pg/{instance}/server; {instance} is the only placeholder"
#define NAME_SAN_HINT "write dns:pg-1.example, ip:10.0.0.1 or uri:spiffe://example/pg"

/* "/a/b/c": 1..LIMIT_NAME_BYTES, no empty segment, no segment that starts with '.'. */
const char *name_path_fault(const char *name);
/* "pg-1": 1..63 characters, starts with a letter or digit. */
const char *name_label_fault(const char *name);
/* A deployment: a label, or a path. */
const char *name_deployment_fault(const char *name);
/* A principal's scope: a path or a label, where '*' stands for any run of characters. */
const char *name_scope_fault(const char *scope);
/* The common name of the CA of every server of troth, by which its certificate can be asked for. */
#define NAME_SERVER_CA "troth server CA"
/* Names under /troth/ belong to the program; only init makes them. */
bool name_is_reserved(const char *name);

/* A path with placeholders.  It is good if what comes out for a longest and a shortest label is good. */
const char *name_pattern_fault(const char *pattern);
/* Does "{instance}" occur?  A credential pattern without it is one credential for all instances. */
bool name_pattern_has_instance(const char *pattern);
/* The pattern with every "{instance}" replaced.  Lives in a.  Never fails; check what comes out. */
const char *name_pattern_expand(struct arena *a, const char *pattern, const char *instance);

enum name_san_kind { NAME_SAN_DNS, NAME_SAN_IP, NAME_SAN_URI };

/* "dns:", "ip:", "uri:" or bare: with "://" it is a URI, if it reads as an address an IP, else DNS.
 * Returns the text behind the prefix, inside `san`. */
const char *name_san_value(const char *san, enum name_san_kind *ret_kind);
/* DNS: RFC 1123 labels, "*" only as the whole first label and not before a last one (RFC 9525 6.3).
 * IP: what inet_pton reads.  URI: RFC 5280 4.2.1.6, a scheme, "://", a host. */
const char *name_san_fault(const char *san);
/* The same for a text with placeholders. */
const char *name_san_pattern_fault(const char *san);

#endif
