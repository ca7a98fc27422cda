import type { AppEvent } from '../contract/index.ts';

/** What happens in the composition, told to every screen. */
export interface Events {
  emit(event: AppEvent): void;
  /** Returns the function that ends the subscription. */
  on(listener: (event: AppEvent) => void): () => void;
}

export function createEvents(): Events {
  const listeners = new Set<(event: AppEvent) => void>();
  return {
    emit(event) {
      for (const listener of [...listeners]) listener(event);
    },
    on(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
}
