/* The one binary.  Everything a person types is the CLI's (cli.h). */
#include "app/cli.h"

int main(int argc, char **argv)
{
	return cli_main(argc, argv, NULL, 0);
}
