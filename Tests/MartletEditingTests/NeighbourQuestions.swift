import Foundation
/// Pairs of questions about one subject that ask different things, written for these tests.
enum NeighbourQuestions {
  /// Stored question, question asked.
  static let pairs: [(String, String)] = text.split(separator: "\n").map { line in
    let halves = line.split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) }
    return (halves[0], halves[1])
  }

  private static let text = """
    What is the phone number of the Orrin theatre? | What is the fax number of the Orrin theatre?
    What is the phone number of the Orrin theatre? | What is the Orrin theatre's fax number?
    What is the phone number of the Orrin theatre? | Could you give me the fax number of the Orrin theatre?
    What is the phone number of the Orrin theatre? | What is the email address of the Orrin theatre?
    What is the phone number of the Orrin theatre? | What is the house number of the Orrin theatre?
    What is the email address of Tarn Books? | What is the postal address of Tarn Books?
    What is the email address of Tarn Books? | What is the web address of Tarn Books?
    Where was Mirna Vale born? | When was Mirna Vale born?
    When was Mirna Vale born? | Where was Mirna Vale born?
    Where did Mirna Vale die? | When did Mirna Vale die?
    Where was Mirna Vale born? | Where did Mirna Vale die?
    When was Mirna Vale born? | When did Mirna Vale die?
    When was Mirna Vale born? | When was Mirna Vale married?
    Where is the Dingle bakery? | When does the Dingle bakery open?
    Where is the Dingle bakery? | Who owns the Dingle bakery?
    Where is the Dingle bakery? | What is the Dingle bakery?
    Where is the Dingle bakery? | How is the Dingle bakery?
    Where is the Dingle bakery? | How old is the Dingle bakery?
    Who founded the Dingle bakery? | When was the Dingle bakery founded?
    Who founded the Dingle bakery? | Where was the Dingle bakery founded?
    Who founded the Dingle bakery? | Why was the Dingle bakery founded?
    Who founded the Dingle bakery? | Who bought the Dingle bakery?
    Who founded the Dingle bakery? | Who closed the Dingle bakery?
    Who founded the Dingle bakery? | Who owns the Dingle bakery?
    Who founded the Dingle bakery? | Who painted the Dingle bakery?
    Who founded the Dingle bakery? | Who manages the Dingle bakery?
    When did the Dingle bakery open? | When did the Dingle bakery close?
    When does the Dingle bakery open? | When does the Dingle bakery close?
    What is the capital of Norland? | What is the population of Norland?
    What is the capital of Norland? | What is the currency of Norland?
    What is the capital of Norland? | What is the language of Norland?
    What is the capital of Norland? | What is the largest city of Norland?
    What is the capital of Norland? | Who is the king of Norland?
    What is the capital of Norland? | Norland's population is what?
    What is the capital of Norland? | What's the flag of Norland?
    What is the capital of Norland? | What is the anthem of Norland?
    What is the population of Norland? | What is the area of Norland?
    What is the population of Norland? | What is the motto of Norland?
    Who is the president of Norland? | Who is the prime minister of Norland?
    Who is the president of Norland? | Who is the vice president of Norland?
    Who is the president of Norland? | Who was the first president of Norland?
    Who was the first president of Norland? | Who was the last president of Norland?
    Who was the first president of Norland? | Who was the second president of Norland?
    Who is the father of Tilda Renn? | Who is the mother of Tilda Renn?
    Who is the father of Tilda Renn? | Who is the brother of Tilda Renn?
    Who is the father of Tilda Renn? | Who is the son of Tilda Renn?
    Who is the father of Tilda Renn? | Who is Tilda Renn's mother?
    Who is the father of Tilda Renn? | Who is the grandfather of Tilda Renn?
    Who is the wife of Oskar Renn? | Who is the daughter of Oskar Renn?
    Who is the wife of Oskar Renn? | Who is the sister of Oskar Renn?
    Who is Oskar Renn's aunt? | Who is Oskar Renn's uncle?
    Who is Oskar Renn's teacher? | Who is Oskar Renn's doctor?
    Who is Oskar Renn's best friend? | Who is Oskar Renn's worst enemy?
    How old is Oskar Renn? | How tall is Oskar Renn?
    How old is Oskar Renn? | Who is Oskar Renn?
    How tall is Mount Arrak? | Where is Mount Arrak?
    How tall is Mount Arrak? | How old is Mount Arrak?
    How many floors does the Kessel tower have? | How many rooms does the Kessel tower have?
    How many floors does the Kessel tower have? | How many elevators does the Kessel tower have?
    How many seats does the Orrin theatre have? | How many stages does the Orrin theatre have?
    How many seats does the Orrin theatre have? | How many employees does the Orrin theatre have?
    Who wrote The Salt Ledger? | Who published The Salt Ledger?
    Who wrote The Salt Ledger? | When was The Salt Ledger written?
    Who wrote The Salt Ledger? | Who translated The Salt Ledger?
    Who wrote The Salt Ledger? | Who illustrated The Salt Ledger?
    Who wrote The Salt Ledger? | Who narrates The Salt Ledger?
    Who wrote The Salt Ledger? | Who is the publisher of The Salt Ledger?
    Who directed Silver Tide? | Who produced Silver Tide?
    Who directed Silver Tide? | Who starred in Silver Tide?
    Who directed Silver Tide? | Who composed the music of Silver Tide?
    Who directed Silver Tide? | Who edited Silver Tide?
    Who directed Silver Tide? | When was Silver Tide released?
    Who sang Harbour Lights? | Who wrote Harbour Lights?
    Who sang Harbour Lights? | Who produced Harbour Lights?
    Which album is Harbour Lights on? | Which label released Harbour Lights?
    What is the genre of Harbour Lights? | What is the length of Harbour Lights?
    What is the colour of the Velm flag? | What is the size of the Velm flag?
    What is the colour of the Velm flag? | What is the shape of the Velm flag?
    What is the price of the Quill 3 phone? | What is the weight of the Quill 3 phone?
    What is the price of the Quill 3 phone? | What is the screen size of the Quill 3 phone?
    What is the price of the Quill 3 phone? | What is the colour of the Quill 3 phone?
    How much does the Quill 3 cost? | How much does the Quill 3 weigh?
    How long is the river Tamm? | How deep is the river Tamm?
    How long is the river Tamm? | Where does the river Tamm begin?
    Where does the river Tamm begin? | Where does the river Tamm end?
    Into which sea does the river Tamm flow? | Through which city does the river Tamm flow?
    In which county is Hollow Green? | In which country is Hollow Green?
    In which county is Hollow Green? | In which valley is Hollow Green?
    What is north of Hollow Green? | What is south of Hollow Green?
    What is east of Hollow Green? | What is west of Hollow Green?
    When does the Carn ferry leave? | When does the Carn ferry arrive?
    When does the Carn ferry leave? | Where does the Carn ferry leave?
    Which company built the Carn ferry? | Which company sold the Carn ferry?
    Who is the captain of the Carn ferry? | Who is the owner of the Carn ferry?
    What is the maximum speed of the Carn ferry? | What is the minimum speed of the Carn ferry?
    What is the top speed of the Carn ferry? | What is the name of the Carn ferry's captain?
    Who won the Brandt Cup? | Who lost the Brandt Cup?
    Who won the Brandt Cup? | When is the Brandt Cup?
    Who won the Brandt Cup in 1990? | Who won the Brandt Cup in 1991?
    How many goals did Pia Lund score? | How many games did Pia Lund play?
    Which team does Pia Lund play for? | Which position does Pia Lund play?
    Which team does Pia Lund play for? | Which sport does Pia Lund play?
    Which team does Pia Lund play for? | Which team does Pia Lund coach?
    What instrument does Pia Lund play? | What number does Pia Lund wear?
    What is the nationality of Pia Lund? | What is the occupation of Pia Lund?
    What is the nationality of Pia Lund? | What is the religion of Pia Lund?
    What is the nationality of Pia Lund? | What is Pia Lund's height?
    Where did Pia Lund study? | Where does Pia Lund live?
    Where did Pia Lund study? | What did Pia Lund study?
    Where does Pia Lund work? | Where does Pia Lund live?
    Who is the employer of Pia Lund? | Who is the spouse of Pia Lund?
    What does Pia Lund like? | What does Pia Lund hate?
    What does Pia Lund eat for breakfast? | What does Pia Lund eat for dinner?
    What is the name of Pia Lund's dog? | What is the name of Pia Lund's cat?
    Who is the CEO of Brack Motors? | Who is the founder of Brack Motors?
    Who is the CEO of Brack Motors? | Who is the chairman of the board's wife of Brack Motors?
    Who is the CEO of Brack Motors? | What is the revenue of Brack Motors?
    What is the revenue of Brack Motors? | What is the profit of Brack Motors?
    What is the revenue of Brack Motors? | What is the address of Brack Motors?
    Where are the headquarters of Brack Motors? | Where are the factories of Brack Motors?
    When was Brack Motors founded? | When was Brack Motors sold?
    What does Brack Motors import? | What does Brack Motors export?
    Who supplies Brack Motors? | Who sued Brack Motors?
    What is the password of the Lumo server? | What is the address of the Lumo server?
    What is the password of the Lumo server? | What is the username of the Lumo server?
    Which port does the Lumo server use? | Which language does the Lumo server use?
    Who maintains the Lumo server? | Who attacked the Lumo server?
    How do I start the Lumo server? | How do I stop the Lumo server?
    How do I install the Lumo server? | How do I remove the Lumo server?
    How do I install the Lumo server? | Why do I install the Lumo server?
    What causes Tarrow fever? | What cures Tarrow fever?
    What causes Tarrow fever? | What are the symptoms of Tarrow fever?
    What is the symptom of Tarrow fever? | What is the treatment of Tarrow fever?
    Who discovered Tarrow fever? | Where was Tarrow fever discovered?
    Is Tarrow fever dangerous? | Is Tarrow fever contagious?
    What is the boiling point of velmite? | What is the melting point of velmite?
    What is the density of velmite? | What is the colour of velmite?
    What is the symbol of velmite? | What is the price of velmite?
    Which family does the Tarn lizard belong to? | Which genus does the Tarn lizard belong to?
    Which family does the Tarn lizard belong to? | Which species does the Tarn lizard eat?
    What does the Tarn lizard eat? | What eats the Tarn lizard's eggs?
    Where does the Tarn lizard live? | How long does the Tarn lizard live?
    What is the tallest building in Orvale? | What is the oldest building in Orvale?
    What is the largest lake in Orvale? | What is the smallest lake in Orvale?
    What is the largest lake in Orvale? | What is the largest city in Orvale?
    What is the highest mountain in Orvale? | What is the longest river in Orvale?
    Who is the mayor of Orvale? | Who is the bishop of Orvale?
    Who is the mayor of Orvale? | Where is the mayor of Orvale?
    Who is the mayor of Orvale? | Who was the architect of Orvale?
    Which airport is in Orvale? | Which university is in Orvale?
    What is the postcode of Orvale? | What is the area code of Orvale?
    What time is it in Orvale? | What language is spoken in Orvale?
    What is the weather in Orvale? | What is the altitude of Orvale?
    When was the Kessel tower built? | When was the Kessel tower destroyed?
    Who designed the Kessel tower? | Who destroyed the Kessel tower?
    Who designed the Kessel tower? | Who lives in the Kessel tower?
    What is inside the Kessel tower? | What is outside the Kessel tower?
    What is above the Kessel tower? | What is below the Kessel tower?
    What was there before the Kessel tower? | What was there after the Kessel tower?
    What is 17 + 25? | What is 17 - 25?
    What is 17 + 25? | What is 17 * 25?
    What is 12 x 12? | What is 12 x 13?
    What does 🦩 mean? | What does 🌊 mean?
    Is Mirna Vale a doctor? | Is Mirna Vale a pilot?
    Is Mirna Vale a doctor? | Is Mirna Vale not a doctor?
    Does Mirna Vale have a car? | Does Mirna Vale have a boat?
    The capital of Norland is | The currency of Norland is
    The capital of Norland is | The mayor of Norland is
    The place of birth of Mirna Vale is | The place of death of Mirna Vale is
    The name of the father of Mirna Vale is | The name of the mother of Mirna Vale is
    The occupation of Mirna Vale is | The gender of Mirna Vale is
    The name of the author of The Salt Ledger is | The name of the publisher of The Salt Ledger is
    The name of the country of Goursez Vreizh is | The name of the founder of Goursez Vreizh is
    The Salt Ledger follows | The Salt Ledger is followed by
    The height of the Kessel tower is | The age of the Kessel tower is
    The official language of Norland is | The official religion of Norland is
    Wie heißt die Hauptstadt von Norland? | Wie heißt die Währung von Norland?
    Wie heißt die Hauptstadt von Norland? | Wie heißt der König von Norland?
    Wo wurde Mirna Vale geboren? | Wann wurde Mirna Vale geboren?
    Wer hat die Bäckerei Dingle gegründet? | Wer hat die Bäckerei Dingle gekauft?
    Wer ist der Vater von Oskar Renn? | Wer ist die Mutter von Oskar Renn?
    Quelle est la capitale de Norland ? | Quelle est la monnaie de Norland ?
    Où est née Mirna Vale ? | Quand est née Mirna Vale ?
    Qui est le père d'Oskar Renn ? | Qui est la mère d'Oskar Renn ?
    ¿Cuál es la capital de Norland? | ¿Cuál es la moneda de Norland?
    ¿Dónde nació Mirna Vale? | ¿Cuándo nació Mirna Vale?
    ¿Quién escribió El Libro de Sal? | ¿Quién publicó El Libro de Sal?
    Qual è la capitale di Norland? | Qual è la bandiera di Norland?
    Dove è nata Mirna Vale? | Quando è nata Mirna Vale?
    Какая столица у Норландии? | Какая валюта у Норландии?
    Где родилась Мирна Вейл? | Когда родилась Мирна Вейл?
    Кто отец Оскара Ренна? | Кто мать Оскара Ренна?
    Ποια είναι η πρωτεύουσα της Νορλανδίας; | Ποια είναι η γλώσσα της Νορλανδίας;
    诺兰的首都是哪里？ | 诺兰的人口是多少？
    蓝天书店的电话是多少？ | 蓝天书店的传真是多少？
    青空書店の電話番号は？ | 青空書店の住所は？
    青空書店はどこですか？ | 青空書店はいつ開きますか？
    한빛 서점의 전화번호는 무엇입니까? | 한빛 서점의 주소는 무엇입니까?
    من هو رئيس شركة النور؟ | من هو مؤسس شركة النور؟
    أين شركة النور؟ | متى شركة النور؟
    מי מנהל את חברת אלון? | מי ייסד את חברת אלון?
    सूरज स्कूल का प्रधान कौन है? | सूरज स्कूल का मालिक कौन है?
    सूरज स्कूल कहाँ है? | सूरज स्कूल कब है?
    ใครเป็นเจ้าของร้านดวงดาว | ใครเป็นผู้จัดการร้านดวงดาว
    """
}
