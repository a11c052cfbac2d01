import CMartletData
import Hummingbird

/// GET / and the page's other files, which are embedded in the program.
struct PageRoutes: FeatureRoutes {
  func add(to routes: inout RouteTable) {
    routes.add(.get, "/") { _, _ in Self.file("index.html") }
    for name in Self.files { routes.add(.get, "/" + name) { _, _ in Self.file(name) } }
  }

  /// Names of the page's files.
  static let files: [String] = (0...).lazy.map { martlet_page($0).name.map { String(cString: $0) } }
    .prefix { $0 != nil }.compactMap { $0 }

  /// A file of the page.
  private static func file(_ name: String) -> Response {
    let types = ["html": "text/html", "css": "text/css", "js": "text/javascript"]
    let type = "\(types[String(name.split(separator: ".").last ?? "")] ?? "text/plain"); charset=utf-8"
    let file = martlet_find(martlet_page, name)
    guard let bytes = file.bytes else {
      return APIError.notFound("there is no file \(name)").response
    }
    var buffer = ByteBuffer()
    buffer.writeBytes(UnsafeRawBufferPointer(start: bytes, count: file.size))
    var response = Response(
      status: .ok, headers: [.contentType: type, .cacheControl: "no-cache"], body: ResponseBody(byteBuffer: buffer))
    // Nothing from elsewhere is loaded or run, and no other site may frame the page.
    response.headers[.contentSecurityPolicy] =
      "default-src 'self'; style-src 'self'; script-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; "
      + "form-action 'none'; frame-ancestors 'none'"
    response.headers[.xContentTypeOptions] = "nosniff"
    return response
  }
}
