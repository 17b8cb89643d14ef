/* Permissions: TBD */
#include "room.h"
int main(void) { return 0; }
