import ArgumentParser

/// What commands that write a file have in common.
enum OutputOptions {
  static let forceHelp: ArgumentHelp =
    "Overwrite an existing output: a file is replaced, a link is followed, a device or pipe is written to."
}
