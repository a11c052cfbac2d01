#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "CMartletSystem.h"

long martlet_read_file(const char *path, void *buffer, size_t size, int64_t offset) {
  int file = open(path, O_RDONLY | O_CLOEXEC);
  if (file < 0) return -errno;
  size_t done = 0;
  while (done < size) {
    // Pipes cannot be read at an offset; from 0 on they need none.
    ssize_t count = offset ? pread(file, (char *)buffer + done, size - done, offset + (int64_t)done)
                           : read(file, (char *)buffer + done, size - done);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) {
      long error = -errno;
      close(file);
      return error;
    }
    if (count == 0) break;
    done += (size_t)count;
  }
  close(file);
  return (long)done;
}
