/// Words that say nothing about what a question is about, in many languages: those that ask, those that hold a sentence
/// together, those of courtesy, and those that ask for an answer `again`.
///
/// A language that is not listed costs rewordings, not precision: its words all count as words of weight. Lists hold
/// what is common in questions; they need not be complete. Commas part entries, an entry may have several words.
///
/// A line of a list is a language, what its words do (ask for something, deny, hold a sentence together, ask `again`) and
/// the words. Where two languages fit a sentence equally well the one that stands first counts.
enum LanguageWords {
  /// The lists of all scripts.
  static let lists = [
    latin, cyrillic, greek, arabicAndHebrew, indic, georgianArmenianAndEthiopic, eastAsian, southeastAsian,
  ].joined(separator: "\n")
}
