import MartletData

/// Answers to read, arm beneath arm: a part of the page. Every text is shown as text and never as markup.
struct TeachingExamples {
  let report: TeachingReport

  init(_ report: TeachingReport) { self.report = report }

  /// The most characters of a text that are shown.
  private static let mostShown = 1200

  private func shown(_ text: String) -> String {
    let start = text.prefix(Self.mostShown)
    return TeachingPage.escaped(start.endIndex < text.endIndex ? start + " …" : String(start))
  }

  var html: String {
    let blocks = report.examples.map { answers in
      let question = answers.first?.row
      let texts = answers.map { answer in
        let form = answer.followed.map { ", in the form of \($0)" } ?? ""
        return
          "<p><b>\(shown(answer.arm))</b> (\(answer.row.isCorrect == true ? "right" : "wrong")\(shown(form)))</p><pre>\(shown(answer.row.response ?? ""))</pre>"
      }
      return
        "<h3>\(shown(question?.task ?? "")), \(shown(question?.split ?? ""))</h3><p>\(shown(question?.questionWithChoices ?? ""))</p><p>Right: \(shown(question?.answer ?? ""))</p>\(texts.joined())"
    }
    return blocks.isEmpty ? "" : "<h2>Answers to read</h2>\(blocks.joined())"
  }
}
