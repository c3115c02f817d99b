/* A program that never allocates. */
#include "oracle.h"

static void situation(int argc, char **argv)
{
	(void)argc, (void)argv;
}
