/// Questions in many scripts, written for these tests. A block has a language, frames with `{}` for the subject, light
/// rewordings of each frame (`~`), and subjects (`=`) that share a word of category where the language has one.
enum ScriptQuestions {
  struct Block {
    var language: String
    /// Each with its rewordings.
    var frames: [(question: String, rewordings: [String])] = []
    var subjects: [String] = []
  }

  static let blocks: [Block] = {
    var blocks: [Block] = []
    for line in text.split(separator: "\n") {
      let rest = line.dropFirst(2)
      switch line.first {
      case "#": blocks.append(Block(language: String(rest)))
      case "?": blocks[blocks.count - 1].frames.append((String(rest), []))
      case "~":
        let frame = blocks[blocks.count - 1].frames.count - 1
        blocks[blocks.count - 1].frames[frame].rewordings.append(String(rest))
      default: blocks[blocks.count - 1].subjects = rest.split(separator: "|").map(String.init)
      }
    }
    return blocks
  }()

  private static let text = """
    # English without capitals
    ? who owns the {}?
    ~ tell me who owns the {}
    ~ the owner of the {} is who?
    ~ hi! who owns the {} please
    ? what is the phone number of the {}?
    ~ the {}'s phone number, please?
    ~ could you give me the phone number of the {}
    ? in which street is the {}?
    ~ which street is the {} in
    ~ please tell me in which street the {} is
    = lantern cafe|anchor cafe|mill cafe|old swan cafe|door cafe|copper kettle cafe|seven stars cafe|cafe of 1912
    # Russian without capitals
    ? кто владелец {}?
    ~ скажите, пожалуйста, кто владелец {}?
    ~ кто является владельцем {}
    ~ владелец {} кто
    ? сколько комнат в {}?
    ~ сколько в {} комнат
    ~ привет! сколько комнат в {}? спасибо
    ? где находится {}?
    ~ подскажите, где находится {}
    ~ а где {} находится?
    = гостиница восход|гостиница закат|гостиница ромашка|гостиница облако|гостиница заря|гостиница южный берег|гостиница 1905|гостиница маяк
    # Russian
    ? Кто директор {}?
    ~ кто директор {}
    ~ Скажите, кто директор {}?
    ~ Кто является директором {}?
    ? В каком году основана {}?
    ~ в каком году была основана {}
    ~ Когда основана {}?
    ? Где находится {}?
    ~ Подскажите, пожалуйста, где находится {}.
    ~ А где {} находится?
    = школа «Восход»|школа «Радуга»|школа «Маяк»|школа Лесная|школа «Пять звёзд»|школа №12|школа №17|школа «Синяя птица»
    # Greek
    ? Ποιος είναι ο διευθυντής του {};
    ~ ποιος είναι ο διευθυντής του {}
    ~ Πες μου, ποιος είναι ο διευθυντής του {};
    ~ ο διευθυντής του {} ποιος είναι;
    ? Πότε άνοιξε το {};
    ~ πότε άνοιξε το {}
    ~ Παρακαλώ, πότε άνοιξε το {};
    ? Πού είναι το {};
    ~ που είναι το {};
    ~ Γεια σας. Πού είναι το {}; Ευχαριστώ.
    = ξενοδοχείο Αστέρας|ξενοδοχείο Ολυμπία|ξενοδοχείο Γαλήνη|ξενοδοχείο Κύμα|ξενοδοχείο Λευκός Πύργος|ξενοδοχείο Πανόραμα|ξενοδοχείο Δελφίνι|ξενοδοχείο Ροδιά
    # Arabic
    ? من هو رئيس {}؟
    ~ من رئيس {}
    ~ من فضلك أخبرني من هو رئيس {}؟
    ~ رئيس {} من هو؟
    ? متى تأسست {}؟
    ~ متى تأسست {}
    ~ مرحبا! متى تأسست {}؟ شكرا
    ? أين يقع مقر {}؟
    ~ أين مقر {}؟
    ~ هل تعرف أين يقع مقر {}؟
    = شركة النور|شركة الفجر|شركة الأمل|شركة البحر|شركة النخيل|شركة الصحراء الكبرى|شركة الوادي|شركة 1948
    # Persian
    ? مدیر {} کیست؟
    ~ مدیر {} چه کسی است؟
    ~ لطفا بگویید مدیر {} کیست
    ~ سلام، مدیر {} کیست؟
    ? تلفن {} چند است؟
    ~ تلفن {} چند
    ~ لطفا تلفن {} چند است؟
    ? {} در کجا است؟
    ~ {} کجاست؟
    ~ می دانید {} کجا است؟
    = هتل آفتاب|هتل مهتاب|هتل دریا|هتل کوهستان|هتل باغ سبز|هتل ستاره|هتل رود|هتل شقایق
    # Hebrew
    ? מי מנהל את {}?
    ~ מי מנהל את {}
    ~ בבקשה תגיד לי מי מנהל את {}
    ~ את {} מי מנהל?
    ? מתי נוסדה {}?
    ~ מתי נוסדה {}
    ~ שלום! מתי נוסדה {}? תודה
    ? איפה נמצאת {}?
    ~ היכן נמצאת {}?
    ~ אתה יודע איפה נמצאת {}
    = חברת אלון|חברת ברוש|חברת גליל|חברת דקל|חברת אורן|חברת הר הזהב|חברת שקד|חברת רימון
    # Hindi
    ? {} का प्रधान कौन है?
    ~ {} का प्रधान कौन है
    ~ कृपया बताइए {} का प्रधान कौन है?
    ~ कौन है {} का प्रधान?
    ? {} कब खुला?
    ~ {} कब खुला था?
    ~ नमस्ते। {} कब खुला? धन्यवाद
    ? {} कहाँ है?
    ~ {} कहां है
    ~ मुझे बताओ {} कहाँ है
    = सूरज स्कूल|चाँद स्कूल|गंगा स्कूल|हिमालय स्कूल|कमल स्कूल|नया सवेरा स्कूल|मोती स्कूल|स्कूल 42
    # Bengali
    ? {} এর মালিক কে?
    ~ {} এর মালিক কে
    ~ দয়া করে বলুন {} এর মালিক কে?
    ? {} কোথায়?
    ~ আপনি জানেন {} কোথায়?
    ~ {} কোথায় আছে?
    ? {} কবে খোলে?
    ~ কবে খোলে {}
    = সূর্য দোকান|চাঁদ দোকান|নদী দোকান|পাহাড় দোকান|ফুল দোকান|সোনার তরী দোকান|তারা দোকান|মেঘ দোকান
    # Tamil
    ? {} உரிமையாளர் யார்?
    ~ {} உரிமையாளர் யார்
    ~ தயவுசெய்து சொல்லுங்கள், {} உரிமையாளர் யார்?
    ~ யார் {} உரிமையாளர்?
    ? {} எங்கே உள்ளது?
    ~ {} எங்கே
    ~ வணக்கம்! {} எங்கே உள்ளது? நன்றி
    ? {} எப்போது திறந்தது?
    ~ எப்போது {} திறந்தது
    = சூரியன் கடை|நிலா கடை|மலை கடை|ஆறு கடை|தாமரை கடை|தங்க மயில் கடை|முத்து கடை|வானம் கடை
    # Chinese
    ? {}的老板是谁？
    ~ 谁是{}的老板
    ~ 请问{}的老板是谁？
    ~ 请告诉我，{}的老板是谁？谢谢
    ? {}在哪里？
    ~ {}在哪儿
    ~ 你知道{}在哪里吗？
    ? {}是哪一年开的？
    ~ {}哪一年开的
    ~ 你好！{}是哪年开的？
    = 蓝天书店|红日书店|青山书店|白云书店|金龙书店|老城南书店|山水书店|1984书店
    # Japanese
    ? {}の店主は誰ですか？
    ~ {}の店主は誰
    ~ すみません、{}の店主を教えてください。
    ~ 誰が{}の店主ですか？
    ? {}はどこにありますか？
    ~ {}はどこですか
    ~ こんにちは。{}はどこにありますか？
    ? {}の電話番号は？
    ~ {}の電話番号は何ですか？
    ~ {}の電話番号を教えて
    = 青空書店|夕焼書店|銀河書店|若葉書店|白鳥書店|さくら書店|みどり書店|ミント書店
    # Korean
    ? {}의 주인은 누구입니까?
    ~ {} 주인이 누구예요?
    ~ {}의 주인은 누구인가요
    ~ 안녕하세요. {} 주인은 누구입니까? 감사합니다
    ? {}은 어디에 있습니까?
    ~ {} 어디에 있어요?
    ~ 혹시 {}은 어디에 있나요?
    ? {}의 전화번호는 몇 번입니까?
    ~ {} 전화번호 몇 번이에요?
    = 한빛 서점|새벽 서점|은하 서점|푸른 서점|백조 서점|달빛정원 서점|하늘 서점|가람 서점
    # Thai
    ? ใครเป็นเจ้าของ{}?
    ~ เจ้าของ{}คือใคร
    ~ กรุณาบอกหน่อยว่าใครเป็นเจ้าของ{}ครับ
    ~ สวัสดีครับ ใครเป็นเจ้าของ{}
    ? {}อยู่ที่ไหน?
    ~ {}อยู่ไหน
    ~ คุณรู้ไหมว่า{}อยู่ที่ไหน
    ? {}เปิดเมื่อไหร่?
    ~ {}เปิดเมื่อไร
    = ร้านดวงดาว|ร้านพระจันทร์|ร้านแม่น้ำ|ร้านภูเขา|ร้านดอกบัว|ร้านช้างทอง|ร้านทะเล|ร้านสายรุ้ง
    # Georgian
    ? ვინ არის {} მფლობელი?
    ~ ვინ არის {} მფლობელი
    ~ გთხოვთ მითხარით, ვინ არის {} მფლობელი?
    ~ {} მფლობელი ვინ არის?
    ? სად არის {}?
    ~ {} სად არის
    ~ გამარჯობა! სად არის {}? მადლობა
    ? როდის დაარსდა {}?
    ~ {} როდის დაარსდა?
    = კაფე ვარსკვლავი|კაფე მთვარე|კაფე ზღვა|კაფე მთა|კაფე ვარდი|კაფე ოქროს თევზი|კაფე მდინარე|კაფე ცისარტყელა
    # Armenian
    ? Ով է {} տնօրենը:
    ~ ով է {} տնօրենը
    ~ Խնդրում եմ ասեք, ով է {} տնօրենը:
    ? Որտեղ է {}:
    ~ որտեղ է {}
    ~ Բարև։ Որտեղ է {}։
    ? Երբ է բացվել {}:
    ~ երբ է բացվել {}
    = Արարատ դպրոց|Սևան դպրոց|Մասիս դպրոց|Գարուն դպրոց|Արև դպրոց|Նոր կյանք դպրոց|Լուսին դպրոց|Ծիածան դպրոց
    # Amharic
    ? የ{} ባለቤት ማን ነው?
    ~ የ{} ባለቤት ማን ነው
    ~ እባክዎ ይንገሩኝ፣ የ{} ባለቤት ማን ነው?
    ? {} የት ነው?
    ~ {} የት ነው
    ~ ሰላም! {} የት ነው? አመሰግናለሁ
    ? {} መቼ ተከፈተ?
    ~ መቼ ተከፈተ {}
    = ፀሐይ ሱቅ|ጨረቃ ሱቅ|አባይ ሱቅ|ተራራ ሱቅ|አበባ ሱቅ|ወርቅ ዓሣ ሱቅ|ኮከብ ሱቅ|ባሕር ሱቅ
    # German
    ? Wer ist der Bürgermeister von {}?
    ~ wer ist der bürgermeister von {}
    ~ Können Sie mir bitte sagen, wer der Bürgermeister von {} ist?
    ~ Der Bürgermeister von {} ist wer?
    ? Wann wurde {} gegründet?
    ~ wann wurde {} gegründet
    ~ Hallo! Wann wurde {} gegründet? Danke.
    ? Wie viele Einwohner hat {}?
    ~ wie viele einwohner hat {}
    ~ Sag mir bitte, wie viele Einwohner {} hat.
    = Neuenkirch|Altenau|Bad Sommersdorf|Köthmannsdorf|Steinbrück|Ober-Wiesen|Unter-Wiesen|Mühlhof
    # French
    ? Qui est le maire de {} ?
    ~ qui est le maire de {}
    ~ Bonjour, pouvez-vous me dire qui est le maire de {} ?
    ~ Le maire de {}, qui est-ce ?
    ? En quelle année {} a-t-elle été fondée ?
    ~ En quelle année a été fondée {} ?
    ? Où se trouve {} ?
    ~ où se trouve {}
    ~ Dis-moi où se trouve {}, s'il te plaît.
    = Valmorel|Brignac|Saint-Aubin-les-Prés|La Ferté-Rose|Montclair|Roche-Noire|Roche-Blanche|Épinay-le-Vieux
    # Turkish
    ? {} kimin?
    ~ {} kimin
    ~ Lütfen söyler misin, {} kimin?
    ? {} nerede?
    ~ {} nerededir?
    ~ Merhaba, {} nerede?
    ? {} ne zaman açıldı?
    ~ {} hangi yılda açıldı?
    ~ ne zaman açıldı {}
    = Güneş Oteli|Deniz Oteli|Yıldız Oteli|Çınar Oteli|Altın Balık Oteli|Şelale Oteli|Ova Oteli|İnci Oteli
    """
}
