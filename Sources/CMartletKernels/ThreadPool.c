// A pool of threads for regions of a few microseconds.
//
// The caller publishes a ticket (region number, chunks left) and works too. Threads claim chunks one by
// one, so a thread that the system has descheduled never holds up a region it has not claimed work in.
// An idle worker spins for about 30 microseconds, then sleeps until a region is published.
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "CMartletKernels.h"

#define MOST_WIDTH 64
#define SPIN_NANOSECONDS 30000

static struct {
  pthread_mutex_t callers;           // one region at a time
  _Atomic(uint64_t) ticket;          // region << 32 | chunks left to claim
  _Atomic(int64_t) done;             // chunks finished in this region
  _Atomic(int) width, workers, sleepers;
  void (*body)(void *, int64_t);
  void *context;
  int64_t chunks;
  pthread_mutex_t sleep_lock;
  pthread_cond_t wake;
} pool = {.callers = PTHREAD_MUTEX_INITIALIZER, .sleep_lock = PTHREAD_MUTEX_INITIALIZER, .wake = PTHREAD_COND_INITIALIZER};

static inline void relax(void) {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("yield");
#endif
}

static uint64_t now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

// Claims and runs chunks until none is left. The fields of the region stay as they are while a claimed
// chunk is not done, so they are read after the claim.
static void work(void) {
  uint64_t ticket = atomic_load_explicit(&pool.ticket, memory_order_acquire);
  while ((uint32_t)ticket != 0) {
    if (!atomic_compare_exchange_weak_explicit(&pool.ticket, &ticket, ticket - 1, memory_order_acq_rel,
                                               memory_order_acquire))
      continue;
    pool.body(pool.context, pool.chunks - (int64_t)(uint32_t)ticket);
    atomic_fetch_add_explicit(&pool.done, 1, memory_order_release);
    ticket = atomic_load_explicit(&pool.ticket, memory_order_acquire);
  }
}

static void *worker(void *number) {
  const int mine = (int)(intptr_t)number;
  for (;;) {
    uint64_t deadline = now() + SPIN_NANOSECONDS;
    for (int spins = 0; (uint32_t)atomic_load_explicit(&pool.ticket, memory_order_relaxed) == 0; spins++) {
      relax();
      if (spins % 64 != 63 || now() < deadline) continue;
      pthread_mutex_lock(&pool.sleep_lock);
      atomic_fetch_add(&pool.sleepers, 1);
      while ((uint32_t)atomic_load(&pool.ticket) == 0) pthread_cond_wait(&pool.wake, &pool.sleep_lock);
      atomic_fetch_sub(&pool.sleepers, 1);
      pthread_mutex_unlock(&pool.sleep_lock);
    }
    if (mine < atomic_load_explicit(&pool.width, memory_order_relaxed)) {
      work();
    } else {  // more workers than the width allows: stand aside
      const struct timespec pause = {.tv_nsec = 1000000};
      nanosleep(&pause, NULL);
    }
  }
  return NULL;
}

int martlet_pool_width(void) {
  int width = atomic_load_explicit(&pool.width, memory_order_relaxed);
  if (width > 0) return width;
  const char *wanted = getenv("MARTLET_THREADS");
  long count = wanted ? strtol(wanted, NULL, 10) : 0;
  if (count < 1) count = sysconf(_SC_NPROCESSORS_ONLN);
  martlet_pool_set_width((int)(count < 1 ? 1 : count > MOST_WIDTH ? MOST_WIDTH : count));
  return atomic_load_explicit(&pool.width, memory_order_relaxed);
}

void martlet_pool_set_width(int width) {
  atomic_store_explicit(&pool.width, width < 1 ? 1 : width > MOST_WIDTH ? MOST_WIDTH : width, memory_order_relaxed);
}

void martlet_pool_run(void (*body)(void *context, int64_t chunk), void *context, int64_t chunks) {
  const int width = martlet_pool_width();
  if (chunks <= 1 || width == 1 || chunks >= UINT32_MAX) {
    for (int64_t chunk = 0; chunk < chunks; chunk++) body(context, chunk);
    return;
  }
  pthread_mutex_lock(&pool.callers);
  while (atomic_load_explicit(&pool.workers, memory_order_relaxed) < width - 1) {
    const int number = atomic_fetch_add(&pool.workers, 1) + 1;
    pthread_t thread;
    if (pthread_create(&thread, NULL, worker, (void *)(intptr_t)number) != 0) break;
    pthread_detach(thread);
  }
  pool.body = body;
  pool.context = context;
  pool.chunks = chunks;
  atomic_store_explicit(&pool.done, 0, memory_order_relaxed);
  const uint64_t region = (atomic_load_explicit(&pool.ticket, memory_order_relaxed) >> 32) + 1;
  atomic_store(&pool.ticket, region << 32 | (uint64_t)chunks);
  if (atomic_load(&pool.sleepers) > 0) {
    pthread_mutex_lock(&pool.sleep_lock);
    pthread_cond_broadcast(&pool.wake);
    pthread_mutex_unlock(&pool.sleep_lock);
  }
  work();
  for (int spins = 0; atomic_load_explicit(&pool.done, memory_order_acquire) < chunks; spins++) {
    relax();
    if (spins > 2000) {  // the thread we wait for may have lost its processor: give it ours
      const struct timespec pause = {.tv_nsec = 1000};
      nanosleep(&pause, NULL);
    }
  }
  pthread_mutex_unlock(&pool.callers);
}
