// What all shaders share: buffers are 64-bit addresses in the push constants, so there are no descriptors.
#extension GL_EXT_buffer_reference : require
#extension GL_EXT_buffer_reference_uvec2 : require
#extension GL_EXT_shader_16bit_storage : require
#extension GL_EXT_shader_explicit_arithmetic_types_float16 : require
#extension GL_EXT_scalar_block_layout : require
#extension GL_KHR_shader_subgroup_arithmetic : require

layout(buffer_reference, scalar, buffer_reference_align = 4) buffer Floats { float v[]; };
layout(buffer_reference, scalar, buffer_reference_align = 2) buffer Halves { float16_t v[]; };
layout(buffer_reference, scalar, buffer_reference_align = 16) readonly buffer Vectors { vec4 v[]; };
layout(buffer_reference, scalar, buffer_reference_align = 16) readonly buffer Words { uvec4 v[]; };
layout(buffer_reference, scalar, buffer_reference_align = 4) readonly buffer Indices { uint v[]; };
// Addresses of other buffers: the states or the pages of sequences.
layout(buffer_reference, scalar, buffer_reference_align = 8) readonly buffer Addresses { uvec2 v[]; };

// 256 threads in subgroups of 4, the smallest there are.
const uint MOST_SUBGROUPS = 64;
