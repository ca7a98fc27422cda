const headerBytes = 44;

/** Samples per second of every stored clip. */
export const clipSampleRate = 16000;

/** f32 samples in -1..1 (16 kHz mono) as a whole 16-bit WAV file. Louder samples are clipped, not-a-number is silence. */
export function clipWav(samples: Float32Array): Uint8Array {
  const bytes = new Uint8Array(headerBytes + samples.length * 2);
  const view = new DataView(bytes.buffer);
  const writeText = (at: number, text: string) => bytes.set(new TextEncoder().encode(text), at);
  writeText(0, 'RIFF');
  view.setUint32(4, bytes.length - 8, true);
  writeText(8, 'WAVEfmt ');
  view.setUint32(16, 16, true);
  view.setUint16(20, 1, true);
  view.setUint16(22, 1, true);
  view.setUint32(24, clipSampleRate, true);
  view.setUint32(28, clipSampleRate * 2, true);
  view.setUint16(32, 2, true);
  view.setUint16(34, 16, true);
  writeText(36, 'data');
  view.setUint32(40, samples.length * 2, true);
  samples.forEach((sample, place) => {
    const level = Math.round(sample * 32768) || 0;
    view.setInt16(headerBytes + place * 2, Math.min(32767, Math.max(-32768, level)), true);
  });
  return bytes;
}
