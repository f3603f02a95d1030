int unfold_kernels_placeholder(void);
