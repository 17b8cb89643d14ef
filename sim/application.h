/* Applications outside the fleet that were handed a bundle (bindings): verifiers that nobody looks into. */
#ifndef TROTH_SIM_APPLICATION_H
#define TROTH_SIM_APPLICATION_H

#include "sim.h"

void application_act(struct sim *s);                    /* one comes, goes, or comes back from an old backup */
void application_finish(struct sim *s, struct node *n); /* a binding whose answer was lost: nobody is behind it */
void application_restored(struct node *n);              /* the server was */

#endif
