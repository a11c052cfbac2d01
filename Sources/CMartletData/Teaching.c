#include "Folder.h"

martlet_file martlet_teaching(size_t index) {
#define EMBEDDED "Teaching/strategies.json"
#include "Embed.h"
#define EMBEDDED "Teaching/instructions.json"
#include "Embed.h"
  return (martlet_file){NULL, NULL, 0};
}
