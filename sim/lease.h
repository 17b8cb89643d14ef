/* Ephemeral members. */
#ifndef TROTH_SIM_LEASE_H
#define TROTH_SIM_LEASE_H

#include "sim.h"

void lease_new(struct sim *s);   /* one comes */
void lease_sweep(struct sim *s); /* those whose lease is over by the server's clock are gone, and say nothing */

#endif
