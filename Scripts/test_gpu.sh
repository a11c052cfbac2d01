#!/usr/bin/env bash
# The tests of models on graphics cards, on Mesa's Vulkan driver for the processor: `make test-gpu`.
#
#   Scripts/test_gpu.sh BUILD_FOLDER
#
# Fetches the driver into BUILD_FOLDER-lavapipe (Debian and Ubuntu, x86-64; 51 MB once). Shaders run with subgroups of 8, 4 and 16 lanes, so that
# none counts on 32; each width has a cache of shaders of its own, as Mesa's returns code that was compiled for another width. With
# MARTLET_TEST_DEVICE set, the tests run on that device of the system's own drivers instead. Where there is no driver, they are skipped by
# name, or fail with MARTLET_REQUIRE_GPU=1.
set -euo pipefail
cd "$(dirname "$0")/.."
build=$1 widths="256 128 512"
suites='Device(Model|Engine)Tests|MartletDeviceTests'
if [ -n "${MARTLET_TEST_DEVICE:-}" ]; then
  widths=own
elif Scripts/fetch_lavapipe.sh "$build-lavapipe"; then
  # shellcheck disable=SC1091
  . "$build-lavapipe/env"
  caches=$(cd "$build-lavapipe" && pwd)/shaders
  export MARTLET_TEST_DEVICE=0 MARTLET_REQUIRE_GPU=1
else
  echo "Mesa's driver cannot be had here, so the tests of graphics cards are skipped"
  widths=none
fi
if command -v python3 >/dev/null; then Scripts/check_vulkan_abi.sh; fi
skip=()
for width in $widths; do
  case $width in
    256 | own | none) filter=$suites ;;
    # The shaders that add up over subgroups: compiling them takes most of the time.
    128) filter='MartletDeviceTests.*(Product|Norm|Recurrence)Tests' ;;
    *) filter='MartletDeviceTests.*NormTests' ;;
  esac
  case $width in
    own | none) ;;
    *) export LP_NATIVE_VECTOR_WIDTH=$width MESA_SHADER_CACHE_DIR=$caches-$width; mkdir -p "$MESA_SHADER_CACHE_DIR" ;;
  esac
  swift test -c release --scratch-path "$build" "${skip[@]}" --filter "$filter"
  skip=(--skip-build)
done
