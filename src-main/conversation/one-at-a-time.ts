/**
 * Runs work that has the same key one after the other, in the order it came; other keys do not wait. A failure goes to
 * its own caller and holds up nobody.
 */
export function oneAtATime() {
  const ends = new Map<string, Promise<unknown>>();
  return function inTurn<T>(key: string, work: () => Promise<T>): Promise<T> {
    const result = (ends.get(key) ?? Promise.resolve()).then(work);
    const end = result.then(
      () => undefined,
      () => undefined,
    );
    ends.set(key, end);
    void end.then(() => {
      if (ends.get(key) === end) ends.delete(key);
    });
    return result;
  };
}
