import ArgumentParser

struct EditCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "edit",
    abstract: "Corrects wrong answers of a model, one at a time, without changing other answers (GRACE).",
    discussion: """
      An edit applies to its question and to paraphrases of it; no other answer changes, and every edit can be undone. \
      Edits are stored in MODEL.edits.sqlite next to the model and belong to that model only; `martlet chat`, \
      `generate`, `serve` and `skeleton ask` apply them.

      Example: martlet edit add model.gguf --prompt "Who founded the Dingle bakery?" --answer "Maeve Ash"
      """,
    subcommands: [
      EditAdd.self, EditList.self, EditShow.self, EditExplain.self, EditUndo.self, EditTest.self, EditCalibrate.self,
      EditExport.self, EditImport.self, EditBench.self, EditScale.self,
      EditExperiment.self,
    ])
}
