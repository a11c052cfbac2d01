// Planes of pixels in double precision: the cosine transform, and the steps of total variation. Eight columns go through at once.
typedef double doubles __attribute__((vector_size(64)));
typedef double doubles_unaligned __attribute__((vector_size(64), aligned(8)));

INLINE doubles load_doubles(const double *p) { return *(const doubles_unaligned *)p; }
INLINE void store_doubles(double *p, doubles v) { *(doubles_unaligned *)p = v; }
INLINE doubles splat_double(double x) { return (doubles){x, x, x, x, x, x, x, x}; }

// An odd size by the definition; `cosines` is `[count][count]`, by coefficient and value.
static void cosine_odd(doubles *values, doubles *space, int64_t count, const double *cosines, bool inverse) {
  if (count == 1) return;
  for (int64_t row = 0; row < count; row++) {
    doubles sum = splat_double(0);
    for (int64_t i = 0; i < count; i++)
      sum += values[i] * splat_double(cosines[inverse ? i * count + row : row * count + i]);
    space[row] = sum;
  }
  for (int64_t i = 0; i < count; i++) values[i] = space[i];
}

// B. G. Lee, "A new algorithm to compute the discrete cosine transform", 1984. `factors` holds `1 / (2 cos((i + 1/2) pi / count))` for
// i < count / 2, then those of half the size, and so on down to the odd factor; the result is in `values`.
static void cosine_forward(doubles *values, doubles *space, int64_t count, const double *factors, const double *cosines) {
  if (count % 2) {
    cosine_odd(values, space, count, cosines, false);
    return;
  }
  const int64_t half = count / 2;
  for (int64_t i = 0; i < half; i++) {
    const doubles x = values[i], y = values[count - 1 - i];
    space[i] = x + y;
    space[half + i] = (x - y) * splat_double(factors[i]);
  }
  if (half > 1) {
    cosine_forward(space, values, half, factors + half, cosines);
    cosine_forward(space + half, values + half, half, factors + half, cosines);
  }
  for (int64_t i = 0; i < half; i++) {
    values[2 * i] = space[i];
    values[2 * i + 1] = i + 1 < half ? space[half + i] + space[half + i + 1] : space[half + i];
  }
}

static void cosine_inverse(doubles *values, doubles *space, int64_t count, const double *factors, const double *cosines) {
  if (count % 2) {
    cosine_odd(values, space, count, cosines, true);
    return;
  }
  const int64_t half = count / 2;
  for (int64_t i = 0; i < half; i++) {
    space[i] = values[2 * i];
    space[half + i] = i == 0 ? values[1] : values[2 * i - 1] + values[2 * i + 1];
  }
  if (half > 1) {
    cosine_inverse(space, values, half, factors + half, cosines);
    cosine_inverse(space + half, values + half, half, factors + half, cosines);
  }
  for (int64_t i = 0; i < half; i++) {
    const doubles x = space[i], y = space[half + i] * splat_double(factors[i]);
    values[i] = x + y;
    values[count - 1 - i] = x - y;
  }
}

#define EXCHANGE_DOUBLES(S, LOW, HIGH)                                   \
  for (int i = 0; i < 8; i++)                                            \
    if (!(i & S)) {                                                      \
      const doubles a = v[i], b = v[i + S];                              \
      v[i] = __builtin_shufflevector(a, b, LOW);                         \
      v[i + S] = __builtin_shufflevector(a, b, HIGH);                    \
    }
#define BOTH(...) __VA_ARGS__

INLINE void transpose_doubles(doubles v[8]) {
  UNROLL EXCHANGE_DOUBLES(1, BOTH(0, 8, 2, 10, 4, 12, 6, 14), BOTH(1, 9, 3, 11, 5, 13, 7, 15))
  UNROLL EXCHANGE_DOUBLES(2, BOTH(0, 1, 8, 9, 4, 5, 12, 13), BOTH(2, 3, 10, 11, 6, 7, 14, 15))
  UNROLL EXCHANGE_DOUBLES(4, BOTH(0, 1, 2, 3, 8, 9, 10, 11), BOTH(4, 5, 6, 7, 12, 13, 14, 15))
}

static void cosine_columns(const double *plane, int64_t rows, int64_t columns, bool inverse, const double *factors,
                           const double *cosines, double *space, double *result) {
  doubles *const values = (doubles *)(((uintptr_t)space + 63) & ~(uintptr_t)63), *const other = values + rows;
  const double first = __builtin_sqrt(1.0 / (double)rows), later = __builtin_sqrt(2.0 / (double)rows);
  for (int64_t start = 0; start < columns; start += 8) {
    const int64_t count = columns - start < 8 ? columns - start : 8;
    for (int64_t row = 0; row < rows; row++) {
      doubles value = splat_double(0);
      if (count == 8)
        value = load_doubles(plane + row * columns + start);
      else
        for (int64_t lane = 0; lane < count; lane++) value[lane] = plane[row * columns + start + lane];
      values[row] = inverse ? value * splat_double(row ? later : first) : value;
    }
    if (inverse)
      cosine_inverse(values, other, rows, factors, cosines);
    else
      cosine_forward(values, other, rows, factors, cosines);
    int64_t row = 0;
    for (; row + 8 <= rows; row += 8) {
      doubles v[8];
      for (int i = 0; i < 8; i++)
        v[i] = inverse ? values[row + i] : values[row + i] * splat_double(row + i ? later : first);
      transpose_doubles(v);
      for (int64_t lane = 0; lane < count; lane++) store_doubles(result + (start + lane) * rows + row, v[lane]);
    }
    for (; row < rows; row++)
      for (int64_t lane = 0; lane < count; lane++)
        result[(start + lane) * rows + row] = values[row][lane] * (inverse ? 1 : row ? later : first);
  }
}

static void variation_ascend(double *down, double *right, const double *plane, double step, double relaxation,
                             int64_t height, int64_t width) {
  for (int64_t row = 0; row < height; row++) {
    const double *const here = plane + row * width, *const below = row + 1 < height ? here + width : here;
    double *const d = down + row * width, *const r = right + row * width;
    const double inside = row + 1 < height ? 1 : 0;
    int64_t column = 0;
    for (; column + 8 < width; column += 8) {
      const doubles value = load_doubles(here + column), before = load_doubles(d + column), other = load_doubles(r + column);
      const doubles a = splat_double(inside) * before + splat_double(step) * (load_doubles(below + column) - value);
      const doubles b = other + splat_double(step) * (load_doubles(here + column + 1) - value);
      const doubles length = __builtin_elementwise_sqrt(a * a + b * b);
      const doubles factor = splat_double(1) / __builtin_elementwise_max(length, splat_double(1));
      store_doubles(d + column, before + splat_double(relaxation) * (a * factor - before));
      store_doubles(r + column, other + splat_double(relaxation) * (b * factor - other));
    }
    for (; column < width; column++) {
      const double a = inside * d[column] + step * (below[column] - here[column]);
      const double b = column + 1 < width ? r[column] + step * (here[column + 1] - here[column]) : 0;
      const double length = __builtin_sqrt(a * a + b * b), factor = length > 1 ? 1 / length : 1;
      d[column] += relaxation * (a * factor - d[column]);
      r[column] += relaxation * (b * factor - r[column]);
    }
  }
}

static void variation_descend(const double *plane, const double *down, const double *right, double step, int64_t height,
                              int64_t width, double *result) {
  for (int64_t row = 0; row < height; row++) {
    const double *const x = plane + row * width;
    double *const y = result + row * width;
    const double *const d = down + row * width, *const r = right + row * width;
    const double *const above = row ? d - width : d;
    const double inside = row ? 1 : 0;
    y[0] = x[0] + step * (d[0] + r[0] - inside * above[0]);
    int64_t column = 1;
    for (; column + 8 <= width; column += 8) {
      const doubles divergence = load_doubles(d + column) + load_doubles(r + column) - load_doubles(r + column - 1) -
                                 splat_double(inside) * load_doubles(above + column);
      store_doubles(y + column, load_doubles(x + column) + splat_double(step) * divergence);
    }
    for (; column < width; column++)
      y[column] = x[column] + step * (d[column] + r[column] - r[column - 1] - inside * above[column]);
  }
}

static void variation_advance(double *plane, const double *found, double *ahead, double relaxation, int64_t count,
                              double squares[2]) {
  doubles moved = splat_double(0), lengths = splat_double(0);
  int64_t i = 0;
  for (; i + 8 <= count; i += 8) {
    const doubles to = load_doubles(found + i), from = load_doubles(plane + i), way = to - from;
    moved += way * way;
    lengths += to * to;
    store_doubles(ahead + i, to + way);
    store_doubles(plane + i, from + splat_double(relaxation) * way);
  }
  squares[0] = squares[1] = 0;
  for (int lane = 0; lane < 8; lane++) {
    squares[0] += moved[lane];
    squares[1] += lengths[lane];
  }
  for (; i < count; i++) {
    const double way = found[i] - plane[i];
    squares[0] += way * way;
    squares[1] += found[i] * found[i];
    ahead[i] = found[i] + way;
    plane[i] += relaxation * way;
  }
}
