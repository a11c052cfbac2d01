// The built-in model: a small RWKV-5.2 trained by Martlet itself (see MODEL_CARD.md).
#ifndef C_MARTLET_BOX_H
#define C_MARTLET_BOX_H
#include <stddef.h>

/// The bytes of box.gguf.
const unsigned char *martlet_box(size_t *size);
#endif
