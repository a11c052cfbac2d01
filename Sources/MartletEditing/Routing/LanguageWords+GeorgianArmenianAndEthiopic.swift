extension LanguageWords {
  /// Words of languages that have a script to themselves: Georgian, Armenian, Amharic.
  static let georgianArmenianAndEthiopic = """
    ka who: ვინ, ვის, ვისი
    ka what: მითხარი, მითხარით, რა, რომელი, რას
    ka where: სად, საიდან
    ka when: როდის, რომელ წელს
    ka why: რატომ
    ka how: როგორ
    ka much: რამდენი
    ka not: არ, არა, არაა
    ka word: არის, იყო, და, ან, ეს, ის, გთხოვთ, მითხარი, მითხარით, გამარჯობა, მადლობა, მე, შენ, თქვენ, კითხვა, ჰქვია, სახელი, \
    შეგიძლია, იცი, იცით
    ka again: დარწმუნებული ხარ, დარწმუნებული ხართ, მართლა, მიპასუხე, გაიმეორე
    hy who: ով, ում, ովքեր
    hy what: ասա, ասեք, ինչ, որ, որն, ինչն
    hy where: որտեղ, ուր
    hy when: երբ, որ թվականին
    hy why: ինչու
    hy how: ինչպես
    hy much: քանի, որքան
    hy not: չի, չէ, ոչ
    hy word: է, են, էր, և, ու, կամ, այս, այդ, այն, խնդրում եմ, խնդրում, եմ, ասա, ասեք, ինձ, բարև, շնորհակալություն, հարց, \
    անունը, գիտես, գիտեք
    hy again: վստահ ես, վստահ եք, իսկապես, պատասխանիր, կրկնիր
    am who: ማን, ማነው, የማን, ማን ነው
    am what: ንገረኝ, ይንገሩኝ, ምን, ምንድን, ምንድነው, የትኛው
    am where: የት, ወዴት
    am when: መቼ
    am why: ለምን
    am how: እንዴት
    am much: ስንት
    am word: ነው, ናት, ነበር, እና, ወይም, ይህ, እባክዎ, እባክህ, ንገረኝ, ይንገሩኝ, ሰላም, አመሰግናለሁ, ስም
    """
}
