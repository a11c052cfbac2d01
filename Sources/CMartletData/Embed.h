// Included in the body of a folder's function, once for each file: returns the file EMBEDDED (a path in this target's folder)
// if `index` is 0, and counts `index` down otherwise. This is the only place that embeds, and so the files are listed once.
if (index-- == 0) {
  static const unsigned char bytes[] = {
#embed EMBEDDED
  };
  return (martlet_file){strrchr(EMBEDDED, '/') + 1, bytes, sizeof bytes};
}
#undef EMBEDDED
