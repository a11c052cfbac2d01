// Our own declarations of the part of Vulkan's C ABI that Martlet calls (64-bit machines), so that building needs no SDK.
// Scripts/check_vulkan_abi.sh compares every size, offset and number with the headers of Debian's libvulkan-dev.
#ifndef C_MARTLET_GPU_VULKAN_H
#define C_MARTLET_GPU_VULKAN_H
#include <stddef.h>
#include <stdint.h>
#ifndef THEIR_DECLARATIONS  // With it, the names come from vulkan_core.h.
typedef struct VkInstance_T *VkInstance;
typedef struct VkPhysicalDevice_T *VkPhysicalDevice;
typedef struct VkDevice_T *VkDevice;
typedef struct VkQueue_T *VkQueue;
typedef struct VkCommandBuffer_T *VkCommandBuffer;
typedef struct MartletHandle1 *VkBuffer;
typedef struct MartletHandle2 *VkDeviceMemory;
typedef struct MartletHandle3 *VkShaderModule;
typedef struct MartletHandle4 *VkPipeline;
typedef struct MartletHandle5 *VkPipelineLayout;
typedef struct MartletHandle6 *VkPipelineCache;
typedef struct MartletHandle7 *VkCommandPool;
typedef struct MartletHandle8 *VkFence;
typedef struct MartletHandle9 *VkSemaphore;
typedef struct MartletHandle10 *VkQueryPool;
typedef struct MartletHandle11 *VkDescriptorSetLayout;
typedef int32_t VkResult;
typedef uint32_t VkFlags;
typedef uint64_t VkFlags64;
typedef uint64_t VkDeviceSize;
typedef uint64_t VkDeviceAddress;
typedef uint32_t VkBool32;
typedef int32_t VkStructureType;
// Where limits lie in VkPhysicalDeviceLimits.
enum {
  LIMIT_PUSH_CONSTANTS = 32,
  LIMIT_SHARED_MEMORY = 216,
  LIMIT_WORKGROUP_COUNT = 220,
  LIMIT_WORKGROUP_INVOCATIONS = 232,
  LIMIT_WORKGROUP_SIZE = 236,
};
#define VK_API_VERSION_1_2 ((1u << 22) | (2u << 12))
#define VK_WHOLE_SIZE (~0ull)
enum {
  VK_SUCCESS = 0,
  VK_TIMEOUT = 2,
  VK_ERROR_OUT_OF_DEVICE_MEMORY = -2,
  VK_ERROR_DEVICE_LOST = -4,
};
enum {
  VK_STRUCTURE_TYPE_APPLICATION_INFO = 0,
  VK_STRUCTURE_TYPE_INSTANCE_CREATE_INFO = 1,
  VK_STRUCTURE_TYPE_DEVICE_QUEUE_CREATE_INFO = 2,
  VK_STRUCTURE_TYPE_DEVICE_CREATE_INFO = 3,
  VK_STRUCTURE_TYPE_SUBMIT_INFO = 4,
  VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO = 5,
  VK_STRUCTURE_TYPE_FENCE_CREATE_INFO = 8,
  VK_STRUCTURE_TYPE_QUERY_POOL_CREATE_INFO = 11,
  VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO = 12,
  VK_STRUCTURE_TYPE_SHADER_MODULE_CREATE_INFO = 16,
  VK_STRUCTURE_TYPE_PIPELINE_CACHE_CREATE_INFO = 17,
  VK_STRUCTURE_TYPE_PIPELINE_SHADER_STAGE_CREATE_INFO = 18,
  VK_STRUCTURE_TYPE_COMPUTE_PIPELINE_CREATE_INFO = 29,
  VK_STRUCTURE_TYPE_PIPELINE_LAYOUT_CREATE_INFO = 30,
  VK_STRUCTURE_TYPE_COMMAND_POOL_CREATE_INFO = 39,
  VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO = 40,
  VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO = 42,
  VK_STRUCTURE_TYPE_MEMORY_BARRIER = 46,
  VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_1_FEATURES = 49,
  VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_2_FEATURES = 51,
  VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FEATURES_2 = 1000059000,
  VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PROPERTIES_2 = 1000059001,
  VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SUBGROUP_PROPERTIES = 1000094000,
  VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_FLAGS_INFO = 1000060000,
  VK_STRUCTURE_TYPE_BUFFER_DEVICE_ADDRESS_INFO = 1000244001,
  VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_DRIVER_PROPERTIES = 1000196000,
  VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_ID_PROPERTIES = 1000071004,
  VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MEMORY_PROPERTIES_2 = 1000059006,
  VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MEMORY_BUDGET_PROPERTIES_EXT = 1000237000,
  VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_COOPERATIVE_MATRIX_FEATURES_KHR = 1000506000,
  VK_STRUCTURE_TYPE_COOPERATIVE_MATRIX_PROPERTIES_KHR = 1000506001,
};
typedef struct VkApplicationInfo {
  VkStructureType sType;
  const void *pNext;
  const char *pApplicationName;
  uint32_t applicationVersion;
  const char *pEngineName;
  uint32_t engineVersion, apiVersion;
} VkApplicationInfo;
typedef struct VkInstanceCreateInfo {
  VkStructureType sType;
  const void *pNext;
  VkFlags flags;
  const VkApplicationInfo *pApplicationInfo;
  uint32_t enabledLayerCount;
  const char *const *ppEnabledLayerNames;
  uint32_t enabledExtensionCount;
  const char *const *ppEnabledExtensionNames;
} VkInstanceCreateInfo;
// 39 shaderFloat64, 40 shaderInt64, 41 shaderInt16
typedef struct VkPhysicalDeviceFeatures {
  VkBool32 f[55];
} VkPhysicalDeviceFeatures;
typedef struct VkPhysicalDeviceFeatures2 {
  VkStructureType sType;
  void *pNext;
  VkPhysicalDeviceFeatures features;
} VkPhysicalDeviceFeatures2;
typedef struct VkPhysicalDeviceVulkan11Features {
  VkStructureType sType;
  void *pNext;
  VkBool32 storageBuffer16BitAccess, f[11];
} VkPhysicalDeviceVulkan11Features;
typedef struct VkPhysicalDeviceVulkan12Features {
  VkStructureType sType;
  void *pNext;
  VkBool32 f0[2], storageBuffer8BitAccess, f3[4], shaderFloat16, shaderInt8, f9[22], scalarBlockLayout, f32[5], timelineSemaphore, bufferDeviceAddress, f39[2], vulkanMemoryModel, vulkanMemoryModelDeviceScope, f43[4];
} VkPhysicalDeviceVulkan12Features;
typedef struct VkExtent3D {
  uint32_t width, height, depth;
} VkExtent3D;
typedef struct VkQueueFamilyProperties {
  VkFlags queueFlags;
  uint32_t queueCount, timestampValidBits;
  VkExtent3D minImageTransferGranularity;
} VkQueueFamilyProperties;
typedef struct VkMemoryType {
  VkFlags propertyFlags;
  uint32_t heapIndex;
} VkMemoryType;
typedef struct VkMemoryHeap {
  VkDeviceSize size;
  VkFlags flags;
} VkMemoryHeap;
typedef struct VkPhysicalDeviceMemoryProperties {
  uint32_t memoryTypeCount;
  VkMemoryType memoryTypes[32];
  uint32_t memoryHeapCount;
  VkMemoryHeap memoryHeaps[16];
} VkPhysicalDeviceMemoryProperties;
typedef struct VkPhysicalDeviceProperties {
  uint32_t apiVersion, driverVersion, vendorID, deviceID, deviceType;
  char deviceName[256];
  uint8_t pipelineCacheUUID[16];
  _Alignas(8) uint8_t limits[504];
  VkBool32 sparse[5];
} VkPhysicalDeviceProperties;
typedef struct VkPhysicalDeviceProperties2 {
  VkStructureType sType;
  void *pNext;
  VkPhysicalDeviceProperties properties;
} VkPhysicalDeviceProperties2;
typedef struct VkPhysicalDeviceSubgroupProperties {
  VkStructureType sType;
  void *pNext;
  uint32_t subgroupSize;
  VkFlags supportedStages, supportedOperations;
  VkBool32 quadOperationsInAllStages;
} VkPhysicalDeviceSubgroupProperties;
typedef struct VkDeviceQueueCreateInfo {
  VkStructureType sType;
  const void *pNext;
  VkFlags flags;
  uint32_t queueFamilyIndex, queueCount;
  const float *pQueuePriorities;
} VkDeviceQueueCreateInfo;
typedef struct VkDeviceCreateInfo {
  VkStructureType sType;
  const void *pNext;
  VkFlags flags;
  uint32_t queueCreateInfoCount;
  const VkDeviceQueueCreateInfo *pQueueCreateInfos;
  uint32_t enabledLayerCount;
  const char *const *ppEnabledLayerNames;
  uint32_t enabledExtensionCount;
  const char *const *ppEnabledExtensionNames;
  const VkPhysicalDeviceFeatures *pEnabledFeatures;
} VkDeviceCreateInfo;
typedef struct VkBufferCreateInfo {
  VkStructureType sType;
  const void *pNext;
  VkFlags flags;
  VkDeviceSize size;
  VkFlags usage;
  uint32_t sharingMode, queueFamilyIndexCount;
  const uint32_t *pQueueFamilyIndices;
} VkBufferCreateInfo;
typedef struct VkMemoryRequirements {
  VkDeviceSize size, alignment;
  uint32_t memoryTypeBits;
} VkMemoryRequirements;
typedef struct VkMemoryAllocateInfo {
  VkStructureType sType;
  const void *pNext;
  VkDeviceSize allocationSize;
  uint32_t memoryTypeIndex;
} VkMemoryAllocateInfo;
typedef struct VkMemoryAllocateFlagsInfo {
  VkStructureType sType;
  const void *pNext;
  VkFlags flags;
  uint32_t deviceMask;
} VkMemoryAllocateFlagsInfo;
typedef struct VkBufferDeviceAddressInfo {
  VkStructureType sType;
  const void *pNext;
  VkBuffer buffer;
} VkBufferDeviceAddressInfo;
typedef struct VkShaderModuleCreateInfo {
  VkStructureType sType;
  const void *pNext;
  VkFlags flags;
  size_t codeSize;
  const uint32_t *pCode;
} VkShaderModuleCreateInfo;
typedef struct VkSpecializationMapEntry {
  uint32_t constantID, offset;
  size_t size;
} VkSpecializationMapEntry;
typedef struct VkSpecializationInfo {
  uint32_t mapEntryCount;
  const VkSpecializationMapEntry *pMapEntries;
  size_t dataSize;
  const void *pData;
} VkSpecializationInfo;
typedef struct VkPipelineShaderStageCreateInfo {
  VkStructureType sType;
  const void *pNext;
  VkFlags flags;
  uint32_t stage;
  VkShaderModule module;
  const char *pName;
  const VkSpecializationInfo *pSpecializationInfo;
} VkPipelineShaderStageCreateInfo;
typedef struct VkComputePipelineCreateInfo {
  VkStructureType sType;
  const void *pNext;
  VkFlags flags;
  VkPipelineShaderStageCreateInfo stage;
  VkPipelineLayout layout;
  VkPipeline basePipelineHandle;
  int32_t basePipelineIndex;
} VkComputePipelineCreateInfo;
typedef struct VkPushConstantRange {
  VkFlags stageFlags;
  uint32_t offset, size;
} VkPushConstantRange;
typedef struct VkPipelineLayoutCreateInfo {
  VkStructureType sType;
  const void *pNext;
  VkFlags flags;
  uint32_t setLayoutCount;
  const VkDescriptorSetLayout *pSetLayouts;
  uint32_t pushConstantRangeCount;
  const VkPushConstantRange *pPushConstantRanges;
} VkPipelineLayoutCreateInfo;
typedef struct VkPipelineCacheCreateInfo {
  VkStructureType sType;
  const void *pNext;
  VkFlags flags;
  size_t initialDataSize;
  const void *pInitialData;
} VkPipelineCacheCreateInfo;
typedef struct VkCommandPoolCreateInfo {
  VkStructureType sType;
  const void *pNext;
  VkFlags flags;
  uint32_t queueFamilyIndex;
} VkCommandPoolCreateInfo;
typedef struct VkCommandBufferAllocateInfo {
  VkStructureType sType;
  const void *pNext;
  VkCommandPool commandPool;
  uint32_t level, commandBufferCount;
} VkCommandBufferAllocateInfo;
typedef struct VkCommandBufferBeginInfo {
  VkStructureType sType;
  const void *pNext;
  VkFlags flags;
  const void *pInheritanceInfo;
} VkCommandBufferBeginInfo;
typedef struct VkSubmitInfo {
  VkStructureType sType;
  const void *pNext;
  uint32_t waitSemaphoreCount;
  const VkSemaphore *pWaitSemaphores;
  const VkFlags *pWaitDstStageMask;
  uint32_t commandBufferCount;
  const VkCommandBuffer *pCommandBuffers;
  uint32_t signalSemaphoreCount;
  const VkSemaphore *pSignalSemaphores;
} VkSubmitInfo;
typedef struct VkFenceCreateInfo {
  VkStructureType sType;
  const void *pNext;
  VkFlags flags;
} VkFenceCreateInfo;
typedef struct VkMemoryBarrier {
  VkStructureType sType;
  const void *pNext;
  VkFlags srcAccessMask, dstAccessMask;
} VkMemoryBarrier;
typedef struct VkBufferCopy {
  VkDeviceSize srcOffset, dstOffset, size;
} VkBufferCopy;
typedef struct VkConformanceVersion {
  uint8_t major, minor, subminor, patch;
} VkConformanceVersion;
typedef struct VkPhysicalDeviceDriverProperties {
  VkStructureType sType;
  void *pNext;
  int32_t driverID;
  char driverName[256], driverInfo[256];
  VkConformanceVersion conformanceVersion;
} VkPhysicalDeviceDriverProperties;
typedef struct VkPhysicalDeviceIDProperties {
  VkStructureType sType;
  void *pNext;
  uint8_t deviceUUID[16], driverUUID[16], deviceLUID[8];
  uint32_t deviceNodeMask;
  VkBool32 deviceLUIDValid;
} VkPhysicalDeviceIDProperties;
typedef struct VkPhysicalDeviceMemoryProperties2 {
  VkStructureType sType;
  void *pNext;
  VkPhysicalDeviceMemoryProperties memoryProperties;
} VkPhysicalDeviceMemoryProperties2;
typedef struct VkPhysicalDeviceMemoryBudgetPropertiesEXT {
  VkStructureType sType;
  void *pNext;
  VkDeviceSize heapBudget[16], heapUsage[16];
} VkPhysicalDeviceMemoryBudgetPropertiesEXT;
typedef struct VkExtensionProperties {
  char extensionName[256];
  uint32_t specVersion;
} VkExtensionProperties;
typedef struct VkPhysicalDeviceCooperativeMatrixFeaturesKHR {
  VkStructureType sType;
  void *pNext;
  VkBool32 cooperativeMatrix, cooperativeMatrixRobustBufferAccess;
} VkPhysicalDeviceCooperativeMatrixFeaturesKHR;
typedef struct VkCooperativeMatrixPropertiesKHR {
  VkStructureType sType;
  void *pNext;
  uint32_t MSize, NSize, KSize;
  int32_t AType, BType, CType, ResultType;
  VkBool32 saturatingAccumulation;
  int32_t scope;
} VkCooperativeMatrixPropertiesKHR;
typedef void (*PFN_vkVoidFunction)(void);
#endif

// For Scripts/check_vulkan_abi.sh.
#define VULKAN_STRUCTS(X) \
  X(VkApplicationInfo) \
  X(VkInstanceCreateInfo) \
  X(VkPhysicalDeviceFeatures) \
  X(VkPhysicalDeviceFeatures2) \
  X(VkPhysicalDeviceVulkan11Features) \
  X(VkPhysicalDeviceVulkan12Features) \
  X(VkQueueFamilyProperties) \
  X(VkPhysicalDeviceMemoryProperties) \
  X(VkPhysicalDeviceProperties) \
  X(VkPhysicalDeviceProperties2) \
  X(VkPhysicalDeviceSubgroupProperties) \
  X(VkDeviceQueueCreateInfo) \
  X(VkDeviceCreateInfo) \
  X(VkBufferCreateInfo) \
  X(VkMemoryRequirements) \
  X(VkMemoryAllocateInfo) \
  X(VkMemoryAllocateFlagsInfo) \
  X(VkBufferDeviceAddressInfo) \
  X(VkShaderModuleCreateInfo) \
  X(VkSpecializationMapEntry) \
  X(VkSpecializationInfo) \
  X(VkPipelineShaderStageCreateInfo) \
  X(VkComputePipelineCreateInfo) \
  X(VkPushConstantRange) \
  X(VkPipelineLayoutCreateInfo) \
  X(VkPipelineCacheCreateInfo) \
  X(VkCommandPoolCreateInfo) \
  X(VkCommandBufferAllocateInfo) \
  X(VkCommandBufferBeginInfo) \
  X(VkSubmitInfo) \
  X(VkFenceCreateInfo) \
  X(VkMemoryBarrier) \
  X(VkBufferCopy) \
  X(VkPhysicalDeviceDriverProperties) \
  X(VkPhysicalDeviceIDProperties) \
  X(VkPhysicalDeviceMemoryProperties2) \
  X(VkPhysicalDeviceMemoryBudgetPropertiesEXT) \
  X(VkExtensionProperties)
#define VULKAN_MATRIX_STRUCTS(X) \
  X(VkPhysicalDeviceCooperativeMatrixFeaturesKHR) \
  X(VkCooperativeMatrixPropertiesKHR)
#define VULKAN_OFFSETS(X) \
  X(VkPhysicalDeviceVulkan12Features, shaderFloat16) \
  X(VkPhysicalDeviceVulkan12Features, shaderInt8) \
  X(VkPhysicalDeviceVulkan12Features, storageBuffer8BitAccess) \
  X(VkPhysicalDeviceVulkan12Features, scalarBlockLayout) \
  X(VkPhysicalDeviceVulkan12Features, timelineSemaphore) \
  X(VkPhysicalDeviceVulkan12Features, bufferDeviceAddress) \
  X(VkPhysicalDeviceVulkan12Features, vulkanMemoryModel) \
  X(VkPhysicalDeviceVulkan11Features, storageBuffer16BitAccess) \
  X(VkPhysicalDeviceProperties, deviceName) \
  X(VkPhysicalDeviceProperties, limits) \
  X(VkComputePipelineCreateInfo, layout) \
  X(VkSubmitInfo, pCommandBuffers) \
  X(VkPhysicalDeviceMemoryProperties, memoryHeaps) \
  X(VkPhysicalDeviceSubgroupProperties, subgroupSize) \
  X(VkPhysicalDeviceDriverProperties, driverInfo) \
  X(VkPhysicalDeviceIDProperties, driverUUID)
#define VULKAN_NUMBERS(X) \
  X(VK_STRUCTURE_TYPE_MEMORY_BARRIER) \
  X(VK_STRUCTURE_TYPE_SUBMIT_INFO) \
  X(VK_STRUCTURE_TYPE_FENCE_CREATE_INFO) \
  X(VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO) \
  X(VK_STRUCTURE_TYPE_SHADER_MODULE_CREATE_INFO) \
  X(VK_STRUCTURE_TYPE_PIPELINE_CACHE_CREATE_INFO) \
  X(VK_STRUCTURE_TYPE_PIPELINE_SHADER_STAGE_CREATE_INFO) \
  X(VK_STRUCTURE_TYPE_COMPUTE_PIPELINE_CREATE_INFO) \
  X(VK_STRUCTURE_TYPE_PIPELINE_LAYOUT_CREATE_INFO) \
  X(VK_STRUCTURE_TYPE_COMMAND_POOL_CREATE_INFO) \
  X(VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO) \
  X(VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO) \
  X(VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_1_FEATURES) \
  X(VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_2_FEATURES) \
  X(VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FEATURES_2) \
  X(VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PROPERTIES_2) \
  X(VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SUBGROUP_PROPERTIES) \
  X(VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_FLAGS_INFO) \
  X(VK_STRUCTURE_TYPE_BUFFER_DEVICE_ADDRESS_INFO) \
  X(VK_STRUCTURE_TYPE_QUERY_POOL_CREATE_INFO) \
  X(VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO) \
  X(VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_DRIVER_PROPERTIES) \
  X(VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_ID_PROPERTIES) \
  X(VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MEMORY_PROPERTIES_2) \
  X(VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MEMORY_BUDGET_PROPERTIES_EXT)
#endif
