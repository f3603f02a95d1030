// Holds the kernels of every instruction set of the machine that runs this, the portable ones among
// them, to plain loops in double precision, on ragged sizes. For machines that Swift's tests don't
// run on; where they run, they test the same and more.
#include "test.h"

enum { CANARY = 0xe9, GUARDED = 160 };  // four of that byte are the float −3.5·10²⁵

const unfold_kernels *k;
static long checked, failures;
static unsigned long long seed = 1;
static struct { unsigned char *bytes; long count; } rooms[16];
static int room_count;

void *room(long bytes) {
  const int most = sizeof rooms / sizeof *rooms;
  unsigned char *p = malloc((size_t)(bytes + GUARDED));
  if (!p || room_count == most) abort();
  memset(p, CANARY, (size_t)(bytes + GUARDED));
  rooms[room_count].bytes = p, rooms[room_count++].count = bytes;
  return p;
}

float *floats(long n) { return room(n * (long)sizeof(float)); }

void end_test(const char *what) {
  while (room_count > 0) {
    unsigned char *p = rooms[--room_count].bytes;
    const long count = rooms[room_count].count;
    for (long i = 0; i < GUARDED; i++) check_within(what, count + i, p[count + i], CANARY, 0);
    free(p);
  }
}

float draw(void) {
  seed = seed * 6364136223846793005ull + 1442695040888963407ull;
  return (float)((double)(seed >> 40) / 8388608.0 - 1);
}

float *drawn(long n, float size) { return drawn_rows(1, n, n, size); }

float *drawn_rows(long rows, long width, long stride, float size) {
  float *a = floats(rows * stride);
  for (long i = 0; i < rows; i++)
    for (long j = 0; j < width; j++) a[i * stride + j] = size * draw();
  return a;
}

float *copied(const float *a, long n) {
  return memcpy(floats(n), a, (size_t)n * sizeof *a);
}

void check_within(const char *what, long at, double found, double expected, double bound) {
  checked++;
  if (fabs(found - expected) <= bound || (isnan(found) && isnan(expected))) return;
  if (failures++ < 20)
    printf("%s: %s[%ld] is %.9g, not %.9g\n", k->name, what, at, found, expected);
}

void check(const char *what, long at, double found, double expected, double tolerance) {
  check_within(what, at, found, expected, tolerance * (1 + fabs(expected)));
}

void check_gaps(const char *what, const float *a, long rows, long width, long stride) {
  float canary;
  memset(&canary, CANARY, sizeof canary);
  for (long i = 0; i < rows; i++)
    for (long j = width; j < stride; j++)
      check_within(what, i * stride + j, a[i * stride + j], canary, 0);
}

static void add_item(void *context, long step, long item) {
  ((long *)context)[item] += step + 1;
}

static void test_team(void) {
  enum { ITEMS = 13, STEPS = 50 };
  long done[ITEMS] = {0}, claims[8 * ITEMS];
  unfold_team *team = unfold_team_create(3);
  if (!team || !unfold_team_run(team, STEPS, ITEMS, claims, add_item, done)) failures++;
  for (long i = 0; i < ITEMS; i++) check("team", i, done[i], STEPS * (STEPS + 1) / 2, 0);
  if (team) unfold_team_destroy(team);
}

int main(void) {
  const char *const names[] = {"neon", "avx512vnni", "avx512", "avx2vnni", "avx2", "portable"};
  const unfold_kernels *first = 0;
  for (unsigned i = 0; i < sizeof names / sizeof *names; i++) {
    k = unfold_kernels_named(names[i]);
    if (!k) continue;
    if (!first) first = k;
    test_products(), test_packed(), test_cells(), test_elementwise(), test_updates();
    test_draw();
    printf("%s: panels of %d, tiles of %d rows\n", k->name, k->panel_width, k->tile_rows);
  }
  if (unfold_kernels_best() != first) failures++, printf("%s are not the best\n", first->name);
  test_team();
  if (failures) printf("%ld of %ld numbers are wrong\n", failures, checked);
  else printf("all %ld numbers are right\n", checked);
  return failures != 0;
}
