/* The one binary: a table of commands. */
#include <stdio.h>

int main(void)
{
	printf("troth %s\n", TROTH_VERSION);
	return 0;
}
