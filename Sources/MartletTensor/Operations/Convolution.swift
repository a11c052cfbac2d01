import MartletKernels

// Convolutions are matrix products over windows. Cutting an image into windows and adding windows back into an image
// are each other's gradient, so both directions can be differentiated any number of times.

/// Geometry of square windows over `[channels, height, width]`.
public struct Window: Sendable {
  public var kernel: (height: Int, width: Int)
  public var stride: Int
  public var padding: Int

  public init(kernel: (height: Int, width: Int), stride: Int = 1, padding: Int = 0) {
    self.kernel = kernel
    self.stride = stride
    self.padding = padding
  }

  fileprivate func outputs(_ height: Int, _ width: Int) -> (height: Int, width: Int) {
    ((height + 2 * padding - kernel.height) / stride + 1, (width + 2 * padding - kernel.width) / stride + 1)
  }

  fileprivate func code(_ channels: Int, _ height: Int, _ width: Int) -> martlet_window {
    let out = outputs(height, width)
    return martlet_window(
      channels: Int64(channels), height: Int64(height), width: Int64(width), kernel_height: Int64(kernel.height),
      kernel_width: Int64(kernel.width), out_height: Int64(out.height), out_width: Int64(out.width),
      stride: Int64(stride), padding: Int64(padding))
  }
}

extension Tensor {
  /// `[batch, channels, height, width]` to `[batch, channels * kernel, places]`; pixels outside are 0.
  public func unfolded(_ window: Window) -> Tensor {
    let image = contiguous(), (channels, height, width) = (shape[1], shape[2], shape[3])
    var code = window.code(channels, height, width)
    let result = Tensor.empty(
      [shape[0], channels * window.kernel.height * window.kernel.width, Int(code.out_height * code.out_width)],
      dtype: dtype)
    for item in 0..<shape[0] {
      if dtype == .float64 {
        martlet_unfold_double(&code, image.doubles + item * columns, result.mutableDoubles + item * result.columns)
      } else {
        martlet_unfold(&code, image.floats + item * columns, result.mutableFloats + item * result.columns)
      }
    }
    let size = (channels, height, width)
    return result.recorded(from: [self]) { [$0.gradient.folded(window, size)] }
  }

  /// The adjoint of ``unfolded(_:)``: windows are added into an image of `size` (channels, height, width).
  public func folded(_ window: Window, _ size: (channels: Int, height: Int, width: Int)) -> Tensor {
    let windows = contiguous()
    var code = window.code(size.channels, size.height, size.width)
    let result = Tensor.zeros([shape[0], size.channels, size.height, size.width], dtype: dtype)
    for item in 0..<shape[0] {
      if dtype == .float64 {
        martlet_fold_double(&code, windows.doubles + item * columns, result.mutableDoubles + item * result.columns)
      } else {
        martlet_fold(&code, windows.floats + item * columns, result.mutableFloats + item * result.columns)
      }
    }
    return result.recorded(from: [self]) { [$0.gradient.unfolded(window)] }
  }
}

/// Cross-correlation of `[batch, in, height, width]` with `[out, in, kernelHeight, kernelWidth]`.
public func convolution(_ x: Tensor, weight: Tensor, bias: Tensor? = nil, stride: Int = 1, padding: Int = 0) -> Tensor {
  precondition(x.shape[1] == weight.shape[1], "\(x.shape) with \(weight.shape)")
  let window = Window(kernel: (weight.shape[2], weight.shape[3]), stride: stride, padding: padding)
  let out = window.outputs(x.shape[2], x.shape[3])
  let y = matmul(weight.reshaped([weight.rows, weight.columns]), x.unfolded(window))
    .reshaped([x.shape[0], weight.rows, out.height, out.width])
  return bias.map { y + $0.reshaped([$0.count, 1, 1]) } ?? y
}

/// Transposed convolution of `[batch, in, height, width]` with `[in, out, kernelHeight, kernelWidth]`: the gradient of
/// ``convolution(_:weight:bias:stride:padding:)`` with respect to its input.
public func transposedConvolution(
  _ x: Tensor, weight: Tensor, bias: Tensor? = nil, stride: Int = 1, padding: Int = 0
) -> Tensor {
  precondition(x.shape[1] == weight.shape[0], "\(x.shape) with \(weight.shape)")
  let window = Window(kernel: (weight.shape[2], weight.shape[3]), stride: stride, padding: padding)
  let height = (x.shape[2] - 1) * stride - 2 * padding + weight.shape[2]
  let width = (x.shape[3] - 1) * stride - 2 * padding + weight.shape[3]
  let windows = matmul(
    weight.reshaped([weight.rows, weight.columns]).transposed(),
    x.reshaped([x.shape[0], x.shape[1], x.shape[2] * x.shape[3]]))
  let y = windows.folded(window, (weight.shape[1], height, width))
  return bias.map { y + $0.reshaped([$0.count, 1, 1]) } ?? y
}

extension Tensor {
  /// Windows of each channel by itself: `[batch, channels, kernel, places]`.
  private func channelWindows(_ window: Window) -> Tensor {
    let (batch, channels) = (shape[0], shape[1])
    let windows = reshaped([batch * channels, 1, shape[2], shape[3]]).unfolded(window)
    return windows.reshaped([batch, channels, windows.shape[1], windows.shape[2]])
  }

  /// Mean of each window, without padding.
  public func averagePooled(size: Int, stride: Int? = nil) -> Tensor {
    let window = Window(kernel: (size, size), stride: stride ?? size), out = window.outputs(shape[2], shape[3])
    return channelWindows(window).mean(axes: [2]).reshaped([shape[0], shape[1], out.height, out.width])
  }

  /// Largest value of each window, without padding.
  public func maxPooled(size: Int, stride: Int? = nil) -> Tensor {
    let window = Window(kernel: (size, size), stride: stride ?? size), out = window.outputs(shape[2], shape[3])
    return channelWindows(window).maximum(axis: 2).reshaped([shape[0], shape[1], out.height, out.width])
  }
}
