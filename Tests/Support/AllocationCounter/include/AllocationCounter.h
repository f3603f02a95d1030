// Counts what the calling thread takes from the system's allocator. For tests only.
#ifndef UNFOLD_ALLOCATION_COUNTER_H
#define UNFOLD_ALLOCATION_COUNTER_H

#include <stddef.h>

typedef struct {
  long calls;    ///< Blocks that were asked for, those to be resized included.
  size_t bytes;  ///< All of them together.
  size_t largest;
} unfold_allocations;

/// Whether this system lets a program count its allocations: 0 outside Linux with glibc, and under
/// a sanitizer, which has an allocator of its own.
int unfold_can_count_allocations(void);
/// Begins to count, from nothing, on this thread.
void unfold_start_counting_allocations(void);
/// Stops, and returns what has been counted.
unfold_allocations unfold_stop_counting_allocations(void);

#endif
