#include "MartletPage.h"

#include <string.h>

#pragma clang diagnostic ignored "-Wc23-extensions"

static const unsigned char html[] = {
#embed "Data/index.html"
};
static const unsigned char style[] = {
#embed "Data/page.css"
};
static const unsigned char script[] = {
#embed "Data/page.js"
};

static const struct {
  const char *name;
  const unsigned char *bytes;
  size_t size;
} files[] = {
    {"index.html", html, sizeof html},
    {"page.css", style, sizeof style},
    {"page.js", script, sizeof script},
};

const unsigned char *martlet_page_file(const char *name, size_t *size) {
  for (size_t i = 0; i < sizeof files / sizeof *files; i++)
    if (strcmp(files[i].name, name) == 0) {
      *size = files[i].size;
      return files[i].bytes;
    }
  *size = 0;
  return NULL;
}
