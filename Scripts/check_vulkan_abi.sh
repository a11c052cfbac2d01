#!/usr/bin/env bash
# Are our declarations of Vulkan (Sources/CMartletGPU/Vulkan.h) those of its own headers? Compares every size, alignment, offset and number.
#
#   Scripts/check_vulkan_abi.sh [FOLDER]     FOLDER has vulkan/vulkan_core.h (default: the system's include path; Debian: libvulkan-dev)
set -euo pipefail
cd "$(dirname "$0")/.."
include=(); [ $# -ge 1 ] && include=(-I "$1")
if ! echo '#include <vulkan/vulkan_core.h>' | ${CC:-cc} "${include[@]}" -E - >/dev/null 2>&1; then
  echo "Vulkan's headers are not here (Debian: libvulkan-dev); nothing was compared"
  exit 0
fi
scratch=$(mktemp -d); trap 'rm -rf "$scratch"' EXIT
cat > "$scratch/facts.c" <<'END'
#ifdef THEIR_DECLARATIONS
#include <vulkan/vulkan_core.h>
#endif
#include "Vulkan.h"
#include <stdio.h>
int main(void) {
#define SIZE(T) printf(#T " %zu %zu\n", sizeof(T), _Alignof(T));
#define OFFSET(T, field) printf(#T "." #field " %zu\n", offsetof(T, field));
#define NUMBER(name) printf(#name " %ld\n", (long)name);
  VULKAN_STRUCTS(SIZE) VULKAN_OFFSETS(OFFSET) VULKAN_NUMBERS(NUMBER)
#ifdef MATRICES
  VULKAN_MATRIX_STRUCTS(SIZE)
#endif
#ifdef THEIR_DECLARATIONS
#define LIMIT(name, field) printf(#name " %zu\n", offsetof(VkPhysicalDeviceLimits, field));
  LIMIT(LIMIT_PUSH_CONSTANTS, maxPushConstantsSize) LIMIT(LIMIT_SHARED_MEMORY, maxComputeSharedMemorySize)
  LIMIT(LIMIT_WORKGROUP_COUNT, maxComputeWorkGroupCount) LIMIT(LIMIT_WORKGROUP_INVOCATIONS, maxComputeWorkGroupInvocations)
  LIMIT(LIMIT_WORKGROUP_SIZE, maxComputeWorkGroupSize)
#else
  NUMBER(LIMIT_PUSH_CONSTANTS) NUMBER(LIMIT_SHARED_MEMORY) NUMBER(LIMIT_WORKGROUP_COUNT) NUMBER(LIMIT_WORKGROUP_INVOCATIONS)
  NUMBER(LIMIT_WORKGROUP_SIZE)
#endif
}
END
# Headers before 1.3.255 have no matrices.
matrices=(); echo '#include <vulkan/vulkan_core.h>' | ${CC:-cc} "${include[@]}" -E -dM - | grep VK_KHR_cooperative_matrix >/dev/null && matrices=(-DMATRICES)
for side in ours theirs; do
  flags=("${matrices[@]}"); [ $side = theirs ] && flags+=(-DTHEIR_DECLARATIONS)
  ${CC:-cc} -w "${flags[@]}" "${include[@]}" -I Sources/CMartletGPU "$scratch/facts.c" -o "$scratch/$side"
  "$scratch/$side" > "$scratch/$side.txt"
done
diff "$scratch/ours.txt" "$scratch/theirs.txt"
echo "$(wc -l < "$scratch/ours.txt") sizes, offsets and numbers are equal"
