import Foundation
import MartletEditing
import MartletEngine
import MartletEvaluation
import MartletModels
import MartletTensor
import MartletTokenizers

/// The paper's third kind of edit: a passage about someone is put right sentence by sentence; scored by perplexity.
public struct HallucinationCorrection: Sendable {
  public struct Report: Sendable, Codable {
    public var edits, refused: Int
    /// Perplexity of the true sentences (ERR), before any edit and with all in place.
    public var editsBefore, editsAfter: Double
    /// Of prompts that were not edited (ARR), and of other text (TRR): both must not move.
    public var accurateBefore, accurateAfter: Double
    public var textBefore, textAfter: Double
    public var medianSeconds: Double
  }

  public var rows: [EditRow]
  /// Prompts of rows that are not edited.
  public var accurate: [String]
  public var texts: [String]

  public init(rows: [EditRow], accurate: [String], texts: [String]) {
    self.rows = rows
    self.accurate = accurate
    self.texts = texts
  }

  /// - Parameters:
  ///   - loaded: the model that is corrected.
  ///   - path: of a new store.
  ///   - progress: called with the number of passages done, and how many there are.
  public func run(
    _ loaded: LoadedModel, store path: String, progress: @escaping @Sendable (Int, Int) -> Void = { _, _ in }
  ) async throws -> Report {
    let model = try loaded.editable
    let setting = MethodSetting(loaded, site: EditSite(model, format: .raw))
    let plain = setting.engine()
    let method = try MartletMethod(setting, store: path)
    // A sentence is long: a row of value for two tokens from the start, and what counts is its likelihood.
    await method.editor.tolerate(
      ValueAttempt(
        training: ValueTraining(start: .warm, learningRate: 0.5, iterations: 120, stopLoss: 0.05), tokensPerRow: 2,
        leastRows: 4))
    let editsBefore = try await perplexity(rows, plain, setting)
    let accurateBefore = try await perplexity(accurate, plain, loaded)
    let textBefore = try await perplexity(texts, plain, loaded)
    var made = 0, refused = 0
    var seconds: [Double] = []
    for row in rows {
      if let cost = try await method.edit(row, label: []) {
        made += 1
        seconds.append(cost.seconds)
      } else {
        refused += 1
      }
      progress(made + refused, rows.count)
    }
    return Report(
      edits: made, refused: refused, editsBefore: editsBefore,
      editsAfter: try await perplexity(rows, method.engine, setting), accurateBefore: accurateBefore,
      accurateAfter: try await perplexity(accurate, method.engine, loaded, setting: setting), textBefore: textBefore,
      textAfter: try await perplexity(texts, method.engine, loaded, setting: setting), medianSeconds: seconds.median)
  }

  /// -ln p of tokens that are fed back behind a prompt.
  private func surprise(of tokens: [Int], behind prompt: Request, _ engine: Engine) async throws -> Double {
    var request = prompt
    request.script = tokens
    request.maxTokens = tokens.count
    request.endTokens = []
    request.stops = []
    request.logProbabilities = 1
    var sum = 0.0
    for try await event in try engine.generate(request) {
      if case .token(let token) = event { sum -= Double(token.chosen.logProbability) }
    }
    return sum
  }

  /// Of the rows' answers behind their prompts.
  private func perplexity(_ rows: [EditRow], _ engine: Engine, _ setting: MethodSetting) async throws -> Double {
    var sum = 0.0, count = 0
    for row in rows {
      let label = Array(try setting.label(row.answer).dropLast())
      let request = try setting.request(row.prompt, limit: label.count)
      sum += try await surprise(of: label, behind: request, engine)
      count += label.count
    }
    return exp(sum / Double(max(1, count)))
  }

  /// Of texts by themselves. With `setting` they go past the edits as prompts do, at their middle.
  private func perplexity(
    _ texts: [String], _ engine: Engine, _ loaded: LoadedModel, setting: MethodSetting? = nil
  ) async throws -> Double {
    var sum = 0.0, count = 0
    for text in texts {
      let tokens = Array(PromptFormat.raw(text, for: loaded).prefix(256))
      guard tokens.count > 8 else { continue }
      let middle = tokens.count / 2
      var request = Request(tokens: Array(tokens[..<middle]))
      if setting != nil {
        request.question = Question(
          String(decoding: loaded.tokenizer.decode(Array(tokens[..<middle])), as: UTF8.self), format: .raw)
        request.actsInPassesOnly = true
      }
      sum += try await surprise(of: Array(tokens[middle...]), behind: request, engine)
      count += tokens.count - middle
    }
    return exp(sum / Double(max(1, count)))
  }
}
