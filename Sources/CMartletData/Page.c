#include "Folder.h"

martlet_file martlet_page(size_t index) {
#define EMBEDDED "Page/index.html"
#include "Embed.h"
#define EMBEDDED "Page/page.css"
#include "Embed.h"
#define EMBEDDED "Page/page.js"
#include "Embed.h"
#define EMBEDDED "Page/dom.js"
#include "Embed.h"
#define EMBEDDED "Page/markdown.js"
#include "Embed.h"
#define EMBEDDED "Page/conversations.js"
#include "Embed.h"
#define EMBEDDED "Page/corrections.js"
#include "Embed.h"
#define EMBEDDED "Page/skeleton-view.js"
#include "Embed.h"
#define EMBEDDED "Page/server.js"
#include "Embed.h"
  return (martlet_file){NULL, NULL, 0};
}
