/// The names of Python that a file of weights may ask for. A name only marks what is built: nothing is ever imported or
/// run. All other names are refused, because a file that uses them would run code in other programs that load it.
enum PickleNames {
  static let storages: [String: FileType] = [
    "torch FloatStorage": .f32, "torch HalfStorage": .f16, "torch BFloat16Storage": .bf16, "torch DoubleStorage": .f64,
    "torch LongStorage": .i64, "torch IntStorage": .i32, "torch ShortStorage": .i16, "torch CharStorage": .i8,
    "torch ByteStorage": .u8, "torch BoolStorage": .bool, "torch ComplexFloatStorage": .c64,
    "torch ComplexDoubleStorage": .c128, "torch QInt8Storage": .i8, "torch QUInt8Storage": .u8,
    "torch QInt32Storage": .i32,
  ]
  /// Storages whose tensors say the type.
  static let untypedStorages: Set<String> = ["torch.storage UntypedStorage", "torch UntypedStorage"]

  static let types: [String: FileType] = [
    "torch float32": .f32, "torch float64": .f64, "torch float16": .f16, "torch bfloat16": .bf16, "torch int64": .i64,
    "torch int32": .i32, "torch int16": .i16, "torch int8": .i8, "torch uint8": .u8, "torch bool": .bool,
    "torch uint16": .u16, "torch uint32": .u32, "torch uint64": .u64, "torch complex64": .c64,
    "torch complex128": .c128, "torch float8_e4m3fn": .f8_e4m3, "torch float8_e5m2": .f8_e5m2,
    "torch float8_e8m0fnu": .f8_e8m0, "torch float8_e4m3fnuz": .f8_e4m3fnuz, "torch float8_e5m2fnuz": .f8_e5m2fnuz,
  ]

  /// Functions that build tensors whose values are not in the file as such, and what to say of them.
  static let unreadable: [String: String] = [
    "torch._utils _rebuild_meta_tensor_no_storage":
      "was saved without its values (device \"meta\"); load the model onto a real device and save it again",
    "torch._utils _rebuild_qtensor": "is a quantised tensor of PyTorch; save model.state_dict() of the float model",
    "torch._utils _rebuild_sparse_tensor": "is sparse; save it again with .to_dense()",
    "torch._utils _rebuild_sparse_csr_tensor": "is sparse; save it again with .to_dense()",
    "torch._utils _rebuild_nested_tensor": "is a nested tensor; save it again as plain tensors",
    "torch._utils _rebuild_wrapper_subclass": "is of a subclass of Tensor; save it again as a plain tensor",
    "torch._utils _rebuild_device_tensor_from_numpy": "was saved on a special device; save it again with .cpu()",
    "torch._utils _rebuild_device_tensor_from_cpu_tensor":
      "was saved on a special device; save it again with .cpu()",
  ]

  static let dictionaries: Set<String> = [
    "collections OrderedDict", "collections defaultdict", "collections Counter",
  ]

  /// Functions that build arrays of numpy.
  static let arrays: Set<String> = [
    "numpy.core.multiarray _reconstruct", "numpy._core.multiarray _reconstruct", "numpy.core.numeric _frombuffer",
    "numpy._core.numeric _frombuffer",
  ]

  private static let functions: Set<String> = [
    "torch._utils _rebuild_tensor", "torch._utils _rebuild_tensor_v2", "torch._utils _rebuild_tensor_v3",
    "torch._utils _rebuild_parameter", "torch._utils _rebuild_parameter_with_state",
    "torch._tensor _rebuild_from_type_v2", "torch Size",
  ]

  /// Classes and functions whose results are never looked at.
  private static let inert: Set<String> = [
    "torch device", "torch Tensor", "torch.nn.parameter Parameter", "torch.nn.parameter Buffer", "torch Generator",
    "torch.serialization _get_layout", "torch per_tensor_affine", "torch per_channel_affine", "torch strided",
    "torch.torch_version TorchVersion", "torch.storage TypedStorage",
    "numpy dtype", "numpy ndarray", "numpy.core.multiarray scalar", "numpy._core.multiarray scalar", "_codecs encode",
    "argparse Namespace", "types SimpleNamespace", "collections deque", "copyreg _reconstructor",
    "copy_reg _reconstructor", "pathlib Path", "pathlib PosixPath", "pathlib WindowsPath", "pathlib PurePosixPath",
    "pathlib PureWindowsPath", "pathlib._local PosixPath", "pathlib._local WindowsPath", "datetime datetime",
    "datetime date", "datetime time", "datetime timedelta", "datetime timezone", "decimal Decimal",
    "fractions Fraction", "uuid UUID",
  ]
  private static let inertBuiltins: Set<String> = [
    "set", "frozenset", "dict", "list", "tuple", "int", "long", "float", "bool", "str", "unicode", "bytes", "bytearray",
    "complex", "slice", "range", "xrange", "object",
  ]
  /// Libraries whose settings people keep beside the weights: only their classes are asked for.
  private static let settingsModules: Set<String> = [
    "transformers", "lightning", "lightning_fabric", "pytorch_lightning", "omegaconf", "accelerate", "deepspeed",
    "peft",
    "trl", "yacs", "easydict", "ml_collections", "__main__",
  ]

  static func isKnown(_ name: String) -> Bool {
    if storages[name] != nil || types[name] != nil || unreadable[name] != nil { return true }
    if untypedStorages.contains(name) || functions.contains(name) || isInert(name) { return true }
    if arrays.contains(name) { return true }
    return dictionaries.contains(name)
  }

  static func isInert(_ name: String) -> Bool {
    if inert.contains(name) { return true }
    let parts = name.split(separator: " ", maxSplits: 1, omittingEmptySubsequences: false)
    guard parts.count == 2 else { return false }
    let module = parts[0], root = module.prefix { $0 != "." }
    if module == "builtins" || module == "__builtin__" { return inertBuiltins.contains(String(parts[1])) }
    if module == "numpy.dtypes" { return parts[1].hasSuffix("DType") }
    return settingsModules.contains(String(root))
      && parts[1].split(separator: ".").last?.first?.isUppercase == true
  }
}
