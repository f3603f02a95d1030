// The pointwise part of one step of each cell, for one block of PANEL units and all batch rows.
// Gates stand side by side in a row of `gates`, PANEL units each, and are replaced in place: going
// forward by their activations, going back by the gradients of their preactivations.

#define FOR_UNITS(block)                             \
  for (int row = 0; row < (block).rows; row++)       \
    for (int unit = 0; unit < PANEL; unit += WIDTH)

// Gates i, f, g, o:  c′ = f ⊙ c + i ⊙ g,  h′ = o ⊙ tanh(c′).
static void lstm_forward(unfold_block b, const float *c_previous, float *c_next, float *h_next) {
  FOR_UNITS(b) {
    float *z = b.gates + row * b.gates_stride + unit;
    const long at = row * b.state_stride + unit;
    vec i = sigmoid_of(load(z)), f = sigmoid_of(load(z + PANEL));
    vec g = tanh_of(load(z + 2 * PANEL)), o = sigmoid_of(load(z + 3 * PANEL));
    vec c = fmadd(f, load(c_previous + at), i * g);
    store(c_next + at, c);
    store(h_next + at, o * tanh_of(c));
    store(z, i);
    store(z + PANEL, f);
    store(z + 2 * PANEL, g);
    store(z + 3 * PANEL, o);
  }
}

// dh has PANEL floats a row; dc is dL/dc′ from later steps, and becomes dL/dc.
static void lstm_backward(unfold_block b, const float *c_previous, const float *c_next,
                          const float *dh, float *dc) {
  FOR_UNITS(b) {
    float *z = b.gates + row * b.gates_stride + unit;
    const long at = row * b.state_stride + unit;
    vec i = load(z), f = load(z + PANEL), g = load(z + 2 * PANEL), o = load(z + 3 * PANEL);
    vec d = load(dh + row * PANEL + unit), squashed = tanh_of(load(c_next + at));
    vec memory = fmadd(d * o, 1.0f - squashed * squashed, load(dc + at));
    store(dc + at, memory * f);
    store(z, memory * g * i * (1.0f - i));
    store(z + PANEL, memory * load(c_previous + at) * f * (1.0f - f));
    store(z + 2 * PANEL, memory * i * (1.0f - g * g));
    store(z + 3 * PANEL, d * squashed * o * (1.0f - o));
  }
}

// Gates r, z, n; `hidden` holds W_hn h without its bias, [rows, state_stride], and gets it added:
//   n = tanh(x_n + r ⊙ hidden),  h′ = (1 − z) ⊙ n + z ⊙ h.
static void gru_forward(unfold_block b, float *hidden, const float *hidden_bias,
                        const float *h_previous, float *h_next) {
  FOR_UNITS(b) {
    float *gates = b.gates + row * b.gates_stride + unit;
    const long at = row * b.state_stride + unit;
    vec r = sigmoid_of(load(gates)), z = sigmoid_of(load(gates + PANEL));
    vec q = load(hidden + at) + load(hidden_bias + unit);
    vec n = tanh_of(fmadd(r, q, load(gates + 2 * PANEL)));
    store(h_next + at, fmadd(z, load(h_previous + at) - n, n));
    store(hidden + at, q);
    store(gates, r);
    store(gates + PANEL, z);
    store(gates + 2 * PANEL, n);
  }
}

// `dhidden` gets the gradients of the products with h: dr, dz, dq, laid out as `gates`.
// `dh_carry` gets the part of dL/dh that doesn't pass through a product: dh ⊙ z.
static void gru_backward(unfold_block b, const float *hidden, const float *h_previous,
                         const float *dh, float *dh_carry, float *dhidden) {
  FOR_UNITS(b) {
    float *gates = b.gates + row * b.gates_stride + unit;
    float *products = dhidden + row * b.gates_stride + unit;
    const long at = row * b.state_stride + unit;
    vec r = load(gates), z = load(gates + PANEL), n = load(gates + 2 * PANEL);
    vec q = load(hidden + at), d = load(dh + row * PANEL + unit);
    vec dn = d * (1.0f - z) * (1.0f - n * n);
    vec dr = dn * q * r * (1.0f - r);
    vec dz = d * (load(h_previous + at) - n) * z * (1.0f - z);
    store(dh_carry + at, d * z);
    store(gates, dr);
    store(gates + PANEL, dz);
    store(gates + 2 * PANEL, dn);
    store(products, dr);
    store(products + PANEL, dz);
    store(products + 2 * PANEL, dn * r);
  }
}

// h′ = tanh(z) or max(z, 0).
static void elman_forward(unfold_block b, int relu, float *h_next) {
  FOR_UNITS(b) {
    float *z = b.gates + row * b.gates_stride + unit;
    vec x = load(z), h = relu ? at_least(x, 0) : tanh_of(x);
    store(z, h);
    store(h_next + row * b.state_stride + unit, h);
  }
}

static void elman_backward(unfold_block b, int relu, const float *dh) {
  FOR_UNITS(b) {
    float *z = b.gates + row * b.gates_stride + unit;
    vec h = load(z), d = load(dh + row * PANEL + unit);
    store(z, relu ? choose(h > splat(0), d, splat(0)) : d * (1.0f - h * h));
  }
}
