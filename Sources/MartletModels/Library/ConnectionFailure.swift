import Foundation

#if canImport(FoundationNetworking)
  import FoundationNetworking
#endif

/// Describes why a network connection failed, in words instead of error codes.
package enum ConnectionFailure {
  /// The reason for a network error, as the end of a sentence.
  package static func reason(_ error: any Error) -> String {
    guard let error = error as? URLError else { return "the connection failed" }
    return switch error.code {
    case .timedOut: "it did not answer in time"
    case .cannotFindHost, .dnsLookupFailed: "its name has no address; check the name and the network connection"
    case .cannotConnectToHost: "no server listens there; check the address and the port, and that the server runs"
    case .networkConnectionLost: "the connection was lost"
    case .notConnectedToInternet: "there is no network connection"
    case .secureConnectionFailed, .serverCertificateHasBadDate, .serverCertificateUntrusted,
      .serverCertificateHasUnknownRoot, .serverCertificateNotYetValid:
      "its certificate is not trusted"
    case .badServerResponse, .cannotParseResponse: "its answer is not HTTP"
    case .badURL, .unsupportedURL: "the address is not a web address"
    case .httpTooManyRedirects: "it redirects without end"
    default: "the connection failed (error \(error.errorCode))"
    }
  }
}
