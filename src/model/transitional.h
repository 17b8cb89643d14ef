/* The words of CredHub's two slots, for the APIs and outputs that imitate it.
 *
 * CredHub keeps two flags in place of a goal: the newest version without `transitional` signs, and one version with it is
 * trusted beside that.  Here a version has a goal (wanted) and one of an authority's has the label (signing), so the flag
 * is computed: first it stands at the new CA, which is trusted and signs nothing yet; when the label has moved, at the
 * old one, until somebody has said that it may go. */
#ifndef TROTH_MODEL_TRANSITIONAL_H
#define TROTH_MODEL_TRANSITIONAL_H

#include <stdbool.h>
#include <stddef.h>

struct ca_standing {
	bool wanted;     /* the goal contains it */
	bool signing;    /* it has the label */
	bool gone;       /* put away, or distrusted: nobody is meant to trust it */
};

/* The index of the version that has CredHub's flag, or -1.  `versions` of one authority, newest first; `withdrawn`: no
 * rotation of it is open, or its last step (the old one leaves the stores) was approved. */
int transitional_of(const struct ca_standing *versions, size_t count, bool withdrawn);

#endif
