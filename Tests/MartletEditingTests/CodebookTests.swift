import Foundation
import MartletTestSupport
import Testing

@testable import MartletEditing

struct CodebookTests {
  /// The twelve edits that the authors of the reference notes ran through the paper's algorithm and both codes.
  @Test(.enabled(if: TestData.shared != nil), arguments: CodebookRules.allCases.filter { $0 != .nearest })
  func rulesDoWhatPaperAndCodesDo(rules: CodebookRules) throws {
    let shared = try #require(TestData.shared)
    let file = try #require(try TestData.json(shared + "/editing/codebook_vectors.json") as? [String: Any])
    let name = [CodebookRules.paper: "paper_algorithm1", .reference: "ref", .easyEdit: "ee"][rules] ?? ""
    let steps = try #require(file["sequence"] as? [[String: Any]])
    let expected = try #require(file[name] as? [[String: Any]])
    #expect(steps.count == 12 && expected.count == 12)
    let radius = try #require(file["eps_init"] as? Double)
    var codebook = Codebook(rules: rules, initialRadius: Float(radius))
    for (number, (step, result)) in zip(steps, expected).enumerated() {
      let query = try #require(step["query"] as? [Double]).map { Float($0) }
      let label = try #require(step["label"] as? [Int])
      let change = codebook.insert(query, label: label, edit: number)
      #expect(change.action.rawValue == result["action"] as? String, "\(name), edit \(number + 1)")
      if let chosen = result["chosen"] as? Int { #expect(change.entry == chosen, "\(name), edit \(number + 1)") }
      #expect(codebook.entries.count == result["n"] as? Int)
      let radii = try #require(result["eps"] as? [Double]).map { Float($0) }
      #expect(TestData.largestDifference(codebook.entries.map(\.radius), radii) < 1e-5, "\(name), edit \(number + 1)")
    }
  }

  @Test func nearestKeyWithinItsRadiusAnswers() {
    var codebook = Codebook(rules: .paper, initialRadius: 1)
    #expect(codebook.lookup([0, 0]) == nil)
    codebook.insert([0, 0], label: [1], edit: 1)
    codebook.insert([10, 0], label: [2], edit: 2)
    #expect(codebook.lookup([0, 1])?.entry == 0)
    #expect(codebook.lookup([0, 1.01]) == nil)
    codebook.insert([0.5, 0], label: [1], edit: 3)  // expands to 2
    #expect(codebook.lookup([0, 1.9])?.entry == 0)
    // A farther key whose ball holds the query does not count once the nearest misses.
    var other = Codebook(rules: .paper, initialRadius: 2)
    other.insert([0, 0], label: [1], edit: 1)
    other.insert([8, 0], label: [2], edit: 2)
    for edit in 3...4 { other.insert([0, 0], label: [1], edit: edit) }  // expands to 6
    #expect(other.entries.map(\.radius) == [6, 2] && other.lookup([4.5, 0]) == nil)
  }
}
