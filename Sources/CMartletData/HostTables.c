#include "Folder.h"

martlet_file martlet_host_tables(size_t index) {
#define EMBEDDED "HostTables/reptar.tsv"
#include "Embed.h"
#define EMBEDDED "HostTables/intel_list.tsv"
#include "Embed.h"
#define EMBEDDED "HostTables/cachewarp.tsv"
#include "Embed.h"
#define EMBEDDED "HostTables/revisions.tsv"
#include "Embed.h"
#define EMBEDDED "HostTables/amd_certificates.pem"
#include "Embed.h"
  return (martlet_file){NULL, NULL, 0};
}
