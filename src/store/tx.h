/* Inside the store only: how a transaction starts and ends on a connection. */
#ifndef TROTH_STORE_TX_H
#define TROTH_STORE_TX_H

#include "store/stmt.h"

troth_rc tx_begin(struct conn *c, bool writable, struct tx **ret_tx, struct troth_err *e);
/* Rolls back whatever is left.  Ends tx. */
void tx_abandon(struct tx *tx);

/* A reader of a file that this process has not opened as a store (look.c); nothing is checked yet. */
troth_rc store_reader_of_path(const char *path, int busy_timeout_ms, struct store_reader **ret, struct troth_err *e);
struct conn *store_reader_conn(struct store_reader *r);

#endif
