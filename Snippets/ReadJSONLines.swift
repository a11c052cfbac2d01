// Reads JSON lines, plain or compressed, and writes a file that appears only when it is whole.
import MartletData

var names: [String] = []
for line in try JSONLines.read("people.jsonl.gz") {
  guard let name = line.value["name"]?.string else { throw line.failure("it has no name") }
  names.append(name)
}
let summary: JSONValue = ["count": .integer(names.count), "names": .array(names.map { .string($0) })]
try AtomicFile.write(Array(summary.text.utf8), to: "summary.json")
