#!/usr/bin/env bash
# GLSL to SPIR-V: writes Sources/CMartletGPU/Shaders/*.spv, and the digests by which a test sees that they are those of their sources.
#
#   GLSLC=/path/to/glslc Scripts/build_shaders.sh [spirv-val]
#
# Needs glslc 2025.2 or newer (older ones know no cooperative matrices); the compiled shaders are committed, so that building Martlet does not.
# With the path of spirv-val, each is validated.
set -euo pipefail
cd "$(dirname "$0")/../Sources/CMartletGPU/Shaders"
compile() {  # SOURCE NAME DEFINES...
  ${GLSLC:-glslc} -O --target-env=vulkan1.2 "${@:3}" "$1" -o "$2.spv"
  if [ -n "${VALIDATE:-}" ]; then $VALIDATE --target-env vulkan1.2 --scalar-block-layout "$2.spv"; fi
}
VALIDATE=${1:-}
rm -f ./*.spv
for source in *.comp; do
  name=${source%.comp}
  case $name in
    product_*)
      format=0
      for suffix in f32 f16 bf16 q8_0 q4_0 q4_1; do
        compile "$source" "${name}_$suffix" "-DFORMAT=$format"
        format=$((format + 1))
      done ;;
    *) compile "$source" "$name" ;;
  esac
done
sha256sum ./*.comp ./*.glsl ./*.spv | sed 's, \./,,' > digests.txt
ls ./*.spv | wc -l
