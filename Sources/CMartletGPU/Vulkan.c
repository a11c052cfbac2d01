// The device layer over Vulkan 1.2: compute shaders on buffers with device addresses. No descriptors, no images, one queue.
#include "CMartletGPU.h"
#include "Vulkan.h"
#include <dlfcn.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define INSTANCE_FUNCTIONS(X) \
  X(vkEnumeratePhysicalDevices, VkResult, (VkInstance, uint32_t *, VkPhysicalDevice *)) \
  X(vkGetPhysicalDeviceProperties2, void, (VkPhysicalDevice, VkPhysicalDeviceProperties2 *)) \
  X(vkGetPhysicalDeviceFeatures2, void, (VkPhysicalDevice, VkPhysicalDeviceFeatures2 *)) \
  X(vkGetPhysicalDeviceMemoryProperties2, void, (VkPhysicalDevice, VkPhysicalDeviceMemoryProperties2 *)) \
  X(vkGetPhysicalDeviceQueueFamilyProperties, void, (VkPhysicalDevice, uint32_t *, VkQueueFamilyProperties *)) \
  X(vkEnumerateDeviceExtensionProperties, VkResult, (VkPhysicalDevice, const char *, uint32_t *, VkExtensionProperties *)) \
  X(vkCreateDevice, VkResult, (VkPhysicalDevice, const VkDeviceCreateInfo *, const void *, VkDevice *)) \
  X(vkDestroyDevice, void, (VkDevice, const void *)) \
  X(vkGetDeviceQueue, void, (VkDevice, uint32_t, uint32_t, VkQueue *)) \
  X(vkDeviceWaitIdle, VkResult, (VkDevice)) \
  X(vkCreateBuffer, VkResult, (VkDevice, const VkBufferCreateInfo *, const void *, VkBuffer *)) \
  X(vkDestroyBuffer, void, (VkDevice, VkBuffer, const void *)) \
  X(vkGetBufferMemoryRequirements, void, (VkDevice, VkBuffer, VkMemoryRequirements *)) \
  X(vkAllocateMemory, VkResult, (VkDevice, const VkMemoryAllocateInfo *, const void *, VkDeviceMemory *)) \
  X(vkFreeMemory, void, (VkDevice, VkDeviceMemory, const void *)) \
  X(vkBindBufferMemory, VkResult, (VkDevice, VkBuffer, VkDeviceMemory, VkDeviceSize)) \
  X(vkMapMemory, VkResult, (VkDevice, VkDeviceMemory, VkDeviceSize, VkDeviceSize, VkFlags, void **)) \
  X(vkGetBufferDeviceAddress, VkDeviceAddress, (VkDevice, const VkBufferDeviceAddressInfo *)) \
  X(vkCreateShaderModule, VkResult, (VkDevice, const VkShaderModuleCreateInfo *, const void *, VkShaderModule *)) \
  X(vkDestroyShaderModule, void, (VkDevice, VkShaderModule, const void *)) \
  X(vkCreatePipelineLayout, VkResult, (VkDevice, const VkPipelineLayoutCreateInfo *, const void *, VkPipelineLayout *)) \
  X(vkDestroyPipelineLayout, void, (VkDevice, VkPipelineLayout, const void *)) \
  X(vkCreateComputePipelines, VkResult, (VkDevice, VkPipelineCache, uint32_t, const VkComputePipelineCreateInfo *, const void *, VkPipeline *)) \
  X(vkDestroyPipeline, void, (VkDevice, VkPipeline, const void *)) \
  X(vkCreateCommandPool, VkResult, (VkDevice, const VkCommandPoolCreateInfo *, const void *, VkCommandPool *)) \
  X(vkDestroyCommandPool, void, (VkDevice, VkCommandPool, const void *)) \
  X(vkAllocateCommandBuffers, VkResult, (VkDevice, const VkCommandBufferAllocateInfo *, VkCommandBuffer *)) \
  X(vkFreeCommandBuffers, void, (VkDevice, VkCommandPool, uint32_t, const VkCommandBuffer *)) \
  X(vkBeginCommandBuffer, VkResult, (VkCommandBuffer, const VkCommandBufferBeginInfo *)) \
  X(vkEndCommandBuffer, VkResult, (VkCommandBuffer)) \
  X(vkCmdBindPipeline, void, (VkCommandBuffer, uint32_t, VkPipeline)) \
  X(vkCmdPushConstants, void, (VkCommandBuffer, VkPipelineLayout, VkFlags, uint32_t, uint32_t, const void *)) \
  X(vkCmdCopyBuffer, void, (VkCommandBuffer, VkBuffer, VkBuffer, uint32_t, const VkBufferCopy *)) \
  X(vkCmdFillBuffer, void, (VkCommandBuffer, VkBuffer, VkDeviceSize, VkDeviceSize, uint32_t)) \
  X(vkCmdDispatch, void, (VkCommandBuffer, uint32_t, uint32_t, uint32_t)) \
  X(vkCmdPipelineBarrier, void, (VkCommandBuffer, VkFlags, VkFlags, VkFlags, uint32_t, const VkMemoryBarrier *, uint32_t, const void *, uint32_t, const void *)) \
  X(vkCreateFence, VkResult, (VkDevice, const VkFenceCreateInfo *, const void *, VkFence *)) \
  X(vkDestroyFence, void, (VkDevice, VkFence, const void *)) \
  X(vkResetFences, VkResult, (VkDevice, uint32_t, const VkFence *)) \
  X(vkWaitForFences, VkResult, (VkDevice, uint32_t, const VkFence *, VkBool32, uint64_t)) \
  X(vkQueueSubmit, VkResult, (VkQueue, uint32_t, const VkSubmitInfo *, VkFence))
#define X(name, result, arguments) static result(*name) arguments;
INSTANCE_FUNCTIONS(X)
#undef X

enum { STAGE_COMPUTE = 0x800, STAGE_TRANSFER = 0x1000, STAGE_HOST = 0x4000 };
enum { SHADER_READ = 0x20, SHADER_WRITE = 0x40, TRANSFER_READ = 0x800, TRANSFER_WRITE = 0x1000, HOST_READ = 0x2000 };
enum { DEVICE_LOCAL = 1, HOST_VISIBLE = 2, HOST_COHERENT = 4, HOST_CACHED = 8 };
enum { MOST_DEVICES = 16, PUSH_BYTES = 128 };

// Of an extension, so it may be missing.
static VkResult (*vkGetPhysicalDeviceCooperativeMatrixPropertiesKHR)(VkPhysicalDevice, uint32_t *, VkCooperativeMatrixPropertiesKHR *);

static pthread_once_t once = PTHREAD_ONCE_INIT;
static VkInstance instance;
static VkPhysicalDevice devices[MOST_DEVICES];
static uint32_t device_count;
static char opening_problem[512];

static void say(char *problem, size_t size, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(problem, size, format, arguments);
  va_end(arguments);
}

static void open_library(void) {
#ifdef __APPLE__
  const char *names[] = {"libvulkan.1.dylib", "libvulkan.dylib", "libMoltenVK.dylib"};
#else
  const char *names[] = {"libvulkan.so.1"};
#endif
  void *library = NULL;
  for (size_t i = 0; i < sizeof names / sizeof *names && !library; i++) library = dlopen(names[i], RTLD_NOW | RTLD_LOCAL);
  if (!library) {
    const char *reason = dlerror();
    say(opening_problem, sizeof opening_problem, "the Vulkan loader cannot be opened (%s)", reason ? reason : names[0]);
    return;
  }
  PFN_vkVoidFunction (*get)(VkInstance, const char *) = (PFN_vkVoidFunction(*)(VkInstance, const char *))dlsym(library, "vkGetInstanceProcAddr");
  if (!get) {
    say(opening_problem, sizeof opening_problem, "%s has no vkGetInstanceProcAddr", names[0]);
    return;
  }
  VkResult (*create)(const VkInstanceCreateInfo *, const void *, VkInstance *) = (VkResult(*)(const VkInstanceCreateInfo *, const void *, VkInstance *))get(NULL, "vkCreateInstance");
  VkResult (*extensions)(const char *, uint32_t *, VkExtensionProperties *) = (VkResult(*)(const char *, uint32_t *, VkExtensionProperties *))get(NULL, "vkEnumerateInstanceExtensionProperties");
  if (!create) {
    say(opening_problem, sizeof opening_problem, "%s has no vkCreateInstance", names[0]);
    return;
  }
  // Drivers over another interface, such as MoltenVK, are listed only for those who ask.
  const char *portability = "VK_KHR_portability_enumeration";
  bool is_portable = false;
  uint32_t count = 0;
  if (extensions && !extensions(NULL, &count, NULL) && count) {
    VkExtensionProperties *all = calloc(count, sizeof *all);
    if (all && extensions(NULL, &count, all) >= 0)
      for (uint32_t i = 0; i < count; i++) is_portable |= !strcmp(all[i].extensionName, portability);
    free(all);
  }
  VkApplicationInfo application = {VK_STRUCTURE_TYPE_APPLICATION_INFO, .pApplicationName = "martlet", .apiVersion = VK_API_VERSION_1_2};
  VkInstanceCreateInfo info = {VK_STRUCTURE_TYPE_INSTANCE_CREATE_INFO, .flags = is_portable, .pApplicationInfo = &application, .enabledExtensionCount = is_portable, .ppEnabledExtensionNames = &portability};
  VkInstance created;
  VkResult result = create(&info, NULL, &created);
  if (result) {
    say(opening_problem, sizeof opening_problem, "the Vulkan loader found no usable driver (vkCreateInstance: %d)", result);
    return;
  }
#define X(name, result, arguments) name = (result(*) arguments)get(created, #name);
  INSTANCE_FUNCTIONS(X)
#undef X
#define X(name, result, arguments) && name
  if (!(true INSTANCE_FUNCTIONS(X))) {
#undef X
    say(opening_problem, sizeof opening_problem, "the Vulkan loader is older than version 1.2");
    return;
  }
  *(PFN_vkVoidFunction *)&vkGetPhysicalDeviceCooperativeMatrixPropertiesKHR = get(created, "vkGetPhysicalDeviceCooperativeMatrixPropertiesKHR");
  instance = created;
  device_count = MOST_DEVICES;
  result = vkEnumeratePhysicalDevices(instance, &device_count, devices);
  if (result < 0) device_count = 0;
  if (!device_count) say(opening_problem, sizeof opening_problem, "the Vulkan loader found no driver (no ICD file names one, or its libraries are missing)");
}

int martlet_gpu_count(char *problem, size_t size) {
  pthread_once(&once, open_library);
  if (device_count) return (int)device_count;
  say(problem, size, "%s", opening_problem);
  return -1;
}

static bool has_extension(VkPhysicalDevice device, const char *name) {
  uint32_t count = 0;
  if (vkEnumerateDeviceExtensionProperties(device, NULL, &count, NULL) || !count) return false;
  VkExtensionProperties *all = calloc(count, sizeof *all);
  bool found = false;
  if (all && vkEnumerateDeviceExtensionProperties(device, NULL, &count, all) >= 0)
    for (uint32_t i = 0; i < count; i++) found |= !strcmp(all[i].extensionName, name);
  free(all);
  return found;
}

static const char *const matrix_extension = "VK_KHR_cooperative_matrix";

// The tiles of the device's matrix cores that product_matrix.comp can use: halves with sums in single precision, a subgroup each.
static bool matrix_tile(VkPhysicalDevice device, martlet_gpu_facts *facts) {
  enum { HALF = 0, SINGLE = 1, SUBGROUP = 3, MOST = 64 };
  if (!vkGetPhysicalDeviceCooperativeMatrixPropertiesKHR || !has_extension(device, matrix_extension)) return false;
  VkPhysicalDeviceVulkan12Features has12 = {VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_2_FEATURES};
  VkPhysicalDeviceCooperativeMatrixFeaturesKHR has = {VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_COOPERATIVE_MATRIX_FEATURES_KHR, &has12};
  VkPhysicalDeviceFeatures2 features = {VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FEATURES_2, &has};
  vkGetPhysicalDeviceFeatures2(device, &features);
  if (!has.cooperativeMatrix || !has12.vulkanMemoryModel) return false;
  uint32_t count = MOST;
  VkCooperativeMatrixPropertiesKHR all[MOST];
  for (uint32_t i = 0; i < MOST; i++) all[i] = (VkCooperativeMatrixPropertiesKHR){VK_STRUCTURE_TYPE_COOPERATIVE_MATRIX_PROPERTIES_KHR};
  if (vkGetPhysicalDeviceCooperativeMatrixPropertiesKHR(device, &count, all) < 0) return false;
  for (uint32_t i = 0; i < count; i++) {
    VkCooperativeMatrixPropertiesKHR p = all[i];
    if (p.AType != HALF || p.BType != HALF || p.CType != SINGLE || p.ResultType != SINGLE || p.scope != SUBGROUP || p.saturatingAccumulation) continue;
    if (!p.MSize || !p.NSize || !p.KSize || 64 % p.MSize || 64 % p.NSize || 32 % p.KSize) continue;
    facts->matrix_m = p.MSize;
    facts->matrix_n = p.NSize;
    facts->matrix_k = p.KSize;
    return true;
  }
  return false;
}

bool martlet_gpu_describe(int index, martlet_gpu_facts *facts) {
  char problem[8];
  if (martlet_gpu_count(problem, sizeof problem) <= index || index < 0) return false;
  VkPhysicalDevice device = devices[index];
  VkPhysicalDeviceIDProperties identity = {VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_ID_PROPERTIES};
  VkPhysicalDeviceSubgroupProperties subgroup = {VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SUBGROUP_PROPERTIES, &identity};
  VkPhysicalDeviceDriverProperties driver = {VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_DRIVER_PROPERTIES, &subgroup};
  VkPhysicalDeviceProperties2 properties = {VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PROPERTIES_2, &driver};
  vkGetPhysicalDeviceProperties2(device, &properties);
  VkPhysicalDeviceVulkan12Features has12 = {VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_2_FEATURES};
  VkPhysicalDeviceVulkan11Features has11 = {VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_1_FEATURES, &has12};
  VkPhysicalDeviceFeatures2 features = {VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FEATURES_2, &has11};
  if (properties.properties.apiVersion >= VK_API_VERSION_1_2) vkGetPhysicalDeviceFeatures2(device, &features);
  bool has_budget = has_extension(device, "VK_EXT_memory_budget");
  VkPhysicalDeviceMemoryBudgetPropertiesEXT budget = {VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MEMORY_BUDGET_PROPERTIES_EXT};
  VkPhysicalDeviceMemoryProperties2 memory = {VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MEMORY_PROPERTIES_2, has_budget ? &budget : NULL};
  vkGetPhysicalDeviceMemoryProperties2(device, &memory);
  *facts = (martlet_gpu_facts){
      .vendor = properties.properties.vendorID, .device = properties.properties.deviceID,
      .driver_version = properties.properties.driverVersion, .api_version = properties.properties.apiVersion,
      .subgroup_size = subgroup.subgroupSize, .has_addresses = has12.bufferDeviceAddress, .has_halves = has12.shaderFloat16,
      .has_half_storage = has11.storageBuffer16BitAccess, .has_scalar_layout = has12.scalarBlockLayout,
      // In compute shaders; basic and arithmetic operations.
      .has_subgroup_sums = (subgroup.supportedStages & 0x20) && (subgroup.supportedOperations & 0x5) == 0x5};
  facts->kind = properties.properties.deviceType <= 4 ? (martlet_gpu_kind)properties.properties.deviceType : MARTLET_GPU_OTHER;
  snprintf(facts->name, sizeof facts->name, "%s", properties.properties.deviceName);
  snprintf(facts->driver, sizeof facts->driver, "%s", driver.driverName);
  snprintf(facts->driver_info, sizeof facts->driver_info, "%s", driver.driverInfo);
  memcpy(facts->uuid, identity.deviceUUID, sizeof facts->uuid);
  if (properties.properties.apiVersion >= VK_API_VERSION_1_2) matrix_tile(device, facts);
  // Places in VkPhysicalDeviceLimits (check_vulkan_abi.sh).
  const uint8_t *limits = properties.properties.limits;
  memcpy(&facts->push_bytes, limits + LIMIT_PUSH_CONSTANTS, 4);
  memcpy(&facts->shared_memory, limits + LIMIT_SHARED_MEMORY, 4);
  memcpy(&facts->workgroups, limits + LIMIT_WORKGROUP_COUNT, 4);
  uint32_t along_x;
  memcpy(&facts->workgroup_size, limits + LIMIT_WORKGROUP_INVOCATIONS, 4);
  memcpy(&along_x, limits + LIMIT_WORKGROUP_SIZE, 4);
  if (along_x < facts->workgroup_size) facts->workgroup_size = along_x;
  for (uint32_t i = 0; i < memory.memoryProperties.memoryHeapCount && i < 16; i++) {
    VkMemoryHeap heap = memory.memoryProperties.memoryHeaps[i];
    if (!(heap.flags & DEVICE_LOCAL) || heap.size <= facts->memory) continue;
    facts->memory = heap.size;
    // Without the extension the driver does not say; a tenth stays for others.
    facts->free_memory = !has_budget ? heap.size / 10 * 9 : budget.heapBudget[i] > budget.heapUsage[i] ? budget.heapBudget[i] - budget.heapUsage[i] : 0;
  }
  return true;
}

struct martlet_gpu {
  VkPhysicalDevice physical;
  VkDevice device;
  VkQueue queue;
  VkPipelineLayout layout;
  VkCommandPool pool;
  VkFence fence;
  VkPhysicalDeviceMemoryProperties memory;
  VkPipeline *pipelines;
  size_t pipeline_count, pipeline_capacity;
  bool has_matrices;
};

struct martlet_gpu_commands {
  martlet_gpu *gpu;
  VkCommandBuffer buffer;
};

martlet_gpu *martlet_gpu_open(int index, char *problem, size_t size) {
  int count = martlet_gpu_count(problem, size);
  if (count < 0) return NULL;
  if (index < 0 || index >= count) {
    say(problem, size, "there is no device %d", index);
    return NULL;
  }
  martlet_gpu *gpu = calloc(1, sizeof *gpu);
  if (!gpu) {
    say(problem, size, "no memory");
    return NULL;
  }
  gpu->physical = devices[index];
  VkPhysicalDeviceMemoryProperties2 memory = {VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MEMORY_PROPERTIES_2};
  vkGetPhysicalDeviceMemoryProperties2(gpu->physical, &memory);
  gpu->memory = memory.memoryProperties;
  uint32_t families = 16, family = 0;
  VkQueueFamilyProperties queues[16];
  vkGetPhysicalDeviceQueueFamilyProperties(gpu->physical, &families, queues);
  while (family < families && !(queues[family].queueFlags & 2)) family++;
  if (family == families) {
    say(problem, size, "it has no queue for compute shaders");
    free(gpu);
    return NULL;
  }
  float priority = 1;
  VkDeviceQueueCreateInfo queue = {VK_STRUCTURE_TYPE_DEVICE_QUEUE_CREATE_INFO, .queueFamilyIndex = family, .queueCount = 1, .pQueuePriorities = &priority};
  // The few features that shaders use, and no others: some drivers report features that they then refuse.
  VkPhysicalDeviceVulkan12Features wants12 = {VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_2_FEATURES, .shaderFloat16 = 1, .scalarBlockLayout = 1, .bufferDeviceAddress = 1};
  VkPhysicalDeviceVulkan11Features wants11 = {VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_1_FEATURES, &wants12, .storageBuffer16BitAccess = 1};
  VkPhysicalDeviceFeatures2 wants = {VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FEATURES_2, &wants11};
  const char *extensions[2];
  uint32_t extension_count = 0;
  if (has_extension(gpu->physical, "VK_KHR_portability_subset")) extensions[extension_count++] = "VK_KHR_portability_subset";
  VkPhysicalDeviceCooperativeMatrixFeaturesKHR wants_matrix = {VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_COOPERATIVE_MATRIX_FEATURES_KHR, &wants11, .cooperativeMatrix = 1};
  martlet_gpu_facts facts = {0};
  uint32_t without_matrices = extension_count;
  if (matrix_tile(gpu->physical, &facts)) {
    extensions[extension_count++] = matrix_extension;
    wants12.vulkanMemoryModel = 1;
    wants.pNext = &wants_matrix;
    gpu->has_matrices = true;
  }
  VkDeviceCreateInfo info = {VK_STRUCTURE_TYPE_DEVICE_CREATE_INFO, &wants, .queueCreateInfoCount = 1, .pQueueCreateInfos = &queue, .enabledExtensionCount = extension_count, .ppEnabledExtensionNames = extensions};
  VkResult result = vkCreateDevice(gpu->physical, &info, NULL, &gpu->device);
  if (result && gpu->has_matrices) {
    // Some drivers report matrix cores that they then refuse.
    gpu->has_matrices = false;
    info.enabledExtensionCount = without_matrices;
    wants12.vulkanMemoryModel = 0;
    wants.pNext = &wants11;
    result = vkCreateDevice(gpu->physical, &info, NULL, &gpu->device);
  }
  if (result) {
    say(problem, size, "the driver does not open it (vkCreateDevice: %d)", result);
    free(gpu);
    return NULL;
  }
  vkGetDeviceQueue(gpu->device, family, 0, &gpu->queue);
  VkPushConstantRange range = {0x20, 0, PUSH_BYTES};
  VkPipelineLayoutCreateInfo layout = {VK_STRUCTURE_TYPE_PIPELINE_LAYOUT_CREATE_INFO, .pushConstantRangeCount = 1, .pPushConstantRanges = &range};
  VkCommandPoolCreateInfo pool = {VK_STRUCTURE_TYPE_COMMAND_POOL_CREATE_INFO, .queueFamilyIndex = family};
  VkFenceCreateInfo fence = {VK_STRUCTURE_TYPE_FENCE_CREATE_INFO};
  if ((result = vkCreatePipelineLayout(gpu->device, &layout, NULL, &gpu->layout)) || (result = vkCreateCommandPool(gpu->device, &pool, NULL, &gpu->pool)) || (result = vkCreateFence(gpu->device, &fence, NULL, &gpu->fence))) {
    say(problem, size, "the driver has no resources left (%d)", result);
    martlet_gpu_close(gpu);
    return NULL;
  }
  return gpu;
}

bool martlet_gpu_has_matrices(const martlet_gpu *gpu) { return gpu->has_matrices; }

void martlet_gpu_close(martlet_gpu *gpu) {
  if (!gpu) return;
  vkDeviceWaitIdle(gpu->device);
  for (size_t i = 0; i < gpu->pipeline_count; i++) vkDestroyPipeline(gpu->device, gpu->pipelines[i], NULL);
  free(gpu->pipelines);
  if (gpu->fence) vkDestroyFence(gpu->device, gpu->fence, NULL);
  if (gpu->pool) vkDestroyCommandPool(gpu->device, gpu->pool, NULL);
  if (gpu->layout) vkDestroyPipelineLayout(gpu->device, gpu->layout, NULL);
  vkDestroyDevice(gpu->device, NULL);
  free(gpu);
}

// The first memory type that has what is wanted, by falling wishes; -1 if none has the last.
static int memory_type(const martlet_gpu *gpu, uint32_t allowed, martlet_gpu_place place) {
  static const VkFlags wishes[3][2] = {
      [MARTLET_GPU_LOCAL] = {DEVICE_LOCAL, 0},
      [MARTLET_GPU_UPLOAD] = {HOST_VISIBLE | HOST_COHERENT, HOST_VISIBLE | HOST_COHERENT},
      [MARTLET_GPU_DOWNLOAD] = {HOST_VISIBLE | HOST_COHERENT | HOST_CACHED, HOST_VISIBLE | HOST_COHERENT}};
  for (int wish = 0; wish < 2; wish++) {
    VkFlags wanted = wishes[place][wish];
    for (int pass = 0; pass < 2; pass++) {
      for (uint32_t i = 0; i < gpu->memory.memoryTypeCount; i++) {
        VkFlags has = gpu->memory.memoryTypes[i].propertyFlags;
        // Video memory that the host sees is scarce on many cards and slow on some: what lies on the device stays out of it where it can.
        bool is_plain = place != MARTLET_GPU_LOCAL || !(has & HOST_VISIBLE);
        if ((allowed >> i & 1) && (has & wanted) == wanted && (is_plain || pass)) return (int)i;
      }
    }
  }
  return -1;
}

int martlet_gpu_allocate(martlet_gpu *gpu, uint64_t bytes, martlet_gpu_place place, martlet_gpu_memory *out) {
  *out = (martlet_gpu_memory){.bytes = bytes};
  VkBuffer buffer = NULL;
  VkDeviceMemory memory = NULL;
  // Storage, transfer in both directions, device address.
  VkBufferCreateInfo info = {VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO, .size = bytes, .usage = 0x20 | 0x3 | 0x20000};
  VkResult result = vkCreateBuffer(gpu->device, &info, NULL, &buffer);
  if (result) return result;
  VkMemoryRequirements needs;
  vkGetBufferMemoryRequirements(gpu->device, buffer, &needs);
  int type = memory_type(gpu, needs.memoryTypeBits, place);
  VkMemoryAllocateFlagsInfo flags = {VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_FLAGS_INFO, .flags = 2};
  VkMemoryAllocateInfo allocation = {VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO, &flags, needs.size, (uint32_t)type};
  result = type < 0 ? MARTLET_GPU_OUT_OF_MEMORY : vkAllocateMemory(gpu->device, &allocation, NULL, &memory);
  if (!result) result = vkBindBufferMemory(gpu->device, buffer, memory, 0);
  if (!result && place != MARTLET_GPU_LOCAL) result = vkMapMemory(gpu->device, memory, 0, VK_WHOLE_SIZE, 0, &out->host);
  if (result) {
    vkDestroyBuffer(gpu->device, buffer, NULL);
    if (memory) vkFreeMemory(gpu->device, memory, NULL);
    return result;
  }
  VkBufferDeviceAddressInfo address = {VK_STRUCTURE_TYPE_BUFFER_DEVICE_ADDRESS_INFO, .buffer = buffer};
  out->address = vkGetBufferDeviceAddress(gpu->device, &address);
  out->buffer = buffer;
  out->memory = memory;
  // Mesa's driver for the processor reports success where the system had no memory for it. Addresses of devices have fewer than 63 bits.
  if (!out->address || out->address >> 62 || bytes >> 62) {
    martlet_gpu_free(gpu, out);
    return MARTLET_GPU_OUT_OF_MEMORY;
  }
  return 0;
}

void martlet_gpu_free(martlet_gpu *gpu, martlet_gpu_memory *memory) {
  if (memory->buffer) vkDestroyBuffer(gpu->device, memory->buffer, NULL);
  if (memory->memory) vkFreeMemory(gpu->device, memory->memory, NULL);
  *memory = (martlet_gpu_memory){0};
}

void *martlet_gpu_pipeline(martlet_gpu *gpu, const char *name, const uint32_t *constants, int count) {
  enum { MOST_CONSTANTS = 8 };
  int shader_count;
  const martlet_gpu_shader *shaders = martlet_gpu_shaders(&shader_count), *shader = NULL;
  for (int i = 0; i < shader_count; i++)
    if (!strcmp(shaders[i].name, name)) shader = shaders + i;
  if (!shader || count > MOST_CONSTANTS) return NULL;
  if (gpu->pipeline_count == gpu->pipeline_capacity) {
    size_t capacity = gpu->pipeline_capacity * 2 + 16;
    VkPipeline *grown = realloc(gpu->pipelines, capacity * sizeof *grown);
    if (!grown) return NULL;
    gpu->pipelines = grown;
    gpu->pipeline_capacity = capacity;
  }
  VkShaderModuleCreateInfo code = {VK_STRUCTURE_TYPE_SHADER_MODULE_CREATE_INFO, .codeSize = shader->count, .pCode = (const uint32_t *)(const void *)shader->bytes};
  VkShaderModule module;
  if (vkCreateShaderModule(gpu->device, &code, NULL, &module)) return NULL;
  VkSpecializationMapEntry entries[MOST_CONSTANTS];
  for (int i = 0; i < count; i++) entries[i] = (VkSpecializationMapEntry){(uint32_t)i, (uint32_t)i * 4, 4};
  VkSpecializationInfo specialization = {(uint32_t)count, entries, (size_t)count * 4, constants};
  VkComputePipelineCreateInfo info = {
      VK_STRUCTURE_TYPE_COMPUTE_PIPELINE_CREATE_INFO,
      .stage = {VK_STRUCTURE_TYPE_PIPELINE_SHADER_STAGE_CREATE_INFO, .stage = 0x20, .module = module, .pName = "main", .pSpecializationInfo = count ? &specialization : NULL},
      .layout = gpu->layout, .basePipelineIndex = -1};
  VkPipeline pipeline = NULL;
  VkResult result = vkCreateComputePipelines(gpu->device, NULL, 1, &info, NULL, &pipeline);
  vkDestroyShaderModule(gpu->device, module, NULL);
  if (result) return NULL;
  gpu->pipelines[gpu->pipeline_count++] = pipeline;
  return pipeline;
}

martlet_gpu_commands *martlet_gpu_begin(martlet_gpu *gpu) {
  martlet_gpu_commands *commands = calloc(1, sizeof *commands);
  if (!commands) return NULL;
  commands->gpu = gpu;
  VkCommandBufferAllocateInfo info = {VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO, .commandPool = gpu->pool, .commandBufferCount = 1};
  VkCommandBufferBeginInfo begin = {VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO};
  if (vkAllocateCommandBuffers(gpu->device, &info, &commands->buffer)) {
    free(commands);
    return NULL;
  }
  if (vkBeginCommandBuffer(commands->buffer, &begin)) {
    martlet_gpu_discard(commands);
    return NULL;
  }
  return commands;
}

void martlet_gpu_dispatch(martlet_gpu_commands *commands, void *pipeline, const void *push, uint32_t bytes, uint32_t x, uint32_t y, uint32_t z) {
  vkCmdBindPipeline(commands->buffer, 1, pipeline);
  vkCmdPushConstants(commands->buffer, commands->gpu->layout, 0x20, 0, bytes, push);
  vkCmdDispatch(commands->buffer, x, y, z);
}

void martlet_gpu_barrier(martlet_gpu_commands *commands) {
  VkMemoryBarrier barrier = {VK_STRUCTURE_TYPE_MEMORY_BARRIER, .srcAccessMask = SHADER_WRITE | TRANSFER_WRITE, .dstAccessMask = SHADER_READ | SHADER_WRITE | TRANSFER_READ | TRANSFER_WRITE};
  vkCmdPipelineBarrier(commands->buffer, STAGE_COMPUTE | STAGE_TRANSFER, STAGE_COMPUTE | STAGE_TRANSFER, 0, 1, &barrier, 0, NULL, 0, NULL);
}

void martlet_gpu_copy(martlet_gpu_commands *commands, const martlet_gpu_memory *from, uint64_t from_offset, const martlet_gpu_memory *to, uint64_t to_offset, uint64_t bytes) {
  VkBufferCopy region = {from_offset, to_offset, bytes};
  vkCmdCopyBuffer(commands->buffer, from->buffer, to->buffer, 1, &region);
}

void martlet_gpu_fill(martlet_gpu_commands *commands, const martlet_gpu_memory *memory, uint64_t offset, uint64_t bytes, uint32_t word) {
  vkCmdFillBuffer(commands->buffer, memory->buffer, offset, bytes, word);
}

int martlet_gpu_end(martlet_gpu_commands *commands) {
  VkMemoryBarrier barrier = {VK_STRUCTURE_TYPE_MEMORY_BARRIER, .srcAccessMask = SHADER_WRITE | TRANSFER_WRITE, .dstAccessMask = HOST_READ | SHADER_READ | SHADER_WRITE | TRANSFER_READ | TRANSFER_WRITE};
  vkCmdPipelineBarrier(commands->buffer, STAGE_COMPUTE | STAGE_TRANSFER, STAGE_HOST | STAGE_COMPUTE | STAGE_TRANSFER, 0, 1, &barrier, 0, NULL, 0, NULL);
  return vkEndCommandBuffer(commands->buffer);
}

void martlet_gpu_discard(martlet_gpu_commands *commands) {
  vkFreeCommandBuffers(commands->gpu->device, commands->gpu->pool, 1, &commands->buffer);
  free(commands);
}

int martlet_gpu_run(martlet_gpu *gpu, martlet_gpu_commands *const *commands, int count, uint64_t nanoseconds) {
  for (int i = 0; i < count; i++) {
    VkSubmitInfo submit = {VK_STRUCTURE_TYPE_SUBMIT_INFO, .commandBufferCount = 1, .pCommandBuffers = &commands[i]->buffer};
    VkResult result = vkQueueSubmit(gpu->queue, 1, &submit, i + 1 == count ? gpu->fence : NULL);
    if (result) return result;
  }
  VkResult result = vkWaitForFences(gpu->device, 1, &gpu->fence, 1, nanoseconds);
  return result ? result : vkResetFences(gpu->device, 1, &gpu->fence);
}
