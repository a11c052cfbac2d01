// The model in the box: a small RWKV-5.2 trained by Martlet itself (see MODEL_CARD.md).
#ifndef MARTLET_BOX_H
#define MARTLET_BOX_H
#include <stddef.h>

/// The bytes of box.gguf.
const unsigned char *martlet_box(size_t *size);
#endif
