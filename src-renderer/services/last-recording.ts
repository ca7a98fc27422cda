import { type Recording, recordingSchema } from '../../src-main/contract/index.ts';

const key = 'parlance-recording';

/**
 * Which recording this window is making, so that a window reloaded in mid-sentence offers it again. The main process
 * only tells of recordings whose process is gone; its own go on for all it knows.
 */
export function rememberRecording(recording: Recording) {
  sessionStorage.setItem(key, JSON.stringify(recording));
}

export function forgetRecording() {
  sessionStorage.removeItem(key);
}

export function lastRecording(): Recording | null {
  const stored = sessionStorage.getItem(key);
  return stored === null ? null : recordingSchema.parse(JSON.parse(stored));
}
