#include "Folder.h"

martlet_file martlet_vocabulary(size_t index) {
#define EMBEDDED "Vocabulary/rwkv_vocab_v20230424.txt"
#include "Embed.h"
  return (martlet_file){NULL, NULL, 0};
}
