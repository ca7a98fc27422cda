/** A name of a file within one folder, under any operating system: no separators, no drive or stream, no way up. */
export function isFileName(value: unknown): value is string {
  return (
    typeof value === 'string' &&
    value.length > 0 &&
    value.length <= 255 &&
    !/[/\\:\0]/.test(value) &&
    value !== '.' &&
    value !== '..'
  );
}
