#include "Folder.h"

martlet_file martlet_sensing(size_t index) {
#define EMBEDDED "Sensing/table.jsonl"
#include "Embed.h"
  return (martlet_file){NULL, NULL, 0};
}
