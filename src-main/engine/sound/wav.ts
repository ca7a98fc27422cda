import { readFile } from 'node:fs/promises';
import { ParlanceError } from '../../contract/errors.ts';

/** Samples a second of every stored clip. */
export const sampleRate = 16_000;

const formatPcm = 1;

/**
 * Reads a stored clip, 16 kHz mono 16-bit WAV, as f32 in -1..1. Throws file-missing, audio-format (any other kind of file:
 * clips are converted before they are stored) or audio-truncated.
 */
export async function readClip(path: string): Promise<Float32Array> {
  let bytes: Buffer;
  try {
    bytes = await readFile(path);
  } catch (cause) {
    throw clipUnreadable(path, cause);
  }
  return clipSamples(bytes, path);
}

export function clipUnreadable(path: string, cause: unknown): ParlanceError {
  return new ParlanceError(
    'file-missing',
    `The stored sound ${path} cannot be read.`,
    'Check that the file is still there.',
    { cause },
  );
}

/** The samples of a stored clip's bytes; `name` is only named in errors. */
export function clipSamples(bytes: Buffer, name: string): Float32Array {
  if (
    bytes.length < 12 ||
    bytes.toString('latin1', 0, 4) !== 'RIFF' ||
    bytes.toString('latin1', 8, 12) !== 'WAVE'
  )
    throw wrongFormat(name, 'it is not a WAV file');
  let sawFormat = false;
  for (let at = 12; at + 8 <= bytes.length; ) {
    const chunk = bytes.toString('latin1', at, at + 4);
    const size = bytes.readUInt32LE(at + 4);
    const body = at + 8;
    if (chunk === 'fmt ') {
      checkFormat(bytes, body, size, name);
      sawFormat = true;
    }
    if (chunk === 'data') {
      if (!sawFormat) throw wrongFormat(name, 'its data come before its format');
      if (body + size > bytes.length) throw truncated(name, size, bytes.length - body);
      return toFloats(bytes, body, size >> 1);
    }
    // Chunks are padded to even lengths.
    at = body + size + (size & 1);
  }
  throw wrongFormat(name, 'it holds no data');
}

function checkFormat(bytes: Buffer, at: number, size: number, name: string): void {
  if (size < 16 || at + 16 > bytes.length) throw wrongFormat(name, 'its format is cut off');
  const kind = bytes.readUInt16LE(at);
  const channels = bytes.readUInt16LE(at + 2);
  const rate = bytes.readUInt32LE(at + 4);
  const bits = bytes.readUInt16LE(at + 14);
  if (kind !== formatPcm || channels !== 1 || rate !== sampleRate || bits !== 16)
    throw wrongFormat(name, `it has ${channels} channels of ${bits} bits at ${rate} Hz`);
}

function toFloats(bytes: Buffer, at: number, count: number): Float32Array {
  const samples = new Float32Array(count);
  for (let i = 0; i < count; i++) samples[i] = bytes.readInt16LE(at + 2 * i) / 32_768;
  return samples;
}

function wrongFormat(name: string, why: string): ParlanceError {
  return new ParlanceError(
    'audio-format',
    `${name} is not stored sound (16 kHz, mono, 16 bits): ${why}.`,
    'Give the file to `parlance ask` or `parlance transcribe`, which convert it first.',
  );
}

function truncated(name: string, said: number, there: number): ParlanceError {
  return new ParlanceError(
    'audio-truncated',
    `${name} ends early: ${there} of ${said} bytes of sound are there.`,
    'Record it again, or restore the file from a copy.',
  );
}
