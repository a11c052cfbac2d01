// The sum of a value over a workgroup, the same for every thread. Each call needs a place of its own in `partial_sums`; all threads must call.
shared float partial_sums[2][MOST_SUBGROUPS];
float workgroup_sum(float value, uint place) {
  float sum = subgroupAdd(value);
  if (subgroupElect()) partial_sums[place][gl_SubgroupID] = sum;
  barrier();
  float total = 0;
  for (uint i = 0; i < gl_NumSubgroups; i++) total += partial_sums[place][i];
  return total;
}
