// A persistent team of threads. Waiting spins for a moment (a step of a small network takes
// microseconds), then yields, then, between jobs, sleeps: an idle program uses no processor, and
// a loaded machine isn't stalled by threads that spin for one that has been descheduled.
#include "CKernels.h"
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

enum { SPINS = 4000, YIELDS = 200 };

struct unfold_team {
  int threads;
  pthread_t *workers;
  pthread_mutex_t busy;   // held while a job runs
  pthread_mutex_t sleep;  // guards sleeping and waking between jobs
  pthread_cond_t wake;
  unfold_job job;
  void *context;
  _Atomic int stop;
  _Atomic long generation;  // counts jobs
  _Atomic int finished;     // workers done with the job
  _Atomic int arrived;      // threads at the barrier
  _Atomic long passed;      // counts barriers
  _Atomic long next;
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

/// Makes denormals zero while a job runs: they cost a hundred times a normal number, and a
/// vanishing gradient is full of them. Returns what `leave` puts back.
static unsigned long flush_denormals(void) {
#if defined(__x86_64__)
  unsigned int before = _mm_getcsr();
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
static void leave_denormals(unsigned long before) {
#if defined(__x86_64__)
  _mm_setcsr((unsigned int)before);
#elif defined(__aarch64__)
  __asm__ volatile("msr fpcr, %0" ::"r"(before));
#else
  (void)before;
#endif
}

/// Spins, then yields, until the counter is no longer `old`; false if it gave up.
static int wait_for_change(_Atomic long *counter, long old, int forever) {
  for (long n = 0; atomic_load_explicit(counter, memory_order_acquire) == old; n++) {
    if (n < SPINS) {
      relax();
    } else if (forever || n < SPINS + YIELDS) {
      sched_yield();
    } else {
      return 0;
    }
  }
  return 1;
}

static void *work(void *argument) {
  worker_start start = *(worker_start *)argument;
  free(argument);
  unfold_team *team = start.team;
  flush_denormals();
  for (long seen = 0;; seen++) {
    if (!wait_for_change(&team->generation, seen, 0)) {
      pthread_mutex_lock(&team->sleep);
      while (atomic_load(&team->generation) == seen) pthread_cond_wait(&team->wake, &team->sleep);
      pthread_mutex_unlock(&team->sleep);
    }
    if (atomic_load(&team->stop)) return 0;
    team->job(team->context, start.index, team->threads);
    atomic_fetch_add_explicit(&team->finished, 1, memory_order_release);
  }
}

/// Lets every worker see that the generation has moved on.
static void announce(unfold_team *team) {
  pthread_mutex_lock(&team->sleep);
  atomic_fetch_add_explicit(&team->generation, 1, memory_order_release);
  pthread_cond_broadcast(&team->wake);
  pthread_mutex_unlock(&team->sleep);
}

unfold_team *unfold_team_create(int threads) {
  unfold_team *team = calloc(1, sizeof *team);
  if (!team) return 0;
  team->threads = 1;
  team->workers = calloc((size_t)threads, sizeof *team->workers);
  pthread_mutex_init(&team->busy, 0);
  pthread_mutex_init(&team->sleep, 0);
  pthread_cond_init(&team->wake, 0);
  for (int i = 1; team->workers && i < threads; i++) {
    worker_start *start = malloc(sizeof *start);
    if (!start) break;
    *start = (worker_start){team, i};
    if (pthread_create(&team->workers[i], 0, work, start)) {
      free(start);
      break;
    }
    team->threads = i + 1;  // read by workers only after the first job is announced
  }
  return team;
}

void unfold_team_destroy(unfold_team *team) {
  pthread_mutex_lock(&team->busy);
  atomic_store(&team->stop, 1);
  announce(team);
  for (int i = 1; i < team->threads; i++) pthread_join(team->workers[i], 0);
  pthread_mutex_unlock(&team->busy);
  free(team->workers);
  free(team);
}

int unfold_team_run(unfold_team *team, unfold_job job, void *context) {
  if (pthread_mutex_trylock(&team->busy)) return 0;
  const unsigned long denormals = flush_denormals();
  team->job = job;
  team->context = context;
  atomic_store_explicit(&team->next, 0, memory_order_relaxed);
  atomic_store_explicit(&team->finished, 0, memory_order_relaxed);
  if (team->threads > 1) announce(team);
  job(context, 0, team->threads);
  for (long n = 0; atomic_load_explicit(&team->finished, memory_order_acquire) < team->threads - 1; n++)
    if (n < SPINS) relax(); else sched_yield();
  leave_denormals(denormals);
  pthread_mutex_unlock(&team->busy);
  return 1;
}

void unfold_team_barrier(unfold_team *team) {
  const long passed = atomic_load_explicit(&team->passed, memory_order_acquire);
  if (atomic_fetch_add_explicit(&team->arrived, 1, memory_order_acq_rel) == team->threads - 1) {
    atomic_store_explicit(&team->arrived, 0, memory_order_relaxed);
    atomic_fetch_add_explicit(&team->passed, 1, memory_order_release);
  } else {
    wait_for_change(&team->passed, passed, 1);
  }
}

long unfold_team_next(unfold_team *team) {
  return atomic_fetch_add_explicit(&team->next, 1, memory_order_relaxed);
}

void unfold_run_alone(unfold_job job, void *context) {
  const unsigned long denormals = flush_denormals();
  job(context, 0, 1);
  leave_denormals(denormals);
}
