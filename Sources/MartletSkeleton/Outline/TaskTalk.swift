/// Tells what a point says from talk about the task ("Here is the skeleton:") and from no words at all.
enum TaskTalk {
  // MARK: words

  /// Whether there is a word in the text: a letter, in any script. Digits, signs and emoji are none.
  static func hasWord(_ text: some StringProtocol) -> Bool { text.unicodeScalars.contains(where: isLetter) }

  /// Whether a point's text says something: two different words, one of them of two letters or more, or two letters of a
  /// script whose words are not parted by spaces. Names of control tokens (`<|im_end|>`) are no words.
  static func saysSomething(_ text: some StringProtocol) -> Bool {
    var words: Set<String> = []
    var word = "", count = 0, unspaced = 0
    func end() {
      if word.contains(where: { $0.isLetter || $0.isNumber }) {
        words.insert(word.lowercased())
        count += 1
      }
      word = ""
    }
    for scalar in String(text).replacing(#/<\|[^<>]{1,40}\|>/#, with: " ").unicodeScalars {
      let category = scalar.properties.generalCategory
      if isLetter(scalar) || category == .decimalNumber || scalar == "'" || scalar == "’"
        || category == .nonspacingMark || category == .spacingMark
      {
        word.unicodeScalars.append(scalar)
      } else {
        end()
      }
      if isUnspaced(scalar) { unspaced += 1 }
      if words.count > 8 { break }
    }
    end()
    if unspaced >= 2 { return true }
    // "the the the", "N/A"
    return words.count >= 2 && words.count * 4 > count
      && words.contains { $0.unicodeScalars.count(where: isLetter) >= 2 }
  }

  /// Whether a point says nothing but its head once more.
  static func repeats(_ head: String, _ text: some StringProtocol) -> Bool {
    func words(_ text: some StringProtocol) -> [String] {
      normalized(text).split { !($0.isLetter || $0.isNumber) }.map(String.init)
    }
    return words(head) == words(text)
  }

  private static func isLetter(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.properties.generalCategory {
    case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .otherLetter: true
    default: false
    }
  }

  /// Chinese, Japanese, Korean, Thai, Lao, Burmese, Khmer.
  private static func isUnspaced(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.value {
    case 0x0e00...0x0eff, 0x1000...0x109f, 0x1780...0x17ff, 0x3040...0x30ff, 0xac00...0xd7a3: true
    default: scalar.properties.isIdeographic
    }
  }

  // MARK: the task

  /// Whether a sentence or a head speaks about the task instead of the question.
  static func isAboutTask(_ text: some StringProtocol) -> Bool {
    let text = normalized(text)
    let words = text.split { !($0.isLetter || $0.isNumber || $0 == "'") }.map(String.init)
    guard !words.isEmpty, words.count <= 24 else { return false }
    if words.allSatisfy(fillers.contains),
      words.contains(where: bareNouns.contains) || words.suffix(2) == ["answer", "is"]
    {
      return true
    }
    if pure.contains(words.joined(separator: " ")) || pure.contains(text) { return true }
    if refusals.contains(where: { text.hasPrefix($0) }) { return true }
    guard let opener = opener(of: text) else { return false }
    let rest = text.dropFirst(opener.count)
    return words.dropFirst().contains(where: nouns.contains) || unspacedNouns.contains { rest.contains($0) }
  }

  /// Whether the text may still turn out to be such a sentence.
  static func mayBeAboutTask(_ text: some StringProtocol) -> Bool {
    let text = normalized(text)
    return opener(of: text) != nil || openers.contains { $0.hasPrefix(text) } || pure.contains { text.hasPrefix($0) }
      || refusals.contains { $0.hasPrefix(text) || text.hasPrefix($0) }
      || text.split(separator: " ").allSatisfy { fillers.contains($0.trimmingSuffix(while: \.isPunctuation)) }
  }

  private static func normalized(_ text: some StringProtocol) -> String {
    var text = text.lowercased().replacing("’", with: "'")
    text.removeAll { $0 == "*" || $0 == "#" || $0 == "_" }
    return String(text.drop { $0.isWhitespace })
  }

  private static func opener(of text: String) -> String? {
    openers.first {
      guard text.hasPrefix($0) else { return false }
      // A whole word, where words are parted.
      guard let next = text.dropFirst($0.count).first, next.isLetter, let last = $0.unicodeScalars.last else {
        return true
      }
      return isUnspaced(last)
    }
  }

  private static let openers = [
    "here is", "here are", "here's", "here you", "below is", "below are", "the following", "sure", "certainly",
    "of course", "okay", "ok", "absolutely", "let me", "let's", "i will", "i'll", "i would", "i can", "this is the",
    "now", "to answer", "in response", "write only", "write 1", "write one", "continue point", "continue the point",
    "continue with point", "continuing point", "expand point", "expand on point", "expanding on point",
    "hier ist", "hier sind", "natürlich", "gerne", "klar", "sicher", "im folgenden", "das folgende", "die folgende",
    "voici", "voilà", "bien sûr", "certainement", "d'accord",
    "aquí está", "aquí están", "aquí tienes", "aquí te", "claro", "por supuesto", "a continuación",
    "ecco", "certo", "certamente", "di seguito", "aqui está", "aqui estão", "com certeza", "segue", "a seguir",
    "вот", "конечно", "разумеется", "ниже", "natuurlijk", "hier volgt", "oto", "oczywiście", "elbette", "işte",
    "以下", "下面", "这是", "這是", "好的", "当然", "當然", "はい", "もちろん", "こちら", "다음은", "물론", "네",
    "هذا", "هذه", "إليك", "فيما يلي", "بالتأكيد", "بالطبع", "यहाँ", "यहां", "ज़रूर", "बिल्कुल", "निम्नलिखित",
  ]
  private static let nouns: Set<String> = [
    "skeleton", "outline", "answer", "response", "question", "point", "points", "list", "request", "task", "expansion",
    "continuation", "gliederung", "skelett", "gerüst", "antwort", "frage", "punkt", "punkte", "liste", "plan",
    "squelette", "réponse", "esqueleto", "esquema", "respuesta", "pregunta", "puntos", "lista", "schema", "scheletro",
    "risposta", "domanda", "punti", "elenco", "esboço", "resposta", "pergunta", "pontos", "план", "скелет", "структура",
    "ответ", "ответа", "вопрос", "пункты", "список", "antwoord", "overzicht", "odpowiedź", "szkielet", "yanıt",
    "taslak",
    "الهيكل", "هيكل", "المخطط", "مخطط", "الإجابة", "إجابة", "النقاط", "قائمة", "रूपरेखा", "ढांचा", "ढाँचा", "उत्तर",
    "बिंदु", "सूची",
  ]
  private static let unspacedNouns = [
    "骨架", "大纲", "大綱", "提纲", "提綱", "回答", "答案", "要点", "要點", "列表", "骨子", "スケルトン", "アウトライン", "概要", "答え", "ポイント",
    "개요", "골격", "뼈대", "답변", "요점", "목록",
  ]
  /// Words of heads such as "Skeleton of the answer" and "Point 2".
  private static let fillers: Set<String> = [
    "the", "a", "an", "of", "my", "your", "for", "to", "this", "is", "skeleton", "outline", "answer", "question",
    "point",
    "points", "list",
  ]
  private static let bareNouns: Set<String> = ["skeleton", "outline"]
  /// Sentences that say nothing by themselves.
  private static let pure: Set<String> = [
    "sure", "certainly", "of course", "okay", "ok", "absolutely", "sure thing", "no problem", "骨架", "大纲", "提纲", "スケルトン",
    "骨子", "개요", "好的", "当然", "はい", "もちろん", "물론입니다", "gliederung", "voici", "claro", "certo", "конечно",
  ]
  private static let refusals = [
    "as an ai", "i'm sorry, but", "i am sorry, but", "i apologize", "i'm unable to", "i am unable to",
    "i'm not able to", "i am not able to", "i cannot answer", "i can't answer", "i cannot write", "i can't write",
    "i cannot continue", "i can't continue", "i cannot provide", "i can't provide", "i cannot help", "i can't help",
    "i cannot fulfill", "i can't fulfill", "i cannot generate", "i can't generate", "not applicable",
  ]
}

extension Substring {
  fileprivate func trimmingSuffix(while isDropped: (Character) -> Bool) -> String {
    var text = self
    while let last = text.last, isDropped(last) { text.removeLast() }
    return String(text)
  }
}
