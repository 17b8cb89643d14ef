/* Inside the store only: how a transaction starts and ends on a connection. */
#ifndef TROTH_STORE_TX_H
#define TROTH_STORE_TX_H

#include "store/stmt.h"

troth_rc tx_begin(struct conn *c, bool writable, struct tx **ret_tx, struct troth_err *e);
/* Rolls back whatever is left.  Ends tx. */
void tx_abandon(struct tx *tx);

#endif
