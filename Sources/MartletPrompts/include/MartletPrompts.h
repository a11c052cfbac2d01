#ifndef MARTLET_PROMPTS_H
#define MARTLET_PROMPTS_H

#include <stddef.h>

/// The bytes of a data file of this target, by its name without the folder; NULL where there is none such.
const unsigned char *_Nullable martlet_prompts_file(const char *_Nonnull name, size_t *_Nonnull size);

#endif
