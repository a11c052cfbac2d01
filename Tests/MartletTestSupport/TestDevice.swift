import Foundation

/// Where tests of graphics cards run: `MARTLET_TEST_DEVICE` is the place of a device in the driver's list (`make test-gpu` sets it to that
/// of Mesa's driver for the processor). Without it they are skipped, and say so; `MARTLET_REQUIRE_GPU=1` makes that a failure.
public enum TestDevice {
  /// The place of the device; nil where tests are skipped.
  public static let index: Int? = ProcessInfo.processInfo.environment["MARTLET_TEST_DEVICE"].flatMap(Int.init)

  /// Whether tests of devices run: with a device, or where a skipped test is a failure.
  public static let isWanted = index != nil || ProcessInfo.processInfo.environment["MARTLET_REQUIRE_GPU"] == "1"

  /// What a skipped test says.
  public static let absence =
    "MARTLET_TEST_DEVICE names no graphics card; `make test-gpu` runs these tests on a driver for the processor"
}
