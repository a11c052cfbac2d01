/// What a feature of the server answers: it brings its own routes, and `ModelServer` puts the features together.
protocol FeatureRoutes: Sendable {
  /// Adds the feature's routes. Errors that name the paths of the server list them in the order in which they were added.
  func add(to routes: inout RouteTable)
}
