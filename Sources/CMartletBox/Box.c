#include "CMartletBox.h"

#pragma clang diagnostic ignored "-Wc23-extensions"
static const unsigned char model[] = {
#embed "box.gguf"
};

const unsigned char *martlet_box(size_t *size) {
  *size = sizeof model;
  return model;
}
