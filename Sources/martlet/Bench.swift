import ArgumentParser
import Foundation
import MartletData
import MartletDevice
import MartletEngine
import MartletLaboratory
import MartletModels
import MartletTensor

struct Bench: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "bench",
    abstract: "Measures decode and prefill speed and compares them with the limits of the machine.",
    discussion: """
      The memory bandwidth and the arithmetic peak are measured in the same run. Times are medians of --repeats runs.

      Example: martlet bench model.gguf --threads 2 --batch 1,2,4,8,16 --json
      """)
  @OptionGroup var options: ModelOptions
  @Option(help: "Number of tokens to decode in each run.") var decode = 64
  @Option(help: "Number of prompt tokens in the context before decoding starts.") var context = 64
  @Option(help: "Number of tokens of the prefill run; 0 skips it.") var prefill = 512
  @Option(help: "Batch sizes of decoding, separated by commas.") var batch = "1"
  @Option(help: "Number of runs of each measurement.") var repeats = 3
  @Flag(help: "Print one JSON object.") var json = false

  func validate() throws {
    for (name, value, least, most) in [
      ("--decode", decode, 1, 1 << 20), ("--context", context, 1, 1 << 20), ("--prefill", prefill, 0, 1 << 20),
      ("--repeats", repeats, 1, 10_000),
    ] where !(least...most).contains(value) {
      throw ValidationError("\(name) must be from \(least) to \(most)")
    }
    if sizes.count != batch.split(separator: ",", omittingEmptySubsequences: false).count {
      throw ValidationError("--batch must be numbers from 1 to 256, e.g. 1,2,4")
    }
  }

  private var sizes: [Int] { batch.split(separator: ",").compactMap { Int($0) }.filter { (1...256).contains($0) } }

  func run() throws {
    let started = Date()
    let model = try options.loadModel()
    let loadSeconds = Date().timeIntervalSince(started)
    if let own = model.description.contextLength {
      for (name, tokens) in [("--prefill", prefill), ("--context and --decode together", context + decode)]
      where tokens > own {
        throw ValidationError("\(name): \(tokens) tokens are more than this model's context of \(own)")
      }
    }
    let machine = MachineProbe.measure()
    let card = (model as? DeviceModel)?.device
    let bandwidth = try card.map { try DeviceSelfTest.copyBandwidth($0) } ?? machine.readBandwidth
    let benchmark = Benchmark(model: model)
    var rows: [[String: Any]] = []
    func show(_ text: String) { if !json { print(text) } }
    let description = model.description
    show(
      String(
        format: "%@, %.0fM parameters, %@ a token; loaded in %.2f s", description.architecture,
        Double(description.parameterCount) / 1e6, SystemMemory.text(description.bytesPerToken), loadSeconds))
    show(
      String(
        format: "machine: %@, %d threads, reads %.1f GB/s, %.0f GFLOP/s float, %.0f GOP/s 8-bit", machine.simd,
        machine.threads, machine.readBandwidth / 1e9, machine.floatPeak / 1e9, machine.integerPeak / 1e9))
    if let card {
      show(String(format: "device: %@, copies %.1f GB/s", card.description.description.printable, bandwidth / 1e9))
    }
    if prefill > 0 {
      let rate = benchmark.prefill(prefill, repeats: repeats)
      rows.append(["test": "prefill", "tokens": prefill, "tokens_per_second": rate])
      show(String(format: "prefill %4d              %8.1f tokens/s", prefill, rate))
    }
    for size in sizes {
      let rate = benchmark.decode(decode, sequences: size, context: context, repeats: repeats)
      let share = rate / Double(size) * Double(description.bytesPerToken) / bandwidth
      rows.append([
        "test": "decode", "sequences": size, "tokens": decode, "context": context, "tokens_per_second": rate,
        "bandwidth_share": share,
      ])
      show(
        String(
          format: "decode  %4d together     %8.1f tokens/s, weights read at %.0f %% of bandwidth", size, rate,
          share * 100))
    }
    try model.checkPasses()
    if json {
      var object: [String: Any] = [
        "model": options.model, "architecture": description.architecture, "parameters": description.parameterCount,
        "bytes_per_token": description.bytesPerToken, "load_seconds": loadSeconds, "threads": machine.threads,
        "simd": machine.simd, "read_bandwidth": machine.readBandwidth, "float_peak": machine.floatPeak,
        "integer_peak": machine.integerPeak, "results": rows,
      ]
      if let card {
        object["device"] = card.description.name.printable
        object["driver"] = card.description.driver
        object["copy_bandwidth"] = bandwidth
      }
      try Terminal.printJSON(object)
    }
  }
}
