import Foundation

/// Reads lines that a person edits on a terminal.
struct LineReader {
  enum Input: Equatable {
    case line(String)
    case interrupted
    case end
  }

  let device: TerminalDevice
  private(set) var history: LineHistory
  private let completions: [String]
  private var decoder = KeyDecoder()
  /// Keys that came behind a finished line.
  private var waiting: [Key] = []
  private var killed = ""
  /// Whether nothing has been read yet.
  private var isFirst = true

  /// How long the rest of a sequence may take before escape is a key of its own, and how often the size is looked at.
  private static let sequenceTime: Int32 = 60, lookTime: Int32 = 200

  init(_ device: TerminalDevice, history: LineHistory, completions: [String]) {
    self.device = device
    self.history = history
    self.completions = completions
  }

  /// Reads one line, with the terminal's modes changed for that time.
  mutating func read(prompt: String) -> Input {
    device.enter(.editing)
    defer { device.enter(.waiting) }
    var editor = LineEditor(history: history.lines, killed: killed, completions: completions)
    defer { killed = editor.cutText }
    var screen = Screen(device, prompt: prompt)
    screen.draw(editor)
    while true {
      while !waiting.isEmpty {
        switch editor.handle(waiting.removeFirst()) {
        case nil: continue
        case .line(let line):
          screen.finish(editor)
          return .line(line)
        case .interrupted:
          screen.finish(editor)
          return .interrupted
        case .endOfInput:
          screen.finish(editor)
          return .end
        case .clearScreen: screen.clear()
        case .suspend:
          screen.finish(editor)
          suspend()
        }
      }
      screen.draw(editor)
      while waiting.isEmpty {
        // What has come is taken together, so that a long paste is drawn once.
        guard var bytes = device.read(within: decoder.isWaiting ? Self.sequenceTime : Self.lookTime) else {
          screen.finish(editor)
          return .end
        }
        if isFirst, !bytes.isEmpty {
          // What was typed before the modes were changed holds a zero where Ctrl-D was.
          bytes = bytes.map { $0 == 0 ? 4 : $0 }
          isFirst = false
        }
        waiting = bytes.isEmpty ? decoder.flush() : decoder.feed(bytes)
        // A prompt that nobody writes at is left as it is: drawing takes away what was marked with the mouse.
        if waiting.isEmpty { screen.refresh(editor) }
      }
    }
  }

  /// Keeps a line, for the arrow keys of this run and later ones.
  mutating func remember(_ line: String) throws { try history.add(line) }

  private func suspend() {
    device.restore()
    // The thread that raises it stands still before it goes on.
    raise(SIGTSTP)
    device.enter(.editing)
  }

  /// The line as it is seen.
  private struct Screen {
    let device: TerminalDevice
    private let prompt: String
    private var view: LineView
    private var dumb: DumbLineView
    private var size: LineView.Size
    private var continuationCount: Int

    init(_ device: TerminalDevice, prompt: String) {
      self.device = device
      self.prompt = prompt
      view = LineView(prompt: prompt, isBold: Terminal.showsColor)
      dumb = DumbLineView(prompt: prompt)
      size = device.size
      continuationCount = device.continuationCount
    }

    mutating func draw(_ editor: LineEditor, isLast: Bool = false) {
      size = device.size
      continuationCount = device.continuationCount
      let bell = editor.rings ? "\u{7}" : ""
      device.write(
        bell
          + (device.isCapable
            ? view.draw(editor.buffer, size: size, prompt: isLast ? nil : editor.searchPrompt, isLast: isLast)
            : dumb.draw(editor.buffer, isLast: isLast)))
    }

    mutating func finish(_ editor: LineEditor) { draw(editor, isLast: true) }

    /// Draws again where the window has another size, or the program has stood still meanwhile.
    mutating func refresh(_ editor: LineEditor) {
      if device.size != size || device.continuationCount != continuationCount { draw(editor) }
    }

    mutating func clear() {
      guard device.isCapable else { return }
      device.write("\u{1b}[H\u{1b}[2J")
      view.reset()
    }
  }
}
