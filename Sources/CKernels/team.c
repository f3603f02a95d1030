// A persistent team of threads that does a job of steps, each of several items.
//
// An item is claimed by one thread and belongs first to the thread in whose share it lies, so that
// its data stays in that processor's cache from step to step. But nobody depends on a thread that
// the system has taken off its processor: items that it hasn't begun are taken by others, and a
// worker that hasn't even woken up when the work is done isn't waited for. So a loaded machine makes
// a team slower, never stuck.
//
// Waiting spins for a moment (a step of a small network takes microseconds), then yields; between
// jobs it then sleeps, so that an idle program uses no processor.
#include "CKernels.h"
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

enum { SPINS = 2000, YIELDS = 200, SPINS_BEFORE_STEALING = 200, COUNT_BITS = 16, LINE = 8 };

struct unfold_team {
  int threads;
  pthread_t *workers;
  pthread_mutex_t busy;  // held while a job runs

  // The gate: a generation, odd while a job is open to workers, above the number that have joined.
  _Alignas(64) _Atomic unsigned long gate;
  _Atomic int finished;  // workers that joined and are done
  _Atomic int stop;

  pthread_mutex_t sleep;
  pthread_cond_t wake;
  _Atomic int sleepers;

  // The job.
  long steps, items;
  _Atomic long *claims;  // per item, a cache line apart, how many steps have been claimed
  unfold_work work;
  void *context;
  _Alignas(64) _Atomic long completed;  // items, of all steps together
};

typedef struct {
  unfold_team *team;
  int index;
} worker_start;

static void relax(void) {
#if defined(__x86_64__)
  _mm_pause();
#elif defined(__aarch64__)
  __asm__ volatile("yield");
#endif
}

static void relax_or_yield(long spins) {
  if (spins < SPINS) relax(); else sched_yield();
}

/// Makes denormals zero while a job runs: they cost a hundred times a normal number, and a
/// vanishing gradient is full of them. Returns what `restore_denormals` puts back.
static unsigned long flush_denormals(void) {
#if defined(__x86_64__)
  const unsigned int before = _mm_getcsr();
  _mm_setcsr(before | 0x8040);
  return before;
#elif defined(__aarch64__)
  unsigned long before;
  __asm__ volatile("mrs %0, fpcr" : "=r"(before));
  __asm__ volatile("msr fpcr, %0" ::"r"(before | (1ul << 24)));
  return before;
#else
  return 0;
#endif
}
static void restore_denormals(unsigned long before) {
#if defined(__x86_64__)
  _mm_setcsr((unsigned int)before);
#elif defined(__aarch64__)
  __asm__ volatile("msr fpcr, %0" ::"r"(before));
#else
  (void)before;
#endif
}

/// Does an item if nobody has claimed it for this step.
static int try_item(unfold_team *team, long step, long item) {
  long expected = step;
  if (!atomic_compare_exchange_strong_explicit(&team->claims[item * LINE], &expected, step + 1,
                                               memory_order_acquire, memory_order_relaxed))
    return 0;
  team->work(team->context, step, item);
  atomic_fetch_add_explicit(&team->completed, 1, memory_order_release);
  return 1;
}

static void do_share(unfold_team *team, int index) {
  const long items = team->items, last = team->steps - 1;
  const long begin = items * index / team->threads, end = items * (index + 1) / team->threads;
  for (long step = 0; step <= last; step++) {
    for (long item = begin; item < end; item++) try_item(team, step, item);
    // Others' items from the far end of the list, where their owners come last.
    long other = items - 1;
    for (long spins = 0;
         atomic_load_explicit(&team->completed, memory_order_acquire) < (step + 1) * items;
         spins++) {
      if (spins >= SPINS_BEFORE_STEALING || step == last) {
        while (other >= 0 && !try_item(team, step, other)) other--;
        if (other < 0 && step == last) return;  // whoever has the rest will finish it
      }
      relax_or_yield(spins);
    }
  }
}

static void *work_for(void *argument) {
  const worker_start start = *(worker_start *)argument;
  free(argument);
  unfold_team *team = start.team;
  flush_denormals();
  unsigned long seen = 0;
  for (long waits = 0;;) {
    unsigned long gate = atomic_load(&team->gate);
    const unsigned long generation = gate >> COUNT_BITS;
    if (generation == seen) {
      if (waits++ < SPINS + YIELDS) {
        relax_or_yield(waits);
        continue;
      }
      pthread_mutex_lock(&team->sleep);
      atomic_fetch_add(&team->sleepers, 1);
      while (atomic_load(&team->gate) >> COUNT_BITS == seen)
        pthread_cond_wait(&team->wake, &team->sleep);
      atomic_fetch_sub(&team->sleepers, 1);
      pthread_mutex_unlock(&team->sleep);
      continue;
    }
    if (atomic_load(&team->stop)) return 0;
    const int is_open = generation & 1;
    if (is_open && !atomic_compare_exchange_strong(&team->gate, &gate, gate + 1)) continue;
    seen = generation;
    waits = 0;
    if (!is_open) continue;
    do_share(team, start.index);
    atomic_fetch_add_explicit(&team->finished, 1, memory_order_release);
  }
}

/// Moves the gate to its next generation and wakes who sleeps. Returns how many had joined.
static int turn_gate(unfold_team *team) {
  unsigned long gate = atomic_load(&team->gate), next;
  do next = ((gate >> COUNT_BITS) + 1) << COUNT_BITS;
  while (!atomic_compare_exchange_weak(&team->gate, &gate, next));
  return (int)(gate & ((1ul << COUNT_BITS) - 1));
}

static void wake_sleepers(unfold_team *team) {
  if (!atomic_load(&team->sleepers)) return;
  pthread_mutex_lock(&team->sleep);
  pthread_cond_broadcast(&team->wake);
  pthread_mutex_unlock(&team->sleep);
}

unfold_team *unfold_team_create(int threads) {
  unfold_team *team = aligned_alloc(64, (sizeof *team + 63) / 64 * 64);
  if (!team) return 0;
  *team = (unfold_team){.threads = 1};
  team->workers = calloc((size_t)threads, sizeof *team->workers);
  pthread_mutex_init(&team->busy, 0);
  pthread_mutex_init(&team->sleep, 0);
  pthread_cond_init(&team->wake, 0);
  for (int i = 1; team->workers && i < threads; i++) {
    worker_start *start = malloc(sizeof *start);
    if (!start) break;
    *start = (worker_start){team, i};
    if (pthread_create(&team->workers[i], 0, work_for, start)) {
      free(start);
      break;
    }
    team->threads = i + 1;  // workers read it in a job, which is announced after this
  }
  return team;
}

void unfold_team_destroy(unfold_team *team) {
  pthread_mutex_lock(&team->busy);
  atomic_store(&team->stop, 1);
  turn_gate(team);
  wake_sleepers(team);
  for (int i = 1; i < team->threads; i++) pthread_join(team->workers[i], 0);
  pthread_mutex_unlock(&team->busy);
  free(team->workers);
  free(team);
}

int unfold_team_run(unfold_team *team, long steps, long items, long *claims, unfold_work work,
                    void *context) {
  if (pthread_mutex_trylock(&team->busy)) return 0;
  const unsigned long denormals = flush_denormals();
  for (long item = 0; item < items; item++) claims[item * LINE] = 0;
  team->steps = steps;
  team->items = items;
  team->claims = (_Atomic long *)claims;
  team->work = work;
  team->context = context;
  atomic_store_explicit(&team->completed, 0, memory_order_relaxed);
  atomic_store_explicit(&team->finished, 0, memory_order_relaxed);
  turn_gate(team);
  wake_sleepers(team);
  do_share(team, 0);
  const int joined = turn_gate(team);
  for (long n = 0; atomic_load_explicit(&team->finished, memory_order_acquire) < joined; n++)
    relax_or_yield(n);
  restore_denormals(denormals);
  pthread_mutex_unlock(&team->busy);
  return 1;
}

void unfold_run_alone(long steps, long items, unfold_work work, void *context) {
  const unsigned long denormals = flush_denormals();
  for (long step = 0; step < steps; step++)
    for (long item = 0; item < items; item++) work(context, step, item);
  restore_denormals(denormals);
}
