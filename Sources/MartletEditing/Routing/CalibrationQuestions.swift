/// Questions that have nothing to do with each other: what keys are measured against where no others are given
/// (`martlet edit calibrate --prompts FILE`).
enum CalibrationQuestions {
  static let standard: [String] = """
    when did the first railway across Canada open
    who wrote the music for the film Jaws
    What is the boiling point of ethanol?
    how many bones does an adult human have
    Which river flows through Baghdad?
    who was the first woman to win a Nobel Prize
    where is the tv show bones set
    What language is spoken in Paraguay besides Spanish?
    when does the new fiscal year start in Japan
    what do you call a baby kangaroo
    Who painted the ceiling of the Sistine Chapel?
    how long does it take light to reach the earth
    name the capital of Mongolia
    Which company makes the Corolla?
    what is the name of the dog in Tintin
    who sings the theme song of Friends
    The largest moon of Saturn is
    why do leaves turn red in autumn
    Which team won the 1966 football world cup?
    what year did the Berlin Wall come down
    who invented the ballpoint pen
    how many players are on a volleyball team
    What currency is used in Sweden?
    where do monarch butterflies spend the winter
    The author of Don Quixote is
    when was the magna carta signed
    what does the acronym NASA stand for
    who is the head of a monastery called
    Which planet has the shortest day?
    how is parmesan cheese made
    what are the ingredients of a margarita
    In which city is the Prado museum?
    who played the doctor before Matt Smith
    what kind of animal is a gecko
    The chemical symbol of tungsten is
    when was penicillin discovered
    how many strings does a cello have
    which king had six wives
    what is the longest word in the dictionary
    where was the treaty of Westphalia signed
    who owns the Chicago Cubs
    what causes a rainbow
    Which sport does Serena Williams play?
    how tall is the Eiffel Tower
    who discovered the structure of benzene
    what is the national bird of India
    The opposite of generous is
    when do the clocks go back in Britain
    what is a group of crows called
    who was president during the civil war
    how do vaccines work
    Which ocean lies between Africa and Australia?
    what instrument did Louis Armstrong play
    where can you find the oldest tree in the world
    who founded the city of Alexandria
    what is the square root of 144
    How many time zones does Russia have?
    the last episode of the sopranos aired in
    what is the difference between a crocodile and an alligator
    who holds the record for most career home runs
    Which gas do plants take in?
    when did Hawaii become a state
    what type of government does Norway have
    who is the voice of Darth Vader
    What is the mother tongue of most Brazilians?
    how old do you have to be to vote in Austria
    what is the highest mountain in South America
    who plays the piano in Casablanca
    where does the term silicon come from
    The headquarters of the Red Cross are in
    what was the first video game console
    who was the architect of the Sydney Opera House
    how many chapters are in the book of Genesis
    Which vitamin does sunlight give you?
    what is the meaning of the word ephemeral
    when was the first iphone sold
    who ruled Egypt after Cleopatra
    What do pandas eat?
    how many liters are in a gallon
    where is the headquarters of Nestle
    who won best actor in 1994
    what is the plot of Hamlet
    Which element do all acids contain?
    when was the last time Vesuvius erupted
    what does a seismograph measure
    who carried the ring to Mordor
    The inventor of dynamite was born in
    how fast can a cheetah run
    what is the official religion of Thailand
    who coined the term natural selection
    where did the tango come from
    What position did Pele play?
    how many stars are on the flag of Australia
    which bone is the longest in the leg
    what happened at the Boston Tea Party
    who is the patron saint of Ireland
    When is the best time to plant garlic?
    what is the fear of spiders called
    which state has the smallest population
    how do you make a paper plane
    """.split(separator: "\n").map(String.init)
}
