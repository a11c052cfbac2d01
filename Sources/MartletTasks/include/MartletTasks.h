#ifndef MARTLET_TASKS_H
#define MARTLET_TASKS_H

#include <stddef.h>

/// An embedded file. A file that does not exist has no name, no bytes and the size 0.
typedef struct {
  /// The name without its folder.
  const char *_Nullable name;
  const unsigned char *_Nullable bytes;
  size_t size;
} martlet_task_file;

/// The tasks of `martlet evaluate`, one JSON file each.
martlet_task_file martlet_tasks(size_t index);

#endif
