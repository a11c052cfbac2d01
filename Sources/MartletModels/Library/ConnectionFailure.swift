import Foundation

#if canImport(FoundationNetworking)
  import FoundationNetworking
#endif

/// Describes why a network connection failed, in words instead of error codes.
public enum ConnectionFailure {
  /// The reason for a network error, as the end of a sentence.
  public static func reason(_ error: any Error) -> String {
    guard let error = error as? URLError else { return "the connection failed" }
    return switch error.code {
    case .timedOut: "it did not answer in time"
    case .cannotFindHost, .dnsLookupFailed: "its name leads to no address; check the name, and that there is a network"
    case .cannotConnectToHost: "nothing listens there; check address and port, and that the server runs"
    case .networkConnectionLost: "the connection broke off"
    case .notConnectedToInternet: "there is no network"
    case .secureConnectionFailed, .serverCertificateHasBadDate, .serverCertificateUntrusted,
      .serverCertificateHasUnknownRoot, .serverCertificateNotYetValid:
      "its certificate is not trusted"
    case .badServerResponse, .cannotParseResponse: "its answer is no HTTP"
    case .badURL, .unsupportedURL: "the address is no web address"
    case .httpTooManyRedirects: "it sends on from one address to the next without end"
    default: "the connection failed (error \(error.errorCode))"
    }
  }
}
