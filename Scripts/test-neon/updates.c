// The optimisers of elementwise.h against PyTorch's equations in double precision, over three
// steps, so that the state that a step leaves behind is checked by the next. The factors are exact
// in both precisions. The numbers are of size 1 and a step makes about ten roundings: 32 roundoffs
// over three steps.
#include "test.h"

static const float epsilon = 0.001f;

/// A parameter and its optimiser's states.
typedef struct {
  double w, first, second;
} parameter;

static void adam_l2(long n, float *w, const float *g, float *m, float *v) {
  k->adam(n, w, g, m, v, 0.125f, 0.96875f, 0.0625f, 0.0625f, 0.75f, epsilon, 0.5f, 0.125f, 1);
}
static void adamw(long n, float *w, const float *g, float *m, float *v) {
  k->adam(n, w, g, m, v, 0.125f, 0.96875f, 0.0625f, 0.0625f, 0.75f, epsilon, 0.5f, 0, 0.875f);
}
static void plain_adam(parameter *p, double d, double weight_factor) {
  p->first = 0.875 * p->first + 0.125 * d;
  p->second = 0.96875 * p->second + 0.0625 * d * d;
  p->w = p->w * weight_factor - 0.0625 * p->first / (sqrt(p->second) / 0.75 + epsilon);
}
static void plain_adam_l2(parameter *p, double g) { plain_adam(p, 0.5 * g + 0.125 * p->w, 1); }
static void plain_adamw(parameter *p, double g) { plain_adam(p, 0.5 * g, 0.875); }

static void descent(long n, float *w, const float *g, float *first, float *second) {
  (void)first, (void)second;
  k->sgd(n, w, g, 0, 0.25f, 0, 0, 1, 0.5f, 0.125f);
}
static void plain_descent(parameter *p, double g) { p->w -= 0.25 * (0.5 * g + 0.125 * p->w); }

static void momentum(long n, float *w, const float *g, float *velocity, float *second) {
  (void)second;
  k->sgd(n, w, g, velocity, 0.25f, 0.75f, 0, 0, 0.5f, 0.125f);
}
static void plain_momentum(parameter *p, double g) {
  p->first = 0.75 * p->first + 0.5 * g + 0.125 * p->w;
  p->w -= 0.25 * p->first;
}

static void nesterov(long n, float *w, const float *g, float *velocity, float *second) {
  (void)second;
  k->sgd(n, w, g, velocity, 0.25f, 0.75f, 1, 0, 0.5f, 0.125f);
}
static void plain_nesterov(parameter *p, double g) {
  const double d = 0.5 * g + 0.125 * p->w;
  p->first = 0.75 * p->first + d;
  p->w -= 0.25 * (d + 0.75 * p->first);
}

// The first step takes the gradient itself for the velocity.
static void first_step(long n, float *w, const float *g, float *velocity, float *second) {
  (void)second;
  k->sgd(n, w, g, velocity, 0.25f, 0.75f, 0, 1, 1, 0);
}
static void plain_first_step(parameter *p, double g) { p->first = g, p->w -= 0.25 * g; }

static void rmsprop(long n, float *w, const float *g, float *v, float *second) {
  (void)second;
  k->rmsprop(n, w, g, v, 0.0625f, 0.875f, 0.25f, epsilon, 0.5f, 0.125f);
}
static void plain_rmsprop(parameter *p, double g) {
  const double d = 0.5 * g + 0.125 * p->w;
  p->first = 0.875 * p->first + 0.25 * d * d;
  p->w -= 0.0625 * d / (sqrt(p->first) + epsilon);
}

static void adagrad(long n, float *w, const float *g, float *sum, float *second) {
  (void)second;
  k->adagrad(n, w, g, sum, 0.0625f, epsilon, 0.5f, 0.125f);
}
static void plain_adagrad(parameter *p, double g) {
  const double d = 0.5 * g + 0.125 * p->w;
  p->first += d * d;
  p->w -= 0.0625 * d / (sqrt(p->first) + epsilon);
}

static const struct {
  const char *name;
  void (*run)(long n, float *w, const float *g, float *first, float *second);
  void (*plain)(parameter *p, double g);
} optimisers[] = {
    {"adam", adam_l2, plain_adam_l2},       {"adamw", adamw, plain_adamw},
    {"sgd", descent, plain_descent},        {"sgd with momentum", momentum, plain_momentum},
    {"nesterov", nesterov, plain_nesterov}, {"first step", first_step, plain_first_step},
    {"rmsprop", rmsprop, plain_rmsprop},    {"adagrad", adagrad, plain_adagrad},
};

/// Room for n numbers in [0.25, 1).
static float *positive(long n) {
  float *a = drawn(n, 0.375f);
  for (long i = 0; i < n; i++) a[i] += 0.625f;
  return a;
}

void test_updates(void) {
  for (unsigned o = 0; o < sizeof optimisers / sizeof *optimisers; o++)
    for (long n = 0; n < 70; n++) {
      const char *name = optimisers[o].name;
      float *w = drawn(n, 1), *g = positive(n), *first = positive(n), *second = positive(n);
      parameter *plain = room(n * (long)sizeof(parameter));
      for (long i = 0; i < n; i++) plain[i] = (parameter){w[i], first[i], second[i]};
      for (int step = 0; step < 3; step++) {
        optimisers[o].run(n, w, g, first, second);
        for (long i = 0; i < n; i++) optimisers[o].plain(plain + i, g[i]);
      }
      for (long i = 0; i < n; i++) {
        check(name, i, w[i], plain[i].w, 32 * ROUNDOFF);
        check(name, i, first[i], plain[i].first, 32 * ROUNDOFF);
        check(name, i, second[i], plain[i].second, 32 * ROUNDOFF);
      }
      end_test(name);
    }
}
