import Foundation
import MartletEngine
import MartletModels
import Synchronization

/// The edits of a running model, kept up to date with the file of edits: edits that other processes make or undo take
/// effect within half a second.
///
/// The file does not have to exist yet. It is opened when it appears, and created with the first edit of this process.
public final class LiveEdits: PromptEditor {
  /// A change of the edits that was not made by this process.
  public enum News: Sendable, Equatable {
    /// Another process made or withdrew edits; `inForce` is the number of edits in force now.
    case changed(EditChange, inForce: Int)
    /// The file was removed, and its edits are no longer in force.
    case removed
    /// The file cannot be used; the edits that were in force remain so.
    case unusable(String)
  }

  /// The file of edits.
  public let path: String
  private let loaded: LoadedModel
  private let site: EditSite?
  private let news: @Sendable (News) -> Void
  private let current = Mutex<EditBook?>(nil)
  private let opening: Opening

  /// - Parameters:
  ///   - path: the path of the store.
  ///   - loaded: the model that is edited.
  ///   - site: the site that the store must have; nil uses that of the store, or the default for a new store.
  ///   - news: a callback that is called when other processes change the edits.
  public init(
    path: String, loaded: LoadedModel, site: EditSite? = nil, news: @escaping @Sendable (News) -> Void = { _ in }
  ) {
    self.path = path
    self.loaded = loaded
    self.site = site
    self.news = news
    opening = Opening()
  }

  public var format: PromptFormat? { book?.site.format }

  public func edit(for question: Question, promptCount: Int) -> (any PromptEdit)? {
    book?.edit(for: question, promptCount: promptCount)
  }

  public func answer(to question: Question) -> FiredEdit? { book?.answer(to: question) }

  private var book: EditBook? { current.withLock { $0 } }

  /// Whether the file of edits exists.
  public var isPresent: Bool { FileManager.default.fileExists(atPath: path) }

  /// The number of edits in force; nil before the file is open.
  public var liveCount: Int? { book?.snapshot.liveCount }

  /// Opens the file, if it exists, and puts its edits in force.
  /// - Returns: the number of edits in force.
  /// - Throws: ``EditError`` if the edits belong to another model or the file is damaged.
  @discardableResult
  public func open() async throws -> Int {
    guard isPresent else { return 0 }
    return try await opening.open(self, .reading).book.snapshot.liveCount
  }

  /// The editor; an empty store is created if there is none.
  public func editor(_ engine: Engine) async throws -> Editor {
    let opened = try await opening.open(self, .making)
    guard !opened.store.isReadOnly else {
      throw EditError("\(path) cannot be written, so no edit can be made or undone; check its permissions")
    }
    return await opening.editor(engine, opened)
  }

  /// The store for reading; nil if there is none.
  public func store() async throws -> EditStore? {
    isPresent ? try await opening.open(self, .reading).store : nil
  }

  /// Checks the file for changes periodically until the task is cancelled.
  public func follow(every interval: Duration = .milliseconds(250)) async {
    while !Task.isCancelled {
      await look()
      try? await Task.sleep(for: interval)
    }
  }

  /// Applies the changes that other processes have made so far.
  public func look() async {
    if let item = await opening.look(self) { news(item) }
  }

  // MARK: the file

  struct Opened: Sendable {
    let store: EditStore
    let book: EditBook
  }

  /// Opens and follows, one step at a time.
  private actor Opening {
    private var opened: Opened?
    private var watch: EditStoreWatch?
    private var editor: Editor?
    /// What the last look found, so that it is said once.
    private var lastProblem: String?

    func open(_ edits: LiveEdits, _ access: EditStore.Access) throws -> Opened {
      if let opened, !(watch?.isReplaced ?? false) { return opened }
      let access = edits.isPresent ? EditStore.Access.reading : access
      let store = try EditStore(path: edits.path, access: access)
      // Looked at before the edits are read, so that no change falls in between.
      let watch = try EditStoreWatch(store)
      let book = try EditBook.open(edits.loaded, store: store, site: edits.site)
      let opened = Opened(store: store, book: book)
      self.opened = opened
      self.watch = watch
      editor = nil
      edits.current.withLock { $0 = book }
      return opened
    }

    func editor(_ engine: Engine, _ opened: Opened) -> Editor {
      if let editor { return editor }
      let made = Editor(engine: engine, book: opened.book, store: opened.store)
      editor = made
      return made
    }

    func look(_ edits: LiveEdits) -> News? {
      do {
        let news = try find(edits)
        lastProblem = nil
        return news
      } catch {
        let problem = "\(error)"
        defer { lastProblem = problem }
        return problem == lastProblem ? nil : .unusable(problem)
      }
    }

    private func find(_ edits: LiveEdits) throws -> News? {
      if let opened, let watch, !watch.isReplaced {
        // After a problem the whole is looked at again.
        guard try watch.hasChanged() || lastProblem != nil else { return nil }
        if opened.store.isReadOnly { return try reopen(edits) }
        let change: EditChange
        do { change = try opened.book.catchUp(with: opened.store, isThorough: true) } catch is EditError {
          // Bound to another layer by its first edit, say: what can be had is found by opening it anew.
          return try reopen(edits)
        }
        return change.isEmpty ? nil : .changed(change, inForce: opened.book.snapshot.liveCount)
      }
      guard edits.isPresent else {
        guard opened != nil else { return nil }
        let had = opened?.book.snapshot.liveCount ?? 0
        forget(edits)
        return had > 0 ? .removed : nil
      }
      return try reopen(edits)
    }

    /// Reads another file, or one that cannot be followed, from the beginning.
    private func reopen(_ edits: LiveEdits) throws -> News? {
      let before = opened?.book.snapshot
      let old = opened
      opened = nil
      let now: Opened
      do { now = try open(edits, .reading) } catch {
        opened = old
        throw error
      }
      let change = EditChange(from: before, to: now.book.snapshot)
      return change.isEmpty ? nil : .changed(change, inForce: now.book.snapshot.liveCount)
    }

    private func forget(_ edits: LiveEdits) {
      opened = nil
      watch = nil
      editor = nil
      edits.current.withLock { $0 = nil }
    }
  }
}
