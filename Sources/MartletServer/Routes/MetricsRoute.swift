import Hummingbird
import MartletEngine

/// GET /metrics: counts of requests, the engine's statistics, and the host check's verdicts, in Prometheus' text format.
struct MetricsRoute: FeatureRoutes {
  let model: ServedModel
  let metrics: ServerMetrics
  let host: HostWatch

  func add(to routes: inout RouteTable) {
    routes.add(.get, "/metrics") { _, _ in text() }
  }

  private func text() -> Response {
    Response(
      status: .ok, headers: [.contentType: "text/plain; version=0.0.4; charset=utf-8"],
      body: ResponseBody(byteBuffer: ByteBuffer(string: metrics.text(model.current?.engine.statistics) + host.metrics)))
  }
}
