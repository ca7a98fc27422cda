import type { BundleManifest } from '../../../native-models/bundles/manifest.ts';
import { shortestWindow } from './audio-windows.ts';
import { sampleRate } from './wav.ts';

/** What speech of a length takes of the context, as far as can be told without running a model. */
export interface SpokenPositions {
  /** On average. */
  usual(seconds: number): number;
  /** Seconds that are sure to fit into so many positions. */
  fit(room: number): number;
}

/** Nobody speaks twelve words a second; speech takes four positions a second on average. */
const mostWordsPerSecond = 12.5;
const usualWordsPerSecond = 4;

/** Speech as words, or as one position for each sound that is heard anew. */
export const asWords: SpokenPositions = {
  usual: (seconds) => Math.ceil(seconds * usualWordsPerSecond),
  fit: (room) => room / mostWordsPerSecond,
};

type AdaptorPart = Pick<NonNullable<BundleManifest['adaptor']>, 'padding' | 'selection' | 'stack' | 'tokens'>;

/** Sound as an adaptor gives it, in windows of at most `longest` samples. `framesPerSecond` are the encoder's. */
export function asAdapted(adaptor: AdaptorPart, framesPerSecond: number, longest: number): SpokenPositions {
  const { padding, selection } = adaptor;
  const tokens = adaptor.tokens ?? { perSecond: framesPerSecond / adaptor.stack };
  if ('fixed' in tokens) return inWindows(tokens.fixed, longest);
  if (selection === 'ctc-compress') {
    const most = Math.min(tokens.perSecond, mostWordsPerSecond);
    return { usual: asWords.usual, fit: (room) => room / most };
  }
  // Silence takes positions too.
  if (padding.kind === '30s') return inWindows(Math.ceil((tokens.perSecond * longest) / sampleRate), longest);
  const silence = padding.tailSeconds + padding.unitSamples / sampleRate;
  return {
    usual: (seconds) => Math.ceil((seconds + silence) * tokens.perSecond),
    fit: (room) => Math.max(0, room / tokens.perSecond - silence),
  };
}

/** As many positions for each window, however short. */
export function inWindows(positions: number, longest: number): SpokenPositions {
  const whole = longest / sampleRate;
  const shortest = shortestWindow(longest) / sampleRate;
  return {
    usual: (seconds) => positions * Math.max(1, Math.ceil(seconds / whole)),
    fit: (room) => {
      const windows = Math.floor(room / positions);
      // Only the last window is as long as can be for sure; the others may end at an earlier pause.
      return windows === 0 ? 0 : (windows - 1) * shortest + whole;
    },
  };
}
