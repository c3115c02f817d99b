#include "store/table_impl.h"

#include <stddef.h>

const struct store_table *const store_tables[] = {
#define TABLE(name) &store_table_##name,
#include "store/tables/tables.def"
#undef TABLE
	NULL,
};
