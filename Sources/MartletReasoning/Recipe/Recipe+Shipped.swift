import CMartletData
import Foundation
import MartletData

extension Recipe {
  /// The names of the recipes that are part of the package, in the order of the alphabet.
  public static var shippedNames: [String] {
    var names: [String] = []
    while let name = martlet_recipes(names.count).name { names.append(String(cString: name)) }
    return names.map { $0.hasSuffix(".json") ? String($0.dropLast(5)) : $0 }.sorted()
  }

  /// A recipe that is part of the package.
  /// - Parameters:
  ///   - name: such as `magister-symbolic`.
  ///   - student: the model that is taught in place of the recipe's; nil for that one.
  /// - Throws: ``TeachingError`` that names similar ones.
  public static func shipped(_ name: String, student: String? = nil) throws -> Recipe {
    let file = martlet_find(martlet_recipes, name + ".json")
    guard let bytes = file.bytes else {
      let names = shippedNames, question = NearestNames.question(name, among: names)
      throw TeachingError(
        "there is no recipe \"\(name.printable)\""
          + (question.isEmpty ? "; shipped are \(names.joined(separator: ", "))" : question))
    }
    let text = Array(UnsafeBufferPointer(start: bytes, count: file.size))
    return try Recipe(text, of: name + ".json").taught(to: student)
  }

  /// The recipe with another student.
  /// - Parameter student: a path or a name of a model; nil for the recipe's own.
  /// - Throws: `FileError` never in practice: the recipe was read before.
  public func taught(to student: String?) throws -> Recipe {
    guard let student, student != self.student.model else { return self }
    let root = try JSONValue(parsing: Array(source.utf8))
    var recipe = JSONObject()
    for member in root.object?.members ?? [] {
      guard member.key == "student" else {
        recipe.append(member.key, member.value)
        continue
      }
      var settings = JSONObject()
      for part in member.value.object?.members ?? [] {
        settings.append(part.key, part.key == "model" ? .string(student) : part.value)
      }
      recipe.append("student", .object(settings))
    }
    return try Recipe(Array((JSONValue.object(recipe).text + "\n").utf8), of: name + ".json")
  }
}
