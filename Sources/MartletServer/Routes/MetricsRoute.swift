import Hummingbird
import MartletData
import MartletDevice
import MartletEngine
import MartletModels

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
      body: ResponseBody(
        byteBuffer: ByteBuffer(string: metrics.text(model.current?.engine.statistics) + device + host.metrics)))
  }

  /// The device that the model runs on.
  private var device: String {
    guard let card = (model.current?.engine.loaded.model as? DeviceModel)?.device else { return "" }
    let name = card.description.name.printable.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"")
    return """
      # HELP martlet_device_memory_bytes Memory that the model, its states and its passes take on the device.
      # TYPE martlet_device_memory_bytes gauge
      martlet_device_memory_bytes{device="\(name)"} \(card.allocatedByteCount)
      # HELP martlet_device_lost Whether the device has stopped working.
      # TYPE martlet_device_lost gauge
      martlet_device_lost{device="\(name)"} \(card.isLost ? 1 : 0)

      """
  }
}
