#version 460
#extension GL_GOOGLE_include_directive : require
#include "buffers.glsl"
#include "product.glsl"
// What a product does with its results, for results that the host has seen and perhaps changed: `x` holds them, [rows, outputs].
layout(local_size_x = 256) in;
layout(constant_id = 3) const uint EPILOGUE = 0;

void main() {
  uint o = gl_GlobalInvocationID.x, m = gl_WorkGroupID.y;
  if (EPILOGUE == SWIGLU) o *= 2;
  if (o >= outputs) return;
  Floats results = Floats(uvec2(x));
  if (EPILOGUE == SWIGLU) finish_pair(false, m, o, results.v[m * x_row + o], results.v[m * x_row + o + 1]);
  else finish(EPILOGUE, false, m, o, results.v[m * x_row + o]);
}
