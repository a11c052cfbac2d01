import ArgumentParser

struct EditCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "edit",
    abstract: "Puts wrong answers right, one at a time, without harming others (GRACE).",
    discussion: """
      An edit holds for its question and for the same question in other words; nothing else changes, and every edit can \
      be taken back. Edits lie in MODEL.edits.sqlite beside the model, for that model only; `martlet chat`, \
      `generate`, `serve` and `skeleton ask` use them.

      Example: martlet edit add model.gguf --prompt "Who founded the Dingle bakery?" --answer "Maeve Ash"
      """,
    subcommands: [
      EditAdd.self, EditList.self, EditShow.self, EditExplain.self, EditUndo.self, EditTest.self, EditCalibrate.self,
      EditExport.self, EditImport.self, EditBench.self, EditScale.self,
      EditExperiment.self,
    ])
}
