#include "MartletPrompts.h"

#include <string.h>

#pragma clang diagnostic ignored "-Wc23-extensions"

static const unsigned char open_models[] = {
#embed "Data/open.json"
};
static const unsigned char chatgpt[] = {
#embed "Data/chatgpt.json"
};
static const unsigned char claude[] = {
#embed "Data/claude.json"
};
static const unsigned char gpt4[] = {
#embed "Data/gpt4.json"
};
static const unsigned char small_models[] = {
#embed "Data/small.json"
};
static const unsigned char chinese[] = {
#embed "Data/chinese.json"
};
static const unsigned char router[] = {
#embed "Data/router.json"
};
static const unsigned char router_weights[] = {
#embed "Data/router.safetensors"
};
static const unsigned char judge_mtbench[] = {
#embed "Data/judge-mtbench.jsonl"
};

static const struct {
  const char *name;
  const unsigned char *bytes;
  size_t size;
} files[] = {
    {"open.json", open_models, sizeof open_models},
    {"chatgpt.json", chatgpt, sizeof chatgpt},
    {"claude.json", claude, sizeof claude},
    {"gpt4.json", gpt4, sizeof gpt4},
    {"small.json", small_models, sizeof small_models},
    {"chinese.json", chinese, sizeof chinese},
    {"router.json", router, sizeof router},
    {"router.safetensors", router_weights, sizeof router_weights},
    {"judge-mtbench.jsonl", judge_mtbench, sizeof judge_mtbench},
};

const unsigned char *martlet_prompts_file(const char *name, size_t *size) {
  for (size_t i = 0; i < sizeof files / sizeof *files; i++)
    if (strcmp(files[i].name, name) == 0) {
      *size = files[i].size;
      return files[i].bytes;
    }
  *size = 0;
  return NULL;
}
