import { writeDurably } from '../platform/durable-file.ts';

const headerBytes = 44;

/** Mono f32 samples in -1..1 → the bytes of a 16-bit PCM WAV file. */
export function wavBytes(pieces: readonly Float32Array[], sampleRate: number): Uint8Array {
  const count = pieces.reduce((sum, piece) => sum + piece.length, 0);
  const bytes = Buffer.alloc(headerBytes + 2 * count);
  bytes.write('RIFF', 0, 'latin1');
  bytes.writeUInt32LE(bytes.length - 8, 4);
  bytes.write('WAVEfmt ', 8, 'latin1');
  bytes.writeUInt32LE(16, 16);
  bytes.writeUInt16LE(1, 20);
  bytes.writeUInt16LE(1, 22);
  bytes.writeUInt32LE(sampleRate, 24);
  bytes.writeUInt32LE(2 * sampleRate, 28);
  bytes.writeUInt16LE(2, 32);
  bytes.writeUInt16LE(16, 34);
  bytes.write('data', 36, 'latin1');
  bytes.writeUInt32LE(2 * count, 40);
  let at = headerBytes;
  for (const piece of pieces) {
    for (const sample of piece) {
      bytes.writeInt16LE(Math.round(Math.max(-1, Math.min(1, sample)) * 32767), at);
      at += 2;
    }
  }
  return bytes;
}

/** Writes a WAV file that is whole or not there. Rejects with the system's error. */
export async function writeWav(
  path: string,
  pieces: readonly Float32Array[],
  sampleRate: number,
): Promise<void> {
  await writeDurably(path, wavBytes(pieces, sampleRate));
}
