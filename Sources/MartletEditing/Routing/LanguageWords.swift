/// Words that say nothing about what a question is about, in many languages: those that ask, those that hold a sentence
/// together, those of courtesy, and those that ask for an answer `again`.
///
/// A language that is not listed costs rewordings, not precision: its words all count as words of weight. Lists hold
/// what is common in questions; they need not be complete. Commas part entries, an entry may have several words.
enum LanguageWords {
  static let lists = """
    en who: who, whom, whose, which person, what person, by whom
    en what: what, which, what kind of, what type of, what sort of, tell me, tell us, give me, show me, let me know
    en where: where, in which place, in what place, at what place, whereabouts
    en when: when, what year, which year, what date, which date, what day, which day, what time, what month, \
    which month, what century, since when
    en why: why, how come, for what reason
    en how: how, in what way
    en much: how many, how much
    en not: not, no, never, n t, don t, doesn t, isn t, wasn t, didn t, aren t, won t, can t, cannot, without, except
    en word: a, an, the, of, to, in, on, at, by, for, from, with, is, are, was, were, be, been, being, am, do, does, \
    did, has, have, had, having, that, this, these, those, it, its, he, his, him, she, her, they, them, their, as, and, \
    or, so, than, then, there, here, into, about, if, would, could, should, can, will, shall, may, might, must, i, you, \
    we, us, me, my, our, your, s, t, d, ll, re, ve, m, one, name, named, called, also, such, go, goes, \
    please, kindly, tell, let, know, say, give, question, ask, asking, asked, wonder, wondering, like, want, \
    wanted, need, hello, hi, hey, thanks, thank, thx, help, quick, quickly, just, explain, describe, state, identify, \
    exactly, actually, briefly, now, today, but, however, because, sorry, excuse, good morning, good evening, \
    good day, happen to, any idea, do you know, curious, following, reply, respond, according, remember, remind, well, \
    ok, okay, anyway, dear, regards, cheers, info, information, wanna, gonna, pls, plz, u, kind, type, sort, user, human, q
    de who: wer, wen, wem, wessen
    de what: sag mir, sagen sie mir, nenne mir, was, welche, welcher, welches, welchen, welchem, was für
    de where: wo, woher, wohin, an welchem ort, in welchem ort
    de when: wann, in welchem jahr, welches jahr, an welchem tag, welchem datum, seit wann
    de why: warum, wieso, weshalb
    de how: wie
    de much: wie viele, wie viel, wieviel, wieviele
    de not: nicht, kein, keine, keinen, nie, niemals, ohne
    de word: der, die, das, den, dem, des, ein, eine, einer, eines, einem, einen, und, oder, ist, sind, war, waren, wird, \
    wurde, wurden, hat, haben, hatte, von, vom, zu, zum, zur, in, im, an, am, auf, aus, bei, mit, nach, für, über, es, er, \
    sie, ich, du, mir, mich, dir, ihr, ihnen, wir, uns, man, sich, bitte, sag, sage, sagen, kannst, könntest, können, \
    könnten, weißt, wissen, heißt, nennen, nenne, name, hallo, guten tag, danke, frage, eigentlich, mal, denn, noch, gerne, \
    gern, dass, ob, beantworte, erklären, erkläre, würde, möchte, weiss, lautet
    fr who: qui, qui est ce qui, qui est ce que
    fr what: dis moi, dites moi, que, quoi, quel, quelle, quels, quelles, qu est ce que, qu est ce qui
    fr where: où, dans quel lieu, à quel endroit
    fr when: quand, en quelle année, quelle année, quelle date, depuis quand
    fr why: pourquoi
    fr how: comment
    fr much: combien, combien de
    fr not: ne, pas, jamais, aucun, sans
    fr word: le, la, les, l, un, une, des, du, de, d, et, ou, est, sont, était, a, ont, avait, été, à, au, aux, en, dans, \
    sur, par, pour, avec, ce, cet, cette, ces, c, il, elle, ils, elles, on, je, j, tu, vous, nous, me, m, te, se, s, lui, \
    son, sa, ses, qu, s il vous plaît, s il te plaît, svp, dites, dis, dire, moi, pouvez, peux, pourriez, pourrais, savez, \
    sais, savoir, bonjour, salut, merci, question, est ce que, t, y, nom, nomme, appelle, connaissez, donnez, voudrais, \
    aimerais, répondez, réponds, expliquez
    es who: quién, quiénes, a quién, de quién
    es what: dime, dígame, qué, cuál, cuáles
    es where: dónde, en qué lugar, adónde, de dónde
    es when: cuándo, en qué año, qué año, qué fecha, en qué fecha, desde cuándo
    es why: por qué
    es how: cómo
    es much: cuánto, cuánta, cuántos, cuántas
    es not: no, nunca, ningún, ninguna, sin
    es word: el, la, los, las, lo, un, una, unos, unas, de, del, al, a, y, o, es, son, era, fue, fueron, ha, han, en, por, \
    para, con, que, se, su, sus, me, te, le, les, yo, tú, usted, favor, por favor, dime, dígame, decirme, puedes, puede, \
    podrías, podría, sabes, sabe, saber, hola, buenos días, gracias, pregunta, nombre, llama, llamado, quisiera, quiero, \
    responde, explica, este, esta, está, hay
    pt who: quem, de quem
    pt what: o que, que, qual, quais
    pt where: onde, em que lugar
    pt when: quando, em que ano, que ano, em que data
    pt why: por que, por quê, porque
    pt how: como
    pt much: quanto, quanta, quantos, quantas
    pt not: não, nunca, nenhum, nenhuma, sem
    pt word: o, a, os, as, um, uma, de, do, da, dos, das, e, ou, é, são, era, foi, foram, em, no, na, nos, nas, por, para, \
    pelo, pela, com, se, seu, sua, me, te, lhe, eu, você, por favor, diga, dizer, diz, pode, poderia, podes, sabe, saber, \
    olá, oi, bom dia, obrigado, obrigada, pergunta, nome, chama, gostaria, responda, explique, este, esta, está
    it who: chi, di chi
    it what: dimmi, mi dica, che, cosa, che cosa, quale, quali, qual
    it where: dove, in che luogo
    it when: quando, in che anno, in quale anno, che anno
    it why: perché
    it how: come
    it much: quanto, quanta, quanti, quante
    it not: non, mai, nessun, nessuna, senza
    it word: il, lo, la, i, gli, le, l, un, uno, una, di, del, dello, della, dei, delle, d, e, o, è, sono, era, fu, ha, \
    hanno, stato, stata, a, al, alla, in, nel, nella, da, dal, dalla, per, con, su, si, mi, ti, ci, io, tu, lei, per favore, \
    dimmi, dirmi, mi dica, puoi, può, potresti, potrebbe, sai, sa, sapere, ciao, buongiorno, grazie, domanda, nome, \
    chiama, vorrei, rispondi, spiega, questo, questa
    nl who: wie, van wie
    nl what: wat, welke, welk
    nl where: waar
    nl when: wanneer, in welk jaar, welk jaar
    nl why: waarom
    nl how: hoe
    nl much: hoeveel
    nl not: niet, geen, nooit, zonder
    nl word: de, het, een, van, en, of, is, zijn, was, waren, werd, heeft, hebben, had, in, op, aan, te, bij, met, voor, \
    door, naar, uit, er, hij, zij, ze, ik, je, jij, u, me, mij, alsjeblieft, alstublieft, zeg, zeggen, vertel, vertellen, \
    kun, kunt, kan, weet, hallo, dag, dank, bedankt, vraag, naam, heet, wil, graag, dat
    sv who: vem, vems
    sv what: vad, vilken, vilket, vilka
    sv where: var, varifrån, vart
    sv when: när, vilket år
    sv why: varför
    sv how: hur
    sv much: hur många, hur mycket
    sv not: inte, ingen, aldrig, utan
    sv word: en, ett, den, det, de, och, eller, är, blev, har, hade, av, i, på, till, från, för, med, om, som, att, han, \
    hon, jag, du, mig, snälla, tack, säg, berätta, kan, kunde, vet, hej, fråga, namn, heter, vill, skulle, vänligen
    da who: hvem, hvis
    da what: hvad, hvilken, hvilket, hvilke, hva
    da where: hvor
    da when: hvornår, når, hvilket år
    da why: hvorfor
    da how: hvordan
    da much: hvor mange, hvor meget, hvor mye
    da not: ikke, ingen, aldrig, aldri, uden, uten
    da word: en, et, den, det, de, og, eller, er, var, blev, ble, har, havde, hadde, af, av, i, på, til, fra, for, med, om, \
    som, at, han, hun, jeg, du, mig, meg, venligst, vær så snill, tak, takk, sig, si, fortæl, fortell, kan, kunne, ved, vet, \
    hej, hei, spørgsmål, spørsmål, navn, hedder, heter, vil, være så venlig
    fi who: kuka, ketkä, kenen, kenet, ketä
    fi what: mikä, mitkä, mitä, minkä, mihin
    fi where: missä, mistä, minne
    fi when: milloin, koska, minä vuonna, mikä vuosi
    fi why: miksi
    fi how: miten, kuinka, millainen
    fi much: kuinka monta, kuinka paljon, montako, paljonko
    fi not: ei, eivät, en, ilman
    fi word: on, ovat, oli, olivat, ja, tai, että, se, hän, minä, sinä, minulle, ole hyvä, kiitos, kerro, kertoa, voitko, \
    voisitko, tiedätkö, hei, moi, kysymys, nimi, nimeltään, haluan, haluaisin
    pl who: kto, kogo, komu, czyj
    pl what: co, jaki, jaka, jakie, jakim, który, która, które, czym
    pl where: gdzie, skąd, dokąd
    pl when: kiedy, w którym roku, w jakim roku, od kiedy
    pl why: dlaczego, czemu
    pl how: jak
    pl much: ile, ilu
    pl not: nie, nigdy, bez, żaden
    pl word: jest, są, był, była, było, były, i, lub, w, we, z, ze, na, do, od, o, u, po, za, dla, przez, się, to, ten, ta, \
    te, on, ona, mi, mnie, ja, ty, proszę, powiedz, powiedzieć, możesz, mógłbyś, mogłabyś, wiesz, czy, cześć, dzień dobry, \
    dziękuję, pytanie, nazwa, imię, nazywa, chcę, chciałbym, podaj
    cs who: kdo, koho, komu, čí
    cs what: co, jaký, jaká, jaké, který, která, které
    cs where: kde, odkud, kam
    cs when: kdy, v kterém roce, v jakém roce
    cs why: proč
    cs how: jak
    cs much: kolik
    cs not: ne, není, nikdy, bez, žádný
    cs word: je, jsou, byl, byla, bylo, byly, a, nebo, v, ve, z, ze, na, do, od, o, u, po, za, pro, se, si, to, ten, ta, mi, \
    mě, já, ty, prosím, řekni, řekněte, říct, můžeš, můžete, mohl, víš, víte, ahoj, dobrý den, děkuji, otázka, jméno, \
    název, jmenuje, chci, chtěl bych
    ro who: cine, cui, pe cine
    ro what: ce, care
    ro where: unde, de unde
    ro when: când, în ce an
    ro why: de ce
    ro how: cum
    ro much: cât, câtă, câți, câte
    ro not: nu, niciodată, fără
    ro word: este, e, sunt, era, a, au, fost, și, sau, de, din, la, în, pe, cu, pentru, un, o, al, ale, ai, se, îmi, mi, te, \
    rog, te rog, vă rog, spune, spuneți, poți, puteți, știi, știți, salut, bună ziua, mulțumesc, întrebare, nume, numele, \
    numește, vreau
    hu who: ki, kik, kit, kinek
    hu what: mi, mit, melyik, milyen, mik
    hu where: hol, honnan, hová
    hu when: mikor, melyik évben
    hu why: miért
    hu how: hogyan, hogy
    hu much: hány, mennyi
    hu not: nem, soha, nincs, nélkül
    hu word: a, az, egy, és, vagy, van, vannak, volt, voltak, is, kérem, kérlek, mondd, mondja, meg, el, tudod, tudja, \
    szia, jó napot, köszönöm, kérdés, neve, hívják, nekem, szeretném
    tr who: kim, kimdir, kimin, kimi
    tr what: ne, nedir, hangi, hangisi
    tr where: nerede, nerededir, nereye, nereden
    tr when: ne zaman, hangi yıl, hangi yılda, hangi tarihte
    tr why: neden, niçin, niye
    tr how: nasıl
    tr much: kaç, ne kadar, kaçtır
    tr not: değil, hiç, yok, olmadan
    tr word: bir, ve, veya, bu, şu, o, mi, mı, mu, mü, ile, için, de, da, lütfen, söyle, söyler, söyleyin, misin, misiniz, \
    bana, biliyor, musun, merhaba, selam, teşekkürler, soru, adı, adını, isim, ismi, acaba, var, olan, ya
    id who: siapa, siapakah, siapa nama
    id what: apa, apakah, yang mana
    id where: di mana, dimana, dari mana, ke mana
    id when: kapan, tahun berapa
    id why: mengapa, kenapa
    id how: bagaimana
    id much: berapa, berapa banyak
    id not: tidak, bukan, tanpa
    id word: yang, di, ke, dari, dan, atau, ini, itu, adalah, ada, untuk, oleh, pada, dengan, tolong, mohon, beritahu, \
    katakan, bisa, bisakah, tahu, kamu, anda, saya, aku, halo, hai, terima kasih, pertanyaan, nama, nya, ingin, tahukah
    vi who: ai, là ai
    vi what: gì, nào, cái gì
    vi where: đâu, ở đâu
    vi when: khi nào, bao giờ, năm nào
    vi why: tại sao, vì sao
    vi how: như thế nào, thế nào
    vi much: bao nhiêu, mấy
    vi not: không phải, chưa
    vi word: là, của, và, hay, được, bị, có, không, ở, trong, cho, với, do, xin, vui lòng, hãy, cho tôi biết, tôi, bạn, \
    muốn, biết, chào, xin chào, cảm ơn, ơi, tên, nói, làm ơn, hỏi, câu hỏi, một, các, những, đã
    sw who: nani
    sw what: nini, gani
    sw where: wapi
    sw when: lini
    sw why: kwa nini
    sw how: vipi, jinsi gani
    sw much: ngapi
    sw word: ni, ya, wa, la, za, na, kwa, tafadhali, niambie, habari, asante, je
    ru who: кто, кого, кому, кем, чей, чья
    ru what: скажи, скажите, подскажи, подскажите, назови, назовите, что, какой, какая, какое, какие, какую, который, какова, каков, чем
    ru where: где, откуда, куда, в каком месте
    ru when: когда, в каком году, какого числа, какой год, с какого года
    ru why: почему, зачем
    ru how: как
    ru much: сколько
    ru not: не, ни, нет, никогда, без
    ru word: и, или, в, во, на, с, со, из, к, по, от, у, о, об, за, для, до, при, это, этот, эта, был, была, было, были, \
    есть, является, являются, он, она, они, его, её, их, я, ты, вы, мне, мы, нас, бы, ли, же, а, но, пожалуйста, скажи, \
    скажите, сказать, подскажи, подскажите, можешь, можете, знаешь, знаете, ответь, ответьте, интересно, привет, \
    здравствуйте, добрый день, спасибо, вопрос, имя, зовут, называется, хочу, знать, хотел, назови, назовите, не могли бы вы, \
    мог бы, будет, сейчас
    uk who: хто, кого, кому, ким, чий
    uk what: скажи, скажіть, назвіть, що, який, яка, яке, які, котрий
    uk where: де, звідки, куди
    uk when: коли, в якому році, у якому році
    uk why: чому, навіщо
    uk how: як
    uk much: скільки
    uk not: не, ні, немає, ніколи, без
    uk word: і, й, та, або, в, у, на, з, із, до, по, від, о, за, для, це, цей, був, була, було, були, є, він, вона, вони, \
    його, її, я, ти, ви, мені, ми, чи, же, а, але, будь ласка, скажи, скажіть, сказати, можеш, можете, знаєш, знаєте, \
    привіт, добрий день, дякую, питання, ім я, звати, називається, хочу, знати, назвіть
    bg who: кой, коя, кого, чий
    bg what: какво, какъв, каква, кое, кои
    bg where: къде
    bg when: кога, през коя година
    bg why: защо
    bg how: как
    bg much: колко
    bg not: не, няма, никога, без
    bg word: и, или, в, във, на, с, със, от, за, по, до, при, е, са, беше, бяха, се, си, ли, той, тя, аз, ти, ми, моля, \
    кажи, кажете, можеш, можете, знаеш, знаете, здравей, здравейте, благодаря, въпрос, име, казва, искам, да
    sr who: ko, koga, ко, кога, tko
    sr what: šta, što, koji, koja, koje, шта, који, која, које
    sr where: gde, gdje, где
    sr when: kada, када, koje godine, које године
    sr why: zašto, зашто
    sr how: kako, како
    sr much: koliko, колико
    sr not: ne, nije, не, није
    sr word: je, su, bio, bila, i, ili, u, na, s, sa, iz, od, za, po, do, se, molim, reci, recite, možeš, možete, znaš, \
    hvala, zdravo, pitanje, ime, zove, је, су, био, била, и, или, у, на, са, из, од, за, по, до, се, молим, реци, реците, \
    хвала, здраво, питање, име, зове, ли
    el who: ποιος, ποια, ποιο, ποιον, ποιοι, τίνος, ποιου
    el what: τι, πες μου, πείτε μου
    el where: πού, από πού
    el when: πότε, ποιο έτος, ποια χρονιά
    el why: γιατί
    el how: πώς
    el much: πόσο, πόσοι, πόσα, πόσες, πόση
    el not: δεν, δε, μη, μην, ποτέ, χωρίς
    el word: ο, η, το, οι, τα, του, της, των, τον, την, τους, τις, ένας, μια, ένα, και, ή, είναι, ήταν, έχει, σε, στο, \
    στη, στην, στον, στα, από, με, για, που, να, θα, μου, σου, εγώ, εσύ, παρακαλώ, πες, πείτε, πεις, μπορείς, μπορείτε, \
    ξέρεις, ξέρετε, γεια, γειά, καλημέρα, ευχαριστώ, ερώτηση, όνομα, λέγεται, θέλω, ονομάζεται, σας, λοιπόν
    ar who: من, من هو, من هي, مَن
    ar what: أخبرني, قل لي, اذكر, ما, ماذا, ما هو, ما هي, أي, أية
    ar where: أين, من أين
    ar when: متى, في أي عام, في أي سنة
    ar why: لماذا, لم
    ar how: كيف
    ar much: كم, كم عدد
    ar not: ليس, ليست, لا, لن, غير, بدون
    ar word: يقع, تقع, هو, هي, هم, في, على, عن, إلى, مع, هل, أن, إن, هذا, هذه, ذلك, تلك, التي, الذي, و, أو, يا, كان, كانت, يكون, \
    لي, لك, أنا, أنت, نحن, من فضلك, رجاء, لو سمحت, أخبرني, قل, قل لي, تخبرني, يمكنك, ممكن, تعرف, أعرف, أريد, مرحبا, \
    السلام عليكم, أهلا, شكرا, سؤال, اسم, يسمى, يدعى, بالضبط, الآن, أجب, اذكر, هلا, أود, معرفة
    fa who: کی, چه کسی, چه کسانی, کیست
    fa what: بگو, بگویید, چه, چی, چیست, کدام
    fa where: کجا, کجاست, در کجا
    fa when: کی بود, چه زمانی, چه سالی, در چه سالی, چه وقت
    fa why: چرا
    fa how: چگونه, چطور
    fa much: چند, چقدر
    fa not: نیست, نه, هرگز, بدون
    fa word: است, هست, بود, شد, را, از, به, در, با, بر, که, این, آن, و, یا, برای, تا, من, تو, شما, او, ما, لطفا, بگو, \
    بگویید, می, توانید, توانی, میتوانید, دانید, دانی, سلام, درود, ممنون, متشکرم, سوال, نام, اسم, خواهم, بدانم, ای
    ur who: کون, کس, کس نے, کون ہے
    ur what: کیا, کونسا, کونسی
    ur where: کہاں
    ur when: کب, کس سال
    ur why: کیوں
    ur how: کیسے
    ur much: کتنے, کتنا, کتنی
    ur not: نہیں, نہ, مت
    ur word: کا, کے, کی, کو, نے, سے, میں, پر, اور, یا, ہے, ہیں, تھا, تھے, تھی, یہ, وہ, مجھے, آپ, براہ کرم, بتائیں, \
    بتائیے, بتا, سکتے, سلام, شکریہ, سوال, نام
    he who: מי, מיהו, מיהי, של מי
    he what: תגיד לי, תגידי לי, אמור לי, ספר לי, מה, מהו, מהי, איזה, איזו, אילו
    he where: איפה, היכן, מאיפה, מנין
    he when: מתי, באיזו שנה, באיזה תאריך
    he why: למה, מדוע
    he how: איך, כיצד
    he much: כמה
    he not: לא, אין, אף, בלי
    he word: את, של, על, עם, אל, ב, ל, מ, ה, ו, ש, הוא, היא, הם, זה, זאת, זו, אני, אתה, היה, היתה, הייתה, יש, או, גם, כי, \
    אם, בבקשה, תגיד, תגידי, לי, תוכל, אפשר, יודע, יודעת, לדעת, שלום, היי, תודה, שאלה, שם, שמו, שמה, נקרא, אמור, ספר, \
    רוצה, אנא, האם, כאן, ענה
    hi who: कौन, किसने, किसका, किसकी, किसके, किसे, किस
    hi what: बताइए, बताएं, बताओ, बताइये, क्या, कौन सा, कौन सी, कौनसा, कौनसी
    hi where: कहाँ, कहां, किधर
    hi when: कब, किस वर्ष, किस साल, किस दिन
    hi why: क्यों
    hi how: कैसे, कैसा
    hi much: कितने, कितना, कितनी
    hi not: नहीं, न, मत, बिना
    hi word: का, की, के, को, ने, से, में, पर, और, या, है, हैं, था, थे, थी, हो, यह, वह, ये, वे, इस, उस, मुझे, मुझको, आप, \
    तुम, मैं, हम, कृपया, बताइए, बताएं, बताओ, बताइये, बता, सकते, सकती, दीजिए, जानते, पता, जानना, चाहता, चाहती, हूँ, हूं, \
    नमस्ते, धन्यवाद, शुक्रिया, सवाल, प्रश्न, नाम, जी, अभी, भाई, क्या आप, तो, ही, भी
    mr who: कोण, कोणी, कोणाचा, कोणाची, कोणाचे
    mr what: काय, कोणता, कोणती, कोणते
    mr where: कुठे
    mr when: केव्हा, कधी
    mr how: कसे
    mr much: किती
    mr word: आहे, आहेत, होता, होती, आणि, चा, ची, चे, मला, कृपया, सांगा, नाव, हा, ही, हे
    ne who: को, कसले, कसको
    ne what: के
    ne where: कहाँ
    ne when: कहिले
    ne much: कति
    ne word: हो, छ, छन्, थियो, को, का, की, ले, लाई, मा, र, कृपया, भन्नुहोस्, मलाई, नाम
    bn who: কে, কার, কাকে, কারা
    bn what: বলুন, বলো, কি, কী, কোন, কোনটি
    bn where: কোথায়, কোথা
    bn when: কখন, কবে, কোন সালে
    bn why: কেন
    bn how: কিভাবে, কেমন
    bn much: কত, কতজন, কয়টি
    bn not: না, নয়, নেই
    bn word: এর, র, হয়, হন, ছিল, ছিলেন, আছে, এবং, ও, বা, এই, সেই, দয়া করে, বলুন, বলো, আমাকে, আপনি, তুমি, আমি, জানেন, \
    জানতে, চাই, নাম, নমস্কার, হ্যালো, ধন্যবাদ, প্রশ্ন, টি, পারেন, কি আপনি
    ta who: யார், யாருடைய, யாரை
    ta what: சொல்லுங்கள், கூறுங்கள், என்ன, எது, எந்த
    ta where: எங்கே, எங்கு, எங்குள்ளது
    ta when: எப்போது, எப்பொழுது, எந்த ஆண்டு
    ta why: ஏன்
    ta how: எப்படி
    ta much: எத்தனை, எவ்வளவு
    ta not: இல்லை
    ta word: உள்ளது, ஆகும், ஒரு, மற்றும், அல்லது, இந்த, அந்த, தயவுசெய்து, தயவு செய்து, சொல்லுங்கள், சொல்லவும், கூறுங்கள், \
    எனக்கு, நான், நீங்கள், பெயர், வணக்கம், நன்றி, கேள்வி
    te who: ఎవరు, ఎవరి
    te what: ఏమిటి, ఏది, ఏ
    te where: ఎక్కడ
    te when: ఎప్పుడు
    te why: ఎందుకు
    te how: ఎలా
    te much: ఎంత, ఎన్ని
    te word: ఉంది, మరియు, యొక్క, ఈ, ఆ, దయచేసి, చెప్పండి, నాకు, పేరు, నమస్కారం, ధన్యవాదాలు
    gu who: કોણ, કોનું
    gu what: શું, કયું, કયો, કઈ
    gu where: ક્યાં
    gu when: ક્યારે
    gu much: કેટલા, કેટલું
    gu word: છે, છો, હતો, હતી, નો, ની, નું, ના, અને, કૃપા કરીને, મને, કહો, નામ, જણાવો
    pa who: ਕੌਣ, ਕਿਸ, ਕਿਸਦਾ
    pa what: ਕੀ, ਕਿਹੜਾ, ਕਿਹੜੀ
    pa where: ਕਿੱਥੇ
    pa when: ਕਦੋਂ
    pa much: ਕਿੰਨੇ, ਕਿੰਨਾ
    pa word: ਹੈ, ਹਨ, ਸੀ, ਦਾ, ਦੀ, ਦੇ, ਨੂੰ, ਨੇ, ਵਿੱਚ, ਅਤੇ, ਕਿਰਪਾ ਕਰਕੇ, ਮੈਨੂੰ, ਦੱਸੋ, ਨਾਮ
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
    am who: ማን, ማነው, የማን, ማን ነው
    am what: ንገረኝ, ይንገሩኝ, ምን, ምንድን, ምንድነው, የትኛው
    am where: የት, ወዴት
    am when: መቼ
    am why: ለምን
    am how: እንዴት
    am much: ስንት
    am word: ነው, ናት, ነበር, እና, ወይም, ይህ, እባክዎ, እባክህ, ንገረኝ, ይንገሩኝ, ሰላም, አመሰግናለሁ, ስም
    zh who: 谁, 誰, 是谁, 是誰, 哪位, 何人, 什么人, 甚麼人
    zh what: 告诉我, 告訴我, 请告诉我, 什么, 什麼, 甚麼, 哪个, 哪個, 哪, 啥, 何
    zh where: 哪里, 哪裡, 哪儿, 在哪, 在哪里, 在哪裡, 在哪儿, 位于哪里, 何处, 何處, 什么地方, 什麼地方
    zh when: 什么时候, 什麼時候, 何时, 何時, 哪年, 哪一年, 几时, 什么时间, 哪天
    zh why: 为什么, 為什麼, 为何, 為何
    zh how: 怎么, 怎麼, 怎样, 怎樣, 如何, 怎么样
    zh much: 多少, 几, 幾
    zh not: 不是, 没有, 沒有, 不, 非
    zh word: 的, 是, 了, 吗, 嗎, 呢, 吧, 啊, 呀, 在, 和, 与, 及, 或, 这, 那, 这个, 那个, 请, 請, 请问, 請問, 告诉, 告訴, 告诉我, \
    告訴我, 我, 你, 您, 我想知道, 想知道, 知道, 知道吗, 你知道, 能, 可以, 麻烦, 一下, 你好, 您好, 谢谢, 謝謝, 问题, 叫, 名字, 名字叫, \
    叫什么名字, 叫什么, 被, 把, 由, 从, 到, 个, 位, 请告诉我, 回答, 请回答, 说, 目前, 现在, 到底, 大家好, 想问, 想请问
    ja who: 誰, だれ, どなた, 何者
    ja what: 教えて, 教えてください, 教えて下さい, 教えてくれますか, 知りたい, 何, なに, なん, どの, どれ, どんな, どちら
    ja where: どこ, 何処, 何所
    ja when: いつ, 何年, 何時, 何日, 何月
    ja why: なぜ, どうして, 何故
    ja how: どう, どのように, どうやって
    ja much: いくつ, いくら, どのくらい, どれくらい
    ja not: ない, ではない, じゃない, ません, なかった
    ja word: は, が, を, に, へ, で, と, も, の, か, ね, よ, や, から, まで, より, です, ですか, だ, である, でした, ます, ますか, \
    ました, ましたか, でしょうか, いる, います, いますか, ある, あります, ありますか, この, その, あの, これ, それ, 教えて, おしえて, \
    教えてください, ください, 下さい, 教えてくれますか, 知って, 知っています, 知っていますか, 知りたい, たい, という, といいますか, 何という, \
    お願いします, こんにちは, ありがとう, すみません, 質問, 名前, お名前, お, って, 私, わたし, あなた, 答えて, なのか, なの, のは, とは, \
    なんですか, 何ですか, した, して, れた, する, され, された, したのは, 名, でしょう, おはよう, ございます, ところで, について
    ko who: 누구, 누가, 누굴
    ko what: 알려, 알려주세요, 알려줘, 말해줘, 몇 번, 무엇, 뭐, 무슨, 어느, 어떤, 뭔
    ko where: 어디, 어디서
    ko when: 언제, 몇 년
    ko why: 왜
    ko how: 어떻게
    ko much: 얼마, 몇, 얼마나
    ko not: 아닌, 아니, 않, 없
    ko word: 입니까, 인가요, 이에요, 예요, 인가, 인지, 이야, 야, 이죠, 죠, 입니다, 이다, 나요, 습니까, 그, 저, 이, 제발, 알려, 주세요, \
    알려주세요, 말해, 말해줘, 알려줘, 줘, 주실, 수, 있나요, 있습니까, 있어, 있는, 있어요, 혹시, 알아, 알아요, 아세요, 안녕하세요, 안녕, \
    감사합니다, 고마워, 질문, 이름, 이름은, 누구세요, 궁금, 궁금합니다, 합니다, 해요, 하나요, 합니까, 된, 되, 했, 한, 하는, 대답해, 좀, \
    에, 에서, 의, 은, 는, 가, 을, 를, 로, 으로, 와, 과, 도
    th who: ใคร, คือใคร, เป็นใคร, ผู้ใด
    th what: บอก, บอกหน่อย, อะไร, คืออะไร, ไหน, ใด
    th where: ที่ไหน, ที่ใด, อยู่ที่ไหน, อยู่ไหน
    th when: เมื่อไหร่, เมื่อใด, เมื่อไร, ปีใด, ปีไหน, ปีอะไร
    th why: ทำไม, เพราะอะไร
    th how: อย่างไร, ยังไง
    th much: เท่าไหร่, เท่าไร, กี่, เท่าใด
    th not: ไม่, ไม่ใช่, มิใช่
    th word: คือ, เป็น, ของ, ที่, และ, หรือ, ใน, จาก, โดย, มี, อยู่, ได้, ว่า, นี้, นั้น, ครับ, ค่ะ, คะ, กรุณา, โปรด, ช่วย, บอก, \
    บอกหน่อย, หน่อย, ฉัน, ผม, คุณ, เรา, รู้, รู้ไหม, ทราบ, อยาก, อยากรู้, อยากทราบ, สวัสดี, ขอบคุณ, คำถาม, ชื่อ, ชื่ออะไร, ไหม, \
    หรือไม่, ถูก, ให้, ตอบ, ขอ, ถาม, ด้วย, นะ
    lo who: ໃຜ, ແມ່ນໃຜ
    lo what: ຫຍັງ, ໃດ
    lo where: ໃສ, ຢູ່ໃສ
    lo when: ເມື່ອໃດ
    lo word: ແມ່ນ, ຂອງ, ທີ່, ແລະ, ກະລຸນາ, ບອກ
    km who: នរណា, អ្នកណា, ជានរណា
    km what: អ្វី, ណា
    km where: ឯណា, នៅឯណា, ទីណា
    km when: ពេលណា
    km word: ជា, គឺ, របស់, នៃ, និង, តើ, សូម, ប្រាប់, ខ្ញុំ
    my who: ဘယ်သူ, ဘယ်သူလဲ, မည်သူ
    my what: ဘာ, ဘာလဲ, မည်သည့်
    my where: ဘယ်မှာ, ဘယ်မှာလဲ
    my when: ဘယ်တော့, ဘယ်အချိန်
    my word: သည်, က, ၏, ရဲ့, လဲ, နှင့်, ကျေးဇူးပြု၍, ပြောပြပါ
    en again: are you sure, you sure, sure, certain, positive, is that right, is that correct, is that true, \
    correct, answer, answer me, answer the question, repeat, repeat that, say that again, say it again, again, once \
    more, try again, confirm, double check, check again, seriously, really, please answer, go on, i am waiting, i m \
    waiting, still waiting, pardon, come again, what did you say, think again
    de again: bist du sicher, sind sie sicher, bist du dir sicher, sicher, wirklich, antworte, antworten sie, \
    antworte bitte, bitte antworte, nochmal, noch einmal, noch mal, wiederhole, wiederhole das, stimmt das, ganz \
    sicher
    fr again: es tu sûr, es tu sûre, êtes vous sûr, sûr, sûre, certain, vraiment, réponds, répondez, répète, \
    répétez, encore une fois, c est vrai, tu es sûr, vous êtes sûr, t es sûr
    es again: estás seguro, estás segura, está seguro, está segura, seguro, segura, de verdad, en serio, responde, \
    respóndeme, contesta, repite, repítelo, otra vez, es cierto
    pt again: tem certeza, você tem certeza, tens a certeza, certeza, sério, responde, responda, repete, repita, de \
    novo, outra vez, é verdade
    it again: sei sicuro, sei sicura, è sicuro, sicuro, sicura, davvero, rispondi, risponda, ripeti, di nuovo, \
    ancora una volta, è vero
    nl again: weet je het zeker, weet u het zeker, zeker, echt waar, echt, antwoord, geef antwoord, herhaal, nog een \
    keer, nog eens
    sv again: är du säker, säker, verkligen, svara, upprepa, igen, en gång till
    da again: er du sikker, sikker, virkelig, svar, gentag, igen, en gang til, gjenta
    fi again: oletko varma, varma, todellako, vastaa, toista, uudelleen
    pl again: jesteś pewien, jesteś pewna, na pewno, pewien, naprawdę, odpowiedz, powtórz, jeszcze raz
    cs again: jsi si jistý, jsi si jistá, určitě, opravdu, odpověz, zopakuj, ještě jednou, znovu
    ro again: ești sigur, ești sigură, sigur, serios, răspunde, repetă, încă o dată
    hu again: biztos vagy benne, biztos, biztosan, tényleg, válaszolj, ismételd meg, még egyszer
    tr again: emin misin, emin misiniz, gerçekten mi, cevap ver, cevapla, tekrar et, tekrarla, bir daha
    id again: apakah kamu yakin, kamu yakin, yakin, jawab, ulangi, sekali lagi, benarkah
    vi again: bạn chắc không, bạn có chắc không, chắc không, chắc chắn, trả lời, nhắc lại, thật không
    ru again: ты уверен, ты уверена, вы уверены, уверен, уверены, точно, правда, серьёзно, ответь, ответьте, \
    отвечай, повтори, повторите, ещё раз
    uk again: ти впевнений, ти впевнена, ви впевнені, точно, справді, відповідай, повтори, ще раз
    bg again: сигурен ли си, сигурна ли си, наистина, отговори, повтори, пак
    el again: είσαι σίγουρος, είσαι σίγουρη, είστε σίγουρος, σίγουρα, απάντησε, επανάλαβε, ξανά, πάλι
    ar again: هل أنت متأكد, هل أنت متأكدة, متأكد, حقا, أجب, أجبني, أعد, كرر, مرة أخرى
    fa again: مطمئنی, مطمئن هستید, مطمئن, واقعا, جواب بده, پاسخ بده, تکرار کن, دوباره
    ur again: کیا آپ کو یقین ہے, یقین, واقعی, جواب دیں, دوبارہ
    he again: אתה בטוח, את בטוחה, בטוח, בטוחה, באמת, תענה, תעני, ענה, תחזור, שוב, עוד פעם
    hi again: क्या आपको यकीन है, क्या तुम्हें यकीन है, यकीन, पक्का, सच में, जवाब दो, जवाब दीजिए, फिर से, दोबारा
    bn again: আপনি কি নিশ্চিত, তুমি কি নিশ্চিত, নিশ্চিত, সত্যি, উত্তর দাও, উত্তর দিন, আবার
    ta again: உறுதியாகவா, நிச்சயமாகவா, பதில் சொல்லுங்கள், மீண்டும்
    ka again: დარწმუნებული ხარ, დარწმუნებული ხართ, მართლა, მიპასუხე, გაიმეორე
    hy again: վստահ ես, վստահ եք, իսկապես, պատասխանիր, կրկնիր
    zh again: 你确定, 你确定吗, 确定, 确定吗, 你確定嗎, 確定嗎, 真的, 真的吗, 真的嗎, 请回答, 回答我, 再说一遍, 再说一次, 是吗, 对吗, 没错吧
    ja again: 本当, 本当に, 本当ですか, 確か, 確かですか, 確実ですか, 間違いない, 間違いないですか, 答えて, 答えてください, もう一度, もう一度お願いします
    ko again: 확실해, 확실해요, 확실합니까, 확실한가요, 정말, 정말이에요, 정말입니까, 진짜, 대답해, 대답해주세요, 다시, 다시 말해줘, 맞아요, 맞습니까
    th again: แน่ใจไหม, คุณแน่ใจไหม, แน่ใจหรือ, แน่ใจ, จริงหรือ, จริงไหม, ตอบ, โปรดตอบ, อีกครั้ง
    """
}
