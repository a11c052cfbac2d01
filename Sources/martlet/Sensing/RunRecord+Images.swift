import MartletSensing

extension RunRecord {
  /// What `run.json` says of a run that learns from images: beside the command, a fingerprint of these.
  /// - Throws: ``SensingError`` where the images are no longer those that the run was begun with.
  static func object<Command: RunCommand>(
    _ command: Command, after earlier: RunRecord?, images: ImageSet, path: String
  ) throws -> [String: Any] {
    let fingerprint = images.fingerprint
    if let earlier, let known = (earlier.object["fingerprints"] as? [String: String])?["data"], known != fingerprint {
      throw SensingError(
        "\(path): the images have changed since the run in \(earlier.folder) was started (\(known), now \(fingerprint)); restore them, or start a new run in another folder."
      )
    }
    return object(command, after: earlier).merging(["fingerprints": ["data": fingerprint]]) { $1 }
  }
}
