#ifndef MARTLET_PAGE_H
#define MARTLET_PAGE_H

#include <stddef.h>

/// The bytes of a data file of this target, by its name without the folder; NULL where there is none such.
const unsigned char *_Nullable martlet_page_file(const char *_Nonnull name, size_t *_Nonnull size);

/// The name of a file by its place among all; NULL behind the last.
const char *_Nullable martlet_page_name(size_t index);

#endif
