import { ModelError } from '../errors.ts';
import { readAlignment } from '../spectrum/read-alignment.ts';
import { type MatrixSpectrum, matrixSpectrum, type Spectrum, tensorSpectrum } from '../spectrum/spectrum.ts';
import type { BundleManifest } from './manifest.ts';
import { hearClip } from './probe-sound.ts';
import { openBundle } from './verify.ts';

/**
 * Singular values of the matrices that sound passes through between encoder and LLM, and, with a clip (16 kHz, mono), of what the
 * adaptor makes of it (the transferable aligner, section 2.3.3). Throws `ModelError`.
 */
export async function bundleSpectrum(folder: string, clip: Float32Array | null): Promise<Spectrum> {
  const manifest = await openBundle(folder);
  if (manifest.adaptor === null)
    throw new ModelError(
      'not-supported',
      `The bundle ${manifest.id} has no adaptor, and so no alignment.`,
      'Name a bundle with an adaptor.',
    );
  const matrices = alignmentSpectra(folder, manifest.adaptor);
  if (clip === null) return { matrices };
  const { adaptor } = await hearClip({ folder }, clip, manifest);
  const [rows = 0, columns = 0] = adaptor?.shape ?? [];
  if (adaptor === undefined || rows === 0)
    throw new ModelError('not-supported', 'Nothing in the clip became a token.', 'Name a clip with speech.');
  return { matrices, features: matrixSpectrum('features', { rows, columns, values: adaptor.data }) };
}

function alignmentSpectra(folder: string, adaptor: NonNullable<BundleManifest['adaptor']>): MatrixSpectrum[] {
  const alignment = readAlignment(folder, adaptor);
  try {
    return alignment.matrices.map(tensorSpectrum);
  } finally {
    alignment.close();
  }
}
