import Testing

@testable import MartletEngine

/// What runs in the next step, decided without a model.
struct ScheduleTests {
  private let schedule = Schedule(maxSequences: 4, maxWaiting: 2, promptChunk: 10)

  private func prompt(_ unread: Int, read: Int = 0, pauses: [Int] = [], together: Int = 1) -> Schedule.Sequence {
    Schedule.Sequence(unread: unread, read: read, pauses: pauses, together: together)
  }

  private let answer = Schedule.Sequence(unread: 1, read: 9, isAnswering: true)

  @Test func freePlacesOfTheBatchCountAsRoom() {
    #expect(schedule.hasRoom(for: 6, waiting: 0, running: 0))
    #expect(!schedule.hasRoom(for: 7, waiting: 0, running: 0))
    #expect(schedule.hasRoom(for: 1, waiting: 1, running: 4))
    #expect(!schedule.hasRoom(for: 1, waiting: 2, running: 4))
    let none = Schedule(maxSequences: 2, maxWaiting: 0, promptChunk: 10)
    #expect(none.hasRoom(for: 2, waiting: 0, running: 0) && !none.hasRoom(for: 1, waiting: 0, running: 2))
    #expect(Schedule(maxSequences: 1, maxWaiting: .max, promptChunk: 1).hasRoom(for: 1000, waiting: 1000, running: 1))
  }

  @Test func thoseThatWaitEnterWherePlacesAreFree() {
    #expect(schedule.admissions(waiting: 9, running: 1) == 3)
    #expect(schedule.admissions(waiting: 2, running: 0) == 2)
    #expect(schedule.admissions(waiting: 5, running: 4) == 0)
    #expect(schedule.admissions(waiting: 5, running: 6) == 0)
  }

  /// Answers go on beside prompts that fill the step.
  @Test func promptsShareTheChunkAndAnswersGoOn() {
    #expect(schedule.rows(of: [prompt(7), answer, prompt(7), answer, prompt(7)]) == [7, 1, 3, 1, 0])
    #expect(schedule.rows(of: [prompt(30)]) == [10])
    // A prompt's last token is read at once, as an answer's is.
    #expect(schedule.rows(of: [prompt(12), prompt(1)]) == [10, 1])
    #expect(schedule.rows(of: []).isEmpty)
  }

  @Test func aPromptThatAnotherReadsTakesNoRoom() {
    var waiting = prompt(7)
    waiting.isReadElsewhere = true
    #expect(schedule.rows(of: [prompt(7), waiting, prompt(7)]) == [7, 0, 3])
  }

  @Test func readingPausesWhereAStateIsToBeRemembered() {
    #expect(schedule.rows(of: [prompt(9, pauses: [4, 6])]) == [4])
    #expect(schedule.rows(of: [prompt(5, read: 4, pauses: [4, 6])]) == [2])
    #expect(schedule.rows(of: [prompt(3, read: 6, pauses: [4, 6])]) == [3])
    var begun = answer
    begun.pauses = [12]
    #expect(schedule.rows(of: [begun]) == [1])
  }

  /// The prompt's last rows are read in one step, whatever is left of the chunk.
  @Test func rowsThatBelongTogetherAreNotParted() {
    for length in 1...60 {
      for together in 1...min(12, length) {
        var sequence = prompt(length, together: together)
        var last = 0
        var steps = 0
        while sequence.unread > 0, steps < 100 {
          last = schedule.rows(of: [sequence])[0]
          sequence.unread -= last
          sequence.read += last
          steps += 1
        }
        #expect(sequence.unread == 0 && last >= together, "\(length) tokens, \(together) together")
      }
    }
  }

  @Test func textsAreReadInOrderAsFarAsThereIsRoom() {
    #expect(schedule.pieces(of: [4, 9, 3], areScored: false) == [4, 6, 0])
    let large = Schedule(maxSequences: 4, maxWaiting: 2, promptChunk: 512)
    #expect(large.pieces(of: [300, 300], areScored: false) == [300, 212])
    #expect(large.pieces(of: [300, 300], areScored: true) == [128, 0])
  }
}
