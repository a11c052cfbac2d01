#include "MartletVocabulary.h"

#pragma clang diagnostic ignored "-Wc23-extensions"
static const unsigned char text[] = {
#embed "rwkv_vocab_v20230424.txt"
};

const unsigned char *martlet_world_vocabulary(size_t *size) {
  *size = sizeof text;
  return text;
}
