// Backward of one head of WKV5, from a zero state: four passes, none of which stores states
// (BlinkDL/RWKV-LM, cuda/wkv5_cuda.cu). With g = dL/dy and, per token, S as in the forward pass:
//   1. forward:   dr_i = sum_j (u_i k_i v_j + S_ij) g_j;          du_i += r_i k_i sum_j v_j g_j
//   2. forward:   P = w (k v + P), Q = P + w Q;                   dlog_w_i += r_i(t+2) sum_j Q_ij g_j(t+2)
//   3. backward:  dk_i = sum_j (u_i r_i g_j + R_ij) v_j;          R_ij = r_i g_j + w_i R_ij
//   4. backward:  dv_j = sum_i (u_i r_i g_j + R_ij) k_i;          the same R
// Lanes run over i (the matrices are kept as [j][i]) in passes 1-3 and over j in pass 4, so that no sum runs
// across lanes.

INLINE float dot_of(const float *a, const float *b, int64_t size) {
  floats total = splat(0);
  for (int64_t i = 0; i < size; i += 16) total = fused(load(a + i), load(b + i), total);
  return sum_of(total);
}

INLINE void wkv5_backward_vectors(const float *r, const float *k, const float *v, const float *w, const float *u,
                                  const float *g, float *dr, float *dk, float *dv, float *dlog_decay, float *du,
                                  float *scratch, int64_t rows, int64_t stride, const int VECTORS) {
  const int64_t size = VECTORS * 16;
  float *const p = scratch, *const q = scratch + size * size;
  floats weight[VECTORS], bonus[VECTORS], sums[VECTORS], extra[VECTORS];
  UNROLL for (int n = 0; n < VECTORS; n++) {
    weight[n] = load(w + n * 16);
    bonus[n] = load(u + n * 16);
    extra[n] = splat(0);
  }

  memset(p, 0, (size_t)(size * size) * sizeof(float));
  for (int64_t t = 0; t < rows; t++) {
    const int64_t at = t * stride;
    floats keys[VECTORS];
    UNROLL for (int n = 0; n < VECTORS; n++) {
      keys[n] = load(k + at + n * 16);
      sums[n] = splat(0);
    }
    for (int64_t j = 0; j < size; j++) {
      const floats gj = splat(g[at + j]), vj = splat(v[at + j]);
      UNROLL for (int n = 0; n < VECTORS; n++) {
        float *s = p + j * size + n * 16;
        const floats before = load(s);
        sums[n] = fused(gj, before, sums[n]);
        store(s, fused(weight[n], before, keys[n] * vj));
      }
    }
    const floats both = splat(dot_of(v + at, g + at, size));
    UNROLL for (int n = 0; n < VECTORS; n++) {
      const floats kvg = keys[n] * both;
      store(dr + at + n * 16, fused(bonus[n], kvg, sums[n]));
      extra[n] = fused(load(r + at + n * 16), kvg, extra[n]);
    }
  }
  UNROLL for (int n = 0; n < VECTORS; n++) {
    store(du + n * 16, extra[n]);
    extra[n] = splat(0);
  }

  memset(p, 0, (size_t)(2 * size * size) * sizeof(float));
  for (int64_t t = 0; t + 2 < rows; t++) {
    const int64_t at = t * stride, later = (t + 2) * stride;
    floats keys[VECTORS];
    UNROLL for (int n = 0; n < VECTORS; n++) {
      keys[n] = load(k + at + n * 16);
      sums[n] = splat(0);
    }
    for (int64_t j = 0; j < size; j++) {
      const floats gj = splat(g[later + j]), vj = splat(v[at + j]);
      UNROLL for (int n = 0; n < VECTORS; n++) {
        float *s = p + j * size + n * 16, *z = q + j * size + n * 16;
        const floats decayed = weight[n] * fused(keys[n], vj, load(s));
        const floats counted = fused(weight[n], load(z), decayed);
        store(s, decayed);
        store(z, counted);
        sums[n] = fused(gj, counted, sums[n]);
      }
    }
    UNROLL for (int n = 0; n < VECTORS; n++) extra[n] = fused(load(r + later + n * 16), sums[n], extra[n]);
  }
  UNROLL for (int n = 0; n < VECTORS; n++) store(dlog_decay + n * 16, extra[n]);

  memset(p, 0, (size_t)(size * size) * sizeof(float));
  for (int64_t t = rows - 1; t >= 0; t--) {
    const int64_t at = t * stride;
    floats queries[VECTORS];
    UNROLL for (int n = 0; n < VECTORS; n++) {
      queries[n] = load(r + at + n * 16);
      sums[n] = splat(0);
    }
    for (int64_t j = 0; j < size; j++) {
      const floats gj = splat(g[at + j]), vj = splat(v[at + j]);
      UNROLL for (int n = 0; n < VECTORS; n++) {
        float *s = p + j * size + n * 16;
        const floats before = load(s);
        sums[n] = fused(vj, before, sums[n]);
        store(s, fused(weight[n], before, queries[n] * gj));
      }
    }
    const floats both = splat(dot_of(v + at, g + at, size));
    UNROLL for (int n = 0; n < VECTORS; n++)
      store(dk + at + n * 16, fused(bonus[n] * queries[n], both, sums[n]));
  }

  memset(p, 0, (size_t)(size * size) * sizeof(float));
  for (int64_t t = rows - 1; t >= 0; t--) {
    const int64_t at = t * stride;
    floats gradients[VECTORS], both = splat(0);
    UNROLL for (int n = 0; n < VECTORS; n++) {
      gradients[n] = load(g + at + n * 16);
      sums[n] = splat(0);
      both = fused(bonus[n] * load(r + at + n * 16), load(k + at + n * 16), both);
    }
    for (int64_t i = 0; i < size; i++) {
      const floats ki = splat(k[at + i]), ri = splat(r[at + i]), wi = splat(w[i]);
      UNROLL for (int n = 0; n < VECTORS; n++) {
        float *s = p + i * size + n * 16;
        const floats before = load(s);
        sums[n] = fused(ki, before, sums[n]);
        store(s, fused(wi, before, ri * gradients[n]));
      }
    }
    const floats own = splat(sum_of(both));
    UNROLL for (int n = 0; n < VECTORS; n++) store(dv + at + n * 16, fused(own, gradients[n], sums[n]));
  }
}

// Head sizes that are no multiple of 16: the same passes, value by value.
static void wkv5_backward_plain(const float *r, const float *k, const float *v, const float *w, const float *u,
                                const float *g, float *dr, float *dk, float *dv, float *dlog_decay, float *du,
                                float *scratch, int64_t rows, int64_t stride, int64_t size) {
  float *const p = scratch, *const q = scratch + size * size;
  memset(p, 0, (size_t)(2 * size * size) * sizeof(float));
  for (int64_t i = 0; i < size; i++) du[i] = dlog_decay[i] = 0;
  for (int64_t t = 0; t < rows; t++)
    for (int64_t i = 0; i < size; i++) {
      const int64_t at = t * stride;
      float gradient = 0, vg = 0;
      for (int64_t j = 0; j < size; j++) {
        float *s = p + i * size + j;
        const float kv = k[at + i] * v[at + j];
        gradient += (u[i] * kv + *s) * g[at + j];
        vg += v[at + j] * g[at + j];
        *s = w[i] * *s + kv;
      }
      dr[at + i] = gradient;
      du[i] += r[at + i] * k[at + i] * vg;
    }
  memset(p, 0, (size_t)(2 * size * size) * sizeof(float));
  for (int64_t t = 0; t + 2 < rows; t++)
    for (int64_t i = 0; i < size; i++) {
      const int64_t at = t * stride, later = (t + 2) * stride;
      float total = 0;
      for (int64_t j = 0; j < size; j++) {
        float *s = p + i * size + j, *z = q + i * size + j;
        *s = w[i] * (k[at + i] * v[at + j] + *s);
        *z = *s + w[i] * *z;
        total += *z * g[later + j];
      }
      dlog_decay[i] += r[later + i] * total;
    }
  memset(p, 0, (size_t)(size * size) * sizeof(float));
  for (int64_t t = rows - 1; t >= 0; t--) {
    const int64_t at = t * stride;
    for (int64_t j = 0; j < size; j++) dv[at + j] = 0;
    for (int64_t i = 0; i < size; i++) {
      float gradient = 0;
      for (int64_t j = 0; j < size; j++) {
        float *s = p + i * size + j;
        const float rg = r[at + i] * g[at + j], both = u[i] * rg + *s;
        gradient += both * v[at + j];
        dv[at + j] += both * k[at + i];
        *s = rg + w[i] * *s;
      }
      dk[at + i] = gradient;
    }
  }
}

static void wkv5_backward(const float *r, const float *k, const float *v, const float *w, const float *u,
                          const float *g, float *dr, float *dk, float *dv, float *dlog_decay, float *du,
                          float *scratch, int64_t rows, int64_t stride, int64_t size) {
  switch (size) {
    case 16: wkv5_backward_vectors(r, k, v, w, u, g, dr, dk, dv, dlog_decay, du, scratch, rows, stride, 1); return;
    case 32: wkv5_backward_vectors(r, k, v, w, u, g, dr, dk, dv, dlog_decay, du, scratch, rows, stride, 2); return;
    case 64: wkv5_backward_vectors(r, k, v, w, u, g, dr, dk, dv, dlog_decay, du, scratch, rows, stride, 4); return;
    default:
      wkv5_backward_plain(r, k, v, w, u, g, dr, dk, dv, dlog_decay, du, scratch, rows, stride, size);
  }
}
