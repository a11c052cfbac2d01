// Files that are part of the program: each stands in a folder of this target and is embedded by the compiler.
#ifndef C_MARTLET_DATA_H
#define C_MARTLET_DATA_H
#include <stddef.h>

/// An embedded file. A file that does not exist has no name, no bytes and the size 0.
typedef struct {
  /// The name without its folder.
  const char *_Nullable name;
  const unsigned char *_Nullable bytes;
  size_t size;
} martlet_file;

/// The RWKV World vocabulary, rwkv_vocab_v20230424.txt: one line a token, `ID LITERAL LENGTH` (Apache-2.0).
martlet_file martlet_vocabulary(size_t index);
/// Prompts of Skeleton-of-Thought, the router and the judge's prompt (see Skeletons/NOTICE.md).
martlet_file martlet_skeletons(size_t index);
/// The server's page.
martlet_file martlet_page(size_t index);
/// The host check's tables (tab-separated text with version, date and sources in the head) and AMD's upper certificates
/// (PEM); see HostTables/README.md.
martlet_file martlet_host_tables(size_t index);
/// The tasks of `martlet evaluate`, one JSON file each; their texts are the forms of lm-evaluation-harness, their data lie elsewhere.
martlet_file martlet_tasks(size_t index);

/// Strategies of teachers with the clusters of tasks that they suit (strategies.json), and instructions whose fulfilment is checked by rule
/// (instructions.json).
martlet_file martlet_teaching(size_t index);

/// The recipes of `martlet teach run`, one JSON file each.
martlet_file martlet_recipes(size_t index);

/// What `martlet sense bench --json` measured of methods that recover images (table.jsonl), for the advice of `martlet sense advise`.
martlet_file martlet_sensing(size_t index);

/// The file `name` of a folder, which is one of the functions above.
///
/// Each folder is a function in an object file of its own, so that the linker leaves out the folders that a program does not
/// name.
martlet_file martlet_find(martlet_file (*_Nonnull folder)(size_t index), const char *_Nonnull name);
#endif
