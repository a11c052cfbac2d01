import MartletEngine
import MartletModels

extension ConversationFile {
  /// Where the last conversation is kept.
  static var last: String { MartletHome.folder + "/chat/last.json" }
  /// Where lines that were entered are kept.
  static var history: String { MartletHome.folder + "/chat/history" }
}
