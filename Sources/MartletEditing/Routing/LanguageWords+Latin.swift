extension LanguageWords {
  /// Words of languages in Latin letters.
  static let latin = """
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
    en again: are you sure, you sure, sure, certain, positive, is that right, is that correct, is that true, \
    correct, answer, answer me, answer the question, repeat, repeat that, say that again, say it again, again, once \
    more, try again, confirm, double check, check again, seriously, really, please answer, go on, i am waiting, i m \
    waiting, still waiting, pardon, come again, what did you say, think again
    de who: wer, wen, wem, wessen
    de what: wie heißt, wie heißen, wie hieß, sag mir, sagen sie mir, nenne mir, was, welche, welcher, welches, welchen, welchem, was für
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
    de again: bist du sicher, sind sie sicher, bist du dir sicher, sicher, wirklich, antworte, antworten sie, \
    antworte bitte, bitte antworte, nochmal, noch einmal, noch mal, wiederhole, wiederhole das, stimmt das, ganz \
    sicher
    fr who: qui, qui est ce qui, qui est ce que
    fr what: comment s appelle, comment s appellent, dis moi, dites moi, que, quoi, quel, quelle, quels, quelles, qu est ce que, qu est ce qui
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
    fr again: es tu sûr, es tu sûre, êtes vous sûr, sûr, sûre, certain, vraiment, réponds, répondez, répète, \
    répétez, encore une fois, c est vrai, tu es sûr, vous êtes sûr, t es sûr
    es who: quién, quiénes, a quién, de quién
    es what: cómo se llama, cómo se llaman, dime, dígame, qué, cuál, cuáles
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
    es again: estás seguro, estás segura, está seguro, está segura, seguro, segura, de verdad, en serio, responde, \
    respóndeme, contesta, repite, repítelo, otra vez, es cierto
    pt who: quem, de quem
    pt what: como se chama, como se chamam, o que, que, qual, quais
    pt where: onde, em que lugar
    pt when: quando, em que ano, que ano, em que data
    pt why: por que, por quê, porque
    pt how: como
    pt much: quanto, quanta, quantos, quantas
    pt not: não, nunca, nenhum, nenhuma, sem
    pt word: o, a, os, as, um, uma, de, do, da, dos, das, e, ou, é, são, era, foi, foram, em, no, na, nos, nas, por, para, \
    pelo, pela, com, se, seu, sua, me, te, lhe, eu, você, por favor, diga, dizer, diz, pode, poderia, podes, sabe, saber, \
    olá, oi, bom dia, obrigado, obrigada, pergunta, nome, chama, gostaria, responda, explique, este, esta, está
    pt again: tem certeza, você tem certeza, tens a certeza, certeza, sério, responde, responda, repete, repita, de \
    novo, outra vez, é verdade
    it who: chi, di chi
    it what: come si chiama, come si chiamano, dimmi, mi dica, che, cosa, che cosa, quale, quali, qual
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
    it again: sei sicuro, sei sicura, è sicuro, sicuro, sicura, davvero, rispondi, risponda, ripeti, di nuovo, \
    ancora una volta, è vero
    nl who: wie, van wie
    nl what: hoe heet, hoe heette, wat, welke, welk
    nl where: waar
    nl when: wanneer, in welk jaar, welk jaar
    nl why: waarom
    nl how: hoe
    nl much: hoeveel
    nl not: niet, geen, nooit, zonder
    nl word: de, het, een, van, en, of, is, zijn, was, waren, werd, heeft, hebben, had, in, op, aan, te, bij, met, voor, \
    door, naar, uit, er, hij, zij, ze, ik, je, jij, u, me, mij, alsjeblieft, alstublieft, zeg, zeggen, vertel, vertellen, \
    kun, kunt, kan, weet, hallo, dag, dank, bedankt, vraag, naam, heet, wil, graag, dat
    nl again: weet je het zeker, weet u het zeker, zeker, echt waar, echt, antwoord, geef antwoord, herhaal, nog een \
    keer, nog eens
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
    sv again: är du säker, säker, verkligen, svara, upprepa, igen, en gång till
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
    da again: er du sikker, sikker, virkelig, svar, gentag, igen, en gang til, gjenta
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
    fi again: oletko varma, varma, todellako, vastaa, toista, uudelleen
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
    pl again: jesteś pewien, jesteś pewna, na pewno, pewien, naprawdę, odpowiedz, powtórz, jeszcze raz
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
    cs again: jsi si jistý, jsi si jistá, určitě, opravdu, odpověz, zopakuj, ještě jednou, znovu
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
    ro again: ești sigur, ești sigură, sigur, serios, răspunde, repetă, încă o dată
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
    hu again: biztos vagy benne, biztos, biztosan, tényleg, válaszolj, ismételd meg, még egyszer
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
    tr again: emin misin, emin misiniz, gerçekten mi, cevap ver, cevapla, tekrar et, tekrarla, bir daha
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
    id again: apakah kamu yakin, kamu yakin, yakin, jawab, ulangi, sekali lagi, benarkah
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
    vi again: bạn chắc không, bạn có chắc không, chắc không, chắc chắn, trả lời, nhắc lại, thật không
    sw who: nani
    sw what: nini, gani
    sw where: wapi
    sw when: lini
    sw why: kwa nini
    sw how: vipi, jinsi gani
    sw much: ngapi
    sw word: ni, ya, wa, la, za, na, kwa, tafadhali, niambie, habari, asante, je
    """
}
