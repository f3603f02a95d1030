int unfold_kernels_placeholder(void) { return 0; }
