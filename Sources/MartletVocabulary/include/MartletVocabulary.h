// The RWKV World vocabulary, carried inside the library (Apache-2.0, see LICENSE-vocabulary.txt).
#ifndef MARTLET_VOCABULARY_H
#define MARTLET_VOCABULARY_H
#include <stddef.h>

/// Text of rwkv_vocab_v20230424.txt: one line a token, `ID LITERAL LENGTH`.
const unsigned char *martlet_world_vocabulary(size_t *size);
#endif
