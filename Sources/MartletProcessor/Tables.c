#include <string.h>

#include "MartletProcessor.h"

#pragma clang diagnostic ignored "-Wc23-extensions"
static const unsigned char reptar[] = {
#embed "Data/reptar.tsv"
};
static const unsigned char intel_list[] = {
#embed "Data/intel_list.tsv"
};
static const unsigned char cachewarp[] = {
#embed "Data/cachewarp.tsv"
};
static const unsigned char revisions[] = {
#embed "Data/revisions.tsv"
};
static const unsigned char amd_certificates[] = {
#embed "Data/amd_certificates.pem"
};

const unsigned char *martlet_host_table(const char *name, size_t *size) {
  static const struct {
    const char *name;
    const unsigned char *text;
    size_t size;
  } tables[] = {
      {"reptar", reptar, sizeof reptar},
      {"intel_list", intel_list, sizeof intel_list},
      {"cachewarp", cachewarp, sizeof cachewarp},
      {"revisions", revisions, sizeof revisions},
      {"amd_certificates", amd_certificates, sizeof amd_certificates},
  };
  for (size_t i = 0; i < sizeof tables / sizeof *tables; i++)
    if (strcmp(tables[i].name, name) == 0) {
      *size = tables[i].size;
      return tables[i].text;
    }
  return NULL;
}
