/// What English questions commonly ask of a subject, and the words for it: words of one line can stand for each other,
/// words of different lines ask different things. A word may stand in several lines. Words of a line that begins with ~
/// are too vague to tell a question from another. What is in no line is left to the model.
enum RelationWords {
  /// The lines that a word stands in; nil for a word of none.
  static func lines(_ word: String) -> Set<UInt8>? { table[word] }

  /// The lines that a word stands in; nil for a word of none or of a vague one.
  static func distinctLines(_ word: String) -> Set<UInt8>? {
    table[word].flatMap { $0.isDisjoint(with: vague) ? $0 : nil }
  }

  private static let vague = Set(
    lists.split(separator: "\n").enumerated().filter { $0.element.hasPrefix("~") }.map { UInt8($0.offset) })

  private static let table: [String: Set<UInt8>] = {
    var table: [String: Set<UInt8>] = [:]
    for (number, line) in lists.split(separator: "\n").enumerated() {
      for word in line.split(separator: " ") { table[String(word), default: []].insert(UInt8(number)) }
    }
    return table
  }()

  private static let lists = """
    father dad fathered begot sired paternal
    mother mom mum lady woman born
    parent parents
    spouse wife husband married marry partner wed spouses marriage
    wife
    husband
    child children kid kids offspring
    son sons
    daughter daughters
    sibling siblings
    brother brothers
    sister sisters
    uncle
    aunt
    grandfather
    grandmother
    born birth birthday birthplace birthdate
    died death die dead dies killed passed deathplace
    buried burial grave tomb
    age old
    founded founder founders found founding establish established establishment start started starts begin began begun \
    form formed formation create created creator creation inception set originated originate institute instituted
    closed close closing shut closure dissolved dissolution ended end ends abolished defunct discontinued ceased final
    open opened opening opens inaugurated unveiled
    make made maker makes manufacture manufactured manufacturer manufacturers produce produced producer producers \
    production build built builder develop developed developer development create created creator design designed designer
    produce produced producer producers
    sell sold sells seller
    buy bought buyer acquired
    built build builder construct constructed construction erected
    architect design designed designer architects
    destroyed demolished destroy
    invent invented inventor invention discover discovered discoverer discovery finder
    own owned owns owner owners proprietor
    run runs manages manage managed manager operate operated operator
    head heads chief lead leads leader led boss chair chairs chairman chairwoman chairperson chaired president director directs
    ceo
    mayor
    president
    king
    queen
    prime minister
    write wrote written writer author authored writes penned novelist
    compose composed composer
    sing sang sung singer sings performed performer artist perform vocalist
    direct directed director directs filmmaker
    edit edited editor
    illustrate illustrated illustrator
    paint painted painter
    translate translated translator
    publish published publisher publication release released
    star starred stars actor actress cast
    air aired airs broadcast broadcasts premiere premiered premieres debut debuted debuts network channel shown release \
    released
    sponsor sponsored sponsors
    phone telephone tel mobile
    fax
    email mail e
    website web url site homepage
    address
    postcode zip postal
    population populated inhabitants people populace residents
    capital
    currency money
    language languages tongue speak speaks spoken
    religion faith religious denomination
    flag
    anthem
    motto slogan
    area size
    height tall high elevation
    depth deep
    length long
    width wide
    weight weigh weighs heavy mass
    speed fast
    price cost costs priced
    salary pay wage earns
    revenue turnover sales
    profit
    budget
    rating rated score
    rank ranked
    colour color colours colors
    shape
    temperature
    genre genres
    title
    subtitle
    gender sex
    nationality citizenship citizen
    occupation profession job career vocation trade work works worked working
    employer employed employs employee employees staff employment work works worked working
    ~ work works worked working
    educated education university college alma studied study attended attend graduated school
    degree major
    position title post office role rank
    team club teams
    sport sports
    league leagues
    award awards prize prizes won medal honor honour
    lost lose
    win won wins winner
    instrument instruments
    voice voices tone vocal
    label labels
    album
    song
    family lineage
    genus
    species organism organisms beings creature creatures living
    taxon
    constellation
    habitat
    diet
    continent
    country nation land
    state province
    county
    ~ city town place
    village
    river
    lake
    ocean sea
    headquarters headquartered hq based seat
    ~ located location situated lies found based
    live lives lived reside resided residence resides inhabits
    ~ date day year time month
    first
    last final latest
    next following successor follows followed succeeded
    previous predecessor preceding preceded
    north northern
    south southern
    east eastern
    west western
    largest biggest
    smallest
    highest tallest
    lowest
    longest
    shortest
    oldest
    youngest newest
    best
    worst
    most
    least fewest
    minimum
    maximum
    import imports
    export exports
    cause caused causes
    cure treatment treat treated
    symptom symptoms
    disease illness sickness cause caused
    side effects
    arrive arrival arrived arrives
    depart departure departed departs leave left leaves
    enter entrance entry
    exit
    seats capacity seat
    rooms room
    floors floor storeys stories
    password
    username login
    before
    after
    above over
    below under
    inside
    outside
    left
    right
    enemy rival opponent
    friend ally
    teacher taught teaches
    student pupil students pupils
    dog
    cat
    hobby hobbies
    breakfast
    lunch
    dinner supper
    doctor
    nurse
    ~ part piece portion
    ~ status condition
    ~ range bandwidth area
    ~ endangered conservation
    ~ company business corporation firm enterprise
    ~ associated connected related linked affiliated
    ~ occurred occured happened took
    ~ named name title
    """
}
