/* Where CredHub's flag would stand.  See transitional.h. */
#include "model/transitional.h"

/* The one with the label; of an authority that signs nothing here, the newest that is wanted. */
static int signer_of(const struct ca_standing *versions, size_t count)
{
	int first = -1;
	for (size_t i = count; i-- > 0;) {
		if (versions[i].signing)
			return (int)i;
		if (versions[i].wanted && !versions[i].gone)
			first = (int)i;
	}
	return first;
}

int transitional_of(const struct ca_standing *versions, size_t count, bool withdrawn)
{
	int signer = signer_of(versions, count);
	bool waiting = signer >= 0 && !versions[signer].wanted; /* another one shall sign, and does not yet */
	for (size_t i = 0; signer >= 0 && i < count; i++)
		if ((int)i != signer && !versions[i].gone && (versions[i].wanted || !waiting))
			return waiting || versions[i].wanted || !withdrawn ? (int)i : -1;
	return -1;
}
