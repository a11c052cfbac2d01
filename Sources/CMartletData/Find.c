#include "Folder.h"

martlet_file martlet_find(martlet_file (*folder)(size_t index), const char *name) {
  martlet_file file;
  for (size_t index = 0; (file = folder(index)).name; index++)
    if (strcmp(file.name, name) == 0) break;
  return file;
}
