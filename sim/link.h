/* Who meets whom. */
#ifndef TROTH_SIM_LINK_H
#define TROTH_SIM_LINK_H

#include "sim.h"

bool link_is_there(const struct sim *s, const struct template *slot, const struct template *store);
void link_act(struct sim *s);      /* takes one away, or puts it back */
void link_restored(struct sim *s); /* the server was: nobody knows */
void link_look(struct sim *s);     /* now and then: what the rows say, if nobody knows */

#endif
