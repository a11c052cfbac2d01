import ArgumentParser
import MartletReasoning

struct TeachRecipes: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "recipes",
    abstract: "Lists the recipes that are part of Martlet, or prints one to change.",
    discussion: "Example: martlet teach recipes stepbystep-svamp > mine.json")

  @Argument(help: "Recipe to print (default: list all).") var name: String?
  @Flag(help: "Print one JSON object.") var json = false

  func run() throws {
    if let name { return print(try Recipe.shipped(name).source, terminator: "") }
    let recipes = try Recipe.shippedNames.map { try Recipe.shipped($0) }
    if json {
      return try Terminal.printJSON([
        "recipes": recipes.map {
          ["name": $0.name, "about": $0.about, "student": $0.student.model, "arms": $0.arms.map(\.name)]
        } as [[String: Any]]
      ])
    }
    for recipe in recipes { print("\(recipe.name)\n  \(recipe.about)") }
  }
}
