import MartletEngine
import MartletModels

/// An explanation of which edit a question would fire.
public struct EditExplanation: Sendable {
  /// A stored question that is near the given one.
  public struct Match: Sendable {
    /// The number of the edit in the store.
    public var edit: Int
    /// The distance between the two keys.
    public var distance: Float
    /// The largest distance at which the edit fires.
    public var radius: Float
    /// The stored question.
    public var question: String
    /// The answer of the edit.
    public var answer: String
  }
  /// The number of the edit that would answer; nil if none would.
  public var fired: Int?
  /// One sentence that says why.
  public var reason: String
  /// The matches, nearest first.
  public var matches: [Match]
}

extension Editor {
  /// Determines which edit would fire for a question and which are nearest, without generating an answer.
  public nonisolated func explain(_ question: String) async throws -> EditExplanation {
    let snapshot = book.snapshot
    if let codebook = snapshot.codebook {
      let key = try book.model.key(book.site.format.encode(question, for: book.loaded), layer: book.site.layer)
      let order = codebook.entries.indices.map { ($0, codebook.entries[$0].key.distance(to: key)) }.sorted {
        $0.1 < $1.1
      }
      let hit = codebook.lookup(key)
      return EditExplanation(
        fired: hit.map { codebook.entries[$0.entry].edit },
        reason: hit == nil
          ? "the prompt is outside the radius of the nearest key"
          : "the prompt is within the radius of the nearest key",
        matches: try order.prefix(5).map { entry, distance in
          try match(codebook.entries[entry].edit, distance, codebook.entries[entry].radius)
        })
    }
    let decision = book.decide(question, in: snapshot)
    return EditExplanation(
      fired: decision.fired?.edit, reason: decision.reason,
      matches: try decision.matches.prefix(5).map { try match($0.edit, $0.distance, $0.radius) })
  }

  private nonisolated func match(_ edit: Int, _ distance: Float, _ radius: Float) throws -> EditExplanation.Match {
    let record = try store.record(edit)
    return EditExplanation.Match(
      edit: edit, distance: distance, radius: radius, question: record?.prompt ?? "", answer: record?.answer ?? "")
  }

  /// The model's answers to a question, with and without the edits.
  public nonisolated func answers(_ question: String, limit: Int = 128) async throws -> (with: String, without: String)
  {
    let tokens = try book.site.format.encode(question, for: book.loaded)
    func request(_ question: Question?) -> Request {
      var request = EditAnswers.request(
        tokens, question: question, edit: nil, limit: limit, site: book.site, loaded: book.loaded)
      // As every other way of answering does: a value that begins an answer is followed by the words of the edit.
      request.actsInPassesOnly = false
      return request
    }
    let answers = try await EditAnswers.read(
      [request(Question(question, format: book.site.format)), request(nil)], engine: engine)
    return (answers[0].text, answers[1].text)
  }
}
