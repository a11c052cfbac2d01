import Foundation
import MartletCheckpoints
import MartletData
import MartletModels
import MartletTensor
import MartletTraining

/// A student before it is trained: the model with what an earlier run has taught it, its tokenizer and its chat format.
struct StudentParts {
  /// The model that is trained.
  var model: any TrainableModel
  /// The model with its tokenizer and chat format.
  let loaded: LoadedModel
  /// The adapter that training starts from; nil for none.
  private(set) var adapter: LoadedAdapter?
  private let checkpoint: Checkpoint

  /// - Parameters:
  ///   - student: which model.
  ///   - isFull: whether all parameters are trained; otherwise they stay packed in their own format.
  ///   - start: the folder of the run whose result training starts from.
  init(_ student: StudentSettings, isFull: Bool, start: String?) throws {
    checkpoint = try ModelLibrary().open(student.model)
    var read = checkpoint
    if let start, StudentFiles.isWholeModel(start) {
      // Adapters say which model they are of, and this one is no model of the library.
      guard isFull else {
        throw TeachingError(
          "\(start) holds all parameters, and adapters would be trained beside them; train both with adapters, or both without"
        )
      }
      read = try Checkpoint.open(StudentFiles.model(start))
    }
    model = try ModelLoading.loadTrainable(read, frozen: !isFull)
    if let start, !StudentFiles.isWholeModel(start) {
      guard !isFull else {
        throw TeachingError(
          "\(start) holds adapters, and \"rank\" 0 trains all parameters; train both with adapters, or both without")
      }
      adapter = try AdapterFile.load(start, into: &model)
    }
    loaded = try LoadedModel(model: model, checkpoint: checkpoint)
  }

  /// Writes what was learnt.
  func write(_ model: any TrainableModel, adapters: AdapterSettings?, to folder: String) throws {
    if let adapters {
      try AdapterFile.write(model, settings: adapters, base: checkpoint.path, to: folder)
    } else {
      try ModelExport.write(model, to: StudentFiles.model(folder))
    }
  }
}

/// The files in which a run leaves what it has taught.
package enum StudentFiles {
  /// The file of a whole model.
  static func model(_ folder: String) -> String { folder + "/model.safetensors" }

  /// Whether a run has trained all parameters.
  static func isWholeModel(_ folder: String) -> Bool { FileManager.default.fileExists(atPath: model(folder)) }

  /// A student with what a run has taught it.
  /// - Parameters:
  ///   - student: which model.
  ///   - folder: the folder of the run; nil for the student as it is.
  package static func load(_ student: StudentSettings, trainedIn folder: String?) throws -> LoadedModel {
    guard let folder else { return try LoadedModel.load(student.model) }
    guard isWholeModel(folder) else {
      return try LoadedModel.load(student.model, options: LoadedModel.Options(adapters: [folder]))
    }
    // The tokenizer and the chat format are those of the model before.
    return try LoadedModel(
      model: ModelLoading.load(Checkpoint.open(model(folder))), checkpoint: ModelLibrary().open(student.model))
  }
}
