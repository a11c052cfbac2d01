// Convolutions are matrix products over windows. Cutting an image into windows and adding windows back into an image
// are each other's gradient, so both directions can be differentiated any number of times.

/// The geometry of windows over an image `[channels, height, width]`.
public struct Window: Sendable {
  /// The size of a window in pixels.
  public var kernel: (height: Int, width: Int)
  /// The distance between neighbouring windows in pixels, along both axes.
  public var stride: Int
  /// The number of rows and columns of zeros added on each side of the image.
  public var padding: Int

  /// Windows of `kernel` pixels, `stride` apart, over an image with `padding` zeros on every side.
  public init(kernel: (height: Int, width: Int), stride: Int = 1, padding: Int = 0) {
    self.kernel = kernel
    self.stride = stride
    self.padding = padding
  }

  /// Windows along each axis of an image of this size.
  func outputs(_ height: Int, _ width: Int) -> (height: Int, width: Int) {
    ((height + 2 * padding - kernel.height) / stride + 1, (width + 2 * padding - kernel.width) / stride + 1)
  }
}

extension Tensor {
  /// `[batch, channels, height, width]` to `[batch, channels * kernel, windows]` (im2col). Pixels outside the image are
  /// 0.
  public func unfolded(_ window: Window) -> Tensor {
    let size = (shape[1], shape[2], shape[3])
    return CPU.unfold(contiguous(), window).recorded(from: [self]) { [$0.gradient.folded(window, size)] }
  }

  /// The adjoint of ``unfolded(_:)``: the windows are summed into an image of `size` (channels, height, width).
  public func folded(_ window: Window, _ size: (channels: Int, height: Int, width: Int)) -> Tensor {
    CPU.fold(contiguous(), window, size).recorded(from: [self]) { [$0.gradient.unfolded(window)] }
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

  /// The mean of each window, without padding.
  public func averagePooled(size: Int, stride: Int? = nil) -> Tensor {
    let window = Window(kernel: (size, size), stride: stride ?? size), out = window.outputs(shape[2], shape[3])
    return channelWindows(window).mean(axes: [2]).reshaped([shape[0], shape[1], out.height, out.width])
  }

  /// The largest value of each window, without padding.
  public func maxPooled(size: Int, stride: Int? = nil) -> Tensor {
    let window = Window(kernel: (size, size), stride: stride ?? size), out = window.outputs(shape[2], shape[3])
    return channelWindows(window).maximum(axis: 2).reshaped([shape[0], shape[1], out.height, out.width])
  }
}
