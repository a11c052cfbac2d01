import MartletData

extension FileError {
  /// The error for an adapter that is given in place of a model.
  public static func adapter(_ path: String) -> FileError {
    FileError(
      file: path,
      "this is an adapter, not a model; load its model and give the folder of the adapter with --adapter, or merge both with `martlet merge MODEL FOLDER OUT`"
    )
  }
}
