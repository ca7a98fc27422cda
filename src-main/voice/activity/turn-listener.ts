import type { TurnListener, TurnListenerOptions } from '../../contract/index.ts';
import { frameSamples } from './frame.ts';
import { TurnDetector } from './turn-detector.ts';
import type { VoiceActivity } from './voice-activity.ts';

/** Takes turns out of one stream of sound: the model's frames, then the detector's events. */
export function listenForTurns(
  activity: VoiceActivity,
  { settings, onEvent, onFailure }: TurnListenerOptions,
): TurnListener {
  const detector = new TurnDetector(settings);
  let pushed = 0;
  let isOver = false;
  const stream = activity.open({
    onFrames(frames) {
      for (const frame of frames) detector.push(frame).forEach(onEvent);
    },
    onFailure(failure) {
      isOver = true;
      onFailure(failure);
    },
  });
  return {
    push(samples) {
      pushed += samples.length;
      stream.push(samples);
    },
    words: (text, language) => detector.words(text, language),
    settled: () => stream.settled(),
    async finish() {
      if (isOver) return;
      const missing = (frameSamples - (pushed % frameSamples)) % frameSamples;
      if (missing > 0) stream.push(new Float32Array(missing));
      await stream.settled();
      if (isOver) return;
      isOver = true;
      stream.close();
      detector.finish().forEach(onEvent);
    },
    cancel() {
      isOver = true;
      stream.close();
    },
  };
}
