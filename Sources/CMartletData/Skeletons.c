#include "Folder.h"

martlet_file martlet_skeletons(size_t index) {
#define EMBEDDED "Skeletons/open.json"
#include "Embed.h"
#define EMBEDDED "Skeletons/chatgpt.json"
#include "Embed.h"
#define EMBEDDED "Skeletons/claude.json"
#include "Embed.h"
#define EMBEDDED "Skeletons/gpt4.json"
#include "Embed.h"
#define EMBEDDED "Skeletons/small.json"
#include "Embed.h"
#define EMBEDDED "Skeletons/chinese.json"
#include "Embed.h"
#define EMBEDDED "Skeletons/router.json"
#include "Embed.h"
#define EMBEDDED "Skeletons/router.safetensors"
#include "Embed.h"
#define EMBEDDED "Skeletons/judge-mtbench.jsonl"
#include "Embed.h"
  return (martlet_file){NULL, NULL, 0};
}
