/** Larger than what encoding 30 s of sound allocates again and again, smaller than the matrices of large models. */
const returnedAtOnceBytes = 16 << 20;

/**
 * The environment of the engine's process. glibc keeps freed memory, and raises the size from which it does not with every large
 * piece that is freed: unpacking a large model's weights would leave gigabytes with the process (docs/decisions/0006). A fixed size
 * gives such pieces back. Who sets it differently is heeded.
 */
export function engineEnvironment(): NodeJS.ProcessEnv {
  if (process.platform !== 'linux') return process.env;
  return { MALLOC_MMAP_THRESHOLD_: String(returnedAtOnceBytes), ...process.env };
}
