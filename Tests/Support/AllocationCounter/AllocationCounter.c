// The program's own malloc and its relatives, which count and then call those of glibc. Symbols of
// the executable go before those of libraries, so the Swift runtime's allocations come here too.
#include "AllocationCounter.h"
#include <errno.h>
#include <stdlib.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED
#endif
#endif

#if defined(__GLIBC__) && !defined(SANITIZED)

static _Thread_local int is_counting;
static _Thread_local unfold_allocations counted;

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *block, size_t size);
extern void *__libc_memalign(size_t alignment, size_t size);

static void note(size_t size) {
  if (!is_counting) return;
  counted.calls++;
  counted.bytes += size;
  if (size > counted.largest) counted.largest = size;
}

void *malloc(size_t size) {
  note(size);
  return __libc_malloc(size);
}

void *calloc(size_t count, size_t size) {
  note(count * size);
  return __libc_calloc(count, size);
}

void *realloc(void *block, size_t size) {
  note(size);
  return __libc_realloc(block, size);
}

void *aligned_alloc(size_t alignment, size_t size) {
  note(size);
  return __libc_memalign(alignment, size);
}

int posix_memalign(void **result, size_t alignment, size_t size) {
  note(size);
  void *block = __libc_memalign(alignment, size);
  if (!block) return ENOMEM;
  *result = block;
  return 0;
}

int unfold_can_count_allocations(void) { return 1; }
void unfold_start_counting_allocations(void) {
  counted = (unfold_allocations){0};
  is_counting = 1;
}
unfold_allocations unfold_stop_counting_allocations(void) {
  is_counting = 0;
  return counted;
}

#else

int unfold_can_count_allocations(void) { return 0; }
void unfold_start_counting_allocations(void) {}
unfold_allocations unfold_stop_counting_allocations(void) { return (unfold_allocations){0}; }

#endif
