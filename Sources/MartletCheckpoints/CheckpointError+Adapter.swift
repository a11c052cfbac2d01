import MartletData

extension CheckpointError {
  /// The error for an adapter that is given in place of a model.
  public static func adapter(_ path: String) -> CheckpointError {
    CheckpointError(
      file: path,
      "this is an adapter, which changes a model and is none; load its model and give it the adapter's folder with --adapter, or make one model of both with `martlet merge MODEL FOLDER OUT`"
    )
  }
}
