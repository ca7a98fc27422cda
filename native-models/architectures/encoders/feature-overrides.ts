import { z } from 'zod';
import { type FeatureSettings, kaldiFbankSchema } from '../../features/feature-settings.ts';
import type { Value } from '../../graph/definition.ts';
import type { Graph } from '../../graph/graph.ts';

/** What config.json may say of the features that an encoder was trained on, where they are not its family's usual ones. */
export const featureOverrides = z.discriminatedUnion('kind', [
  kaldiFbankSchema
    .omit({ sampleRate: true, mels: true })
    .partial()
    .extend({ kind: z.literal('kaldi-fbank') }),
  z.object({ kind: z.literal('nemo-log-mel') }),
]);

/** Kaldi's own: what `compute-fbank-feats` and torchaudio.compliance.kaldi.fbank give for 16-bit samples, without dither. */
const kaldiDefaults = {
  window: 'povey',
  amplitude: 32768,
  preemphasis: 0.97,
  lowHertz: 20,
  highHertz: 8000,
  mean: 0,
  deviation: 1,
} as const;

/** Kaldi's filter bank of so many bands, and what is different. */
export function kaldiFeatures(
  mels: number,
  different: Partial<Omit<Extract<FeatureSettings, { kind: 'kaldi-fbank' }>, 'kind' | 'mels'>> = {},
): FeatureSettings {
  return { ...kaldiDefaults, ...different, kind: 'kaldi-fbank', sampleRate: 16000, mels };
}

/** The usual features, or those that config.json names instead, with as many bands. */
export function featuresOf(
  said: z.infer<typeof featureOverrides> | undefined,
  usual: FeatureSettings & { readonly mels: number },
): FeatureSettings {
  const { mels } = usual;
  if (said === undefined) return usual;
  if (said.kind === 'nemo-log-mel') return { kind: 'nemo-log-mel', sampleRate: 16000, mels };
  const { kind: _, ...different } = said;
  const given = Object.entries(different).filter(([, value]) => value !== undefined);
  return kaldiFeatures(mels, Object.fromEntries(given));
}

/** The frames of sound among `features` [1, mels, frames]: NeMo's end with one that its models mask. */
export function soundFrames(g: Graph, features: Value, settings: FeatureSettings): Value {
  return settings.kind === 'nemo-log-mel' ? g.slice(features, 2, 0, -1) : features;
}
