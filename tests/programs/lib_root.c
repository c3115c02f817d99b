/* A library with data of its own, for root_library.c. */
void *lib_data[4] = {(void *)1};
void *lib_bss[4];

void lib_keep(void *p, void *q)
{
	lib_data[0] = p;
	lib_bss[3] = q;
}
