import ArgumentParser

/// What commands that write a file have in common.
enum OutputOptions {
  static let forceHelp: ArgumentHelp =
    "Write over what is there: a file is replaced, a link followed, a device or pipe written into."
}
