import CMartletKernels

/// The thread pool that all kernels share.
public enum Parallel {
  /// The number of threads of a parallel region, including the caller (`MARTLET_THREADS`; default: all processors).
  public static var width: Int {
    get { Int(martlet_pool_width()) }
    set { martlet_pool_set_width(Int32(clamping: newValue)) }
  }

  /// Runs `body(0)` ... `body(chunks - 1)`, each once, on the pool, and returns when all have finished.
  public static func run(_ chunks: Int, _ body: (Int) -> Void) {
    if chunks == 1 { return body(0) }
    withoutActuallyEscaping(body) { body in
      var body = body
      withUnsafeMutablePointer(to: &body) { pointer in
        martlet_pool_run(
          { context, chunk in context?.assumingMemoryBound(to: ((Int) -> Void).self).pointee(Int(chunk)) },
          pointer, Int64(chunks))
      }
    }
  }

  /// Splits `0..<count` into ranges of `grain` elements and runs `body` on each of them in parallel.
  public static func forEach(_ count: Int, grain: Int, _ body: (Range<Int>) -> Void) {
    let grain = max(1, grain)
    guard count > grain else { return body(0..<count) }
    run((count + grain - 1) / grain) { chunk in body(chunk * grain..<min(count, (chunk + 1) * grain)) }
  }
}
