/* Name constraints, asked of OpenSSL.  See constraints.h. */
#include "pki/constraints.h"

#include <openssl/err.h>
#include <stdlib.h>

#include "pki/cert_internal.h"

struct name_constraints { NAME_CONSTRAINTS *parsed; };

troth_rc name_constraints_read(struct bytes ca_der, struct name_constraints **ret, struct troth_err *e)
{
	CLEANUP(x509_freep) X509 *x = NULL;
	int critical = 0;
	*ret = NULL;
	TRY(x509_load(ca_der, &x, e));
	NAME_CONSTRAINTS *parsed = X509_get_ext_d2i(x, NID_name_constraints, &critical, NULL);
	ERR_clear_error();
	if (!parsed && critical == -1) /* OpenSSL's word for: there is none */
		return RC_OK;
	ENSURE(parsed, e, TROTH_INVALID, "its name constraints cannot be read");
	*ret = calloc(1, sizeof **ret);
	CHECK(*ret);
	(*ret)->parsed = parsed;
	return RC_OK;
}

void name_constraints_free(struct name_constraints *c)
{
	if (!c)
		return;
	NAME_CONSTRAINTS_free(c->parsed);
	free(c);
}

void name_constraints_freep(struct name_constraints **c) { name_constraints_free(*c); }

static bool has_dns_name(X509 *x)
{
	GENERAL_NAMES *names = X509_get_ext_d2i(x, NID_subject_alt_name, NULL, NULL);
	bool found = false;
	for (int i = 0; i < sk_GENERAL_NAME_num(names); i++)
		found = found || sk_GENERAL_NAME_value(names, i)->type == GEN_DNS;
	GENERAL_NAMES_free(names);
	return found;
}

/* Where no name says DNS, a common name that looks like one is held against the constraints too, as by OpenSSL's own check of a chain. */
static int check(X509 *x, NAME_CONSTRAINTS *parsed)
{
	int verdict = X509_check_purpose(x, -1, 0) == 1 ? NAME_CONSTRAINTS_check(x, parsed) : X509_V_ERR_UNSPECIFIED;
	if (verdict != X509_V_OK || X509_check_ca(x) || has_dns_name(x))
		return verdict;
	return NAME_CONSTRAINTS_check_CN(x, parsed);
}

enum names_verdict name_constraints_judge(const struct name_constraints *c, struct bytes cert_der)
{
	CLEANUP(x509_freep) X509 *x = NULL;
	if (rc_failed(x509_load(cert_der, &x, NULL)))
		return NAMES_UNKNOWN;
	int verdict = check(x, c->parsed);
	ERR_clear_error();
	if (verdict == X509_V_OK)
		return NAMES_PERMITTED;
	return verdict == X509_V_ERR_PERMITTED_VIOLATION || verdict == X509_V_ERR_EXCLUDED_VIOLATION ? NAMES_REFUSED : NAMES_UNKNOWN;
}
