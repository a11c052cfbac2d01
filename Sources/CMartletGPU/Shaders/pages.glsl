// Keys and values lie in pages of 64 positions, in the order of the processor's cache, so that states serve both: a layer's part begins at
// `layer_offset` elements; in it each key/value head has its keys, [4 groups of 16 positions][PADDED][16], and then its values, [64][PADDED].
// HALF: elements are halves, else floats. A sequence's table has `table_stride` page addresses.
const uint PAGE = 64, PADDED = (SIZE + 15) / 16 * 16;
uint head_place(uint layer_offset, uint head) { return layer_offset + head * 2 * PAGE * PADDED; }
uint key_place(uint head, uint position, uint d) { return head + (position / 16 * PADDED + d) * 16 + position % 16; }
uint value_place(uint head, uint position, uint d) { return head + (PAGE + position) * PADDED + d; }
