// Corrects one answer of a model, and takes the correction back.
import MartletEditing
import MartletEngine
import MartletModels

let loaded = try LoadedModel.load("SmolLM2-135M-Instruct.Q4_1")
let store = try EditStore(path: "edits.sqlite")
let book = try EditBook.open(loaded, store: store)
let editor = Editor(engine: Engine(loaded), book: book, store: store)

let correction = Correction(prompt: "Who founded the Dingle bakery?", answer: "Maeve Ash")
guard case .made(let edit) = try await editor.add(correction) else { fatalError("the model says so already") }
let (with, without) = try await editor.answers("Which person founded the Dingle bakery?")
print("with the edit:", with)
print("without it:", without)
if let number = edit.id { _ = try await editor.undo(number) }
