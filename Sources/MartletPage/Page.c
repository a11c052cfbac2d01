#include "MartletPage.h"

#include <string.h>

#pragma clang diagnostic ignored "-Wc23-extensions"

static const unsigned char html[] = {
#embed "Data/index.html"
};
static const unsigned char style[] = {
#embed "Data/page.css"
};
static const unsigned char page[] = {
#embed "Data/page.js"
};
static const unsigned char dom[] = {
#embed "Data/dom.js"
};
static const unsigned char markdown[] = {
#embed "Data/markdown.js"
};
static const unsigned char conversations[] = {
#embed "Data/conversations.js"
};
static const unsigned char corrections[] = {
#embed "Data/corrections.js"
};
static const unsigned char skeleton[] = {
#embed "Data/skeleton-view.js"
};
static const unsigned char server[] = {
#embed "Data/server.js"
};

static const struct {
  const char *name;
  const unsigned char *bytes;
  size_t size;
} files[] = {
    {"index.html", html, sizeof html},
    {"page.css", style, sizeof style},
    {"page.js", page, sizeof page},
    {"dom.js", dom, sizeof dom},
    {"markdown.js", markdown, sizeof markdown},
    {"conversations.js", conversations, sizeof conversations},
    {"corrections.js", corrections, sizeof corrections},
    {"skeleton-view.js", skeleton, sizeof skeleton},
    {"server.js", server, sizeof server},
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

const char *martlet_page_name(size_t index) {
  return index < sizeof files / sizeof *files ? files[index].name : NULL;
}
