/* Permissions: TBD */
#include "foreign.h"
int main(void) { return 0; }
