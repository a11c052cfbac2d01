import CMartletKernels

extension CPU {
  private static func code(_ window: Window, _ size: (channels: Int, height: Int, width: Int)) -> martlet_window {
    let out = window.outputs(size.height, size.width)
    return martlet_window(
      channels: Int64(size.channels), height: Int64(size.height), width: Int64(size.width),
      kernel_height: Int64(window.kernel.height), kernel_width: Int64(window.kernel.width),
      out_height: Int64(out.height), out_width: Int64(out.width), stride: Int64(window.stride),
      padding: Int64(window.padding))
  }

  /// The windows of contiguous images `[batch, channels, height, width]` as `[batch, channels * kernel, places]`, in
  /// single or double precision.
  static func unfold(_ image: Tensor, _ window: Window) -> Tensor {
    let (channels, height, width) = (image.shape[1], image.shape[2], image.shape[3])
    var code = code(window, (channels, height, width))
    let result = Tensor.empty(
      [image.rows, channels * window.kernel.height * window.kernel.width, Int(code.out_height * code.out_width)],
      dtype: image.dtype)
    for item in 0..<image.rows {
      let (from, to) = (item * image.columns, item * result.columns)
      if image.dtype == .float64 {
        martlet_unfold_double(&code, image.doubles + from, result.mutableDoubles + to)
      } else {
        martlet_unfold(&code, image.floats + from, result.mutableFloats + to)
      }
    }
    return result
  }

  /// The adjoint of ``unfold(_:_:)``: contiguous windows are added into images of `size`.
  static func fold(
    _ windows: Tensor, _ window: Window, _ size: (channels: Int, height: Int, width: Int)
  ) -> Tensor {
    var code = code(window, size)
    let result = Tensor.zeros([windows.rows, size.channels, size.height, size.width], dtype: windows.dtype)
    for item in 0..<windows.rows {
      let (from, to) = (item * windows.columns, item * result.columns)
      if windows.dtype == .float64 {
        martlet_fold_double(&code, windows.doubles + from, result.mutableDoubles + to)
      } else {
        martlet_fold(&code, windows.floats + from, result.mutableFloats + to)
      }
    }
    return result
  }
}
