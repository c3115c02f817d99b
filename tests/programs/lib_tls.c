/* Thread-local storage that is allocated at first use, for root_tls_dynamic.c. */
__thread void *lib_tls[40] = {(void *)1};

void lib_tls_keep(void *p)
{
	lib_tls[33] = p;
}
