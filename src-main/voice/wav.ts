import { ParlanceError } from '../contract/index.ts';
import { otherKind, readFormat, unreadable, type WavFormat } from './wav-format.ts';

export interface MonoSound {
  /** -1..1, one channel. */
  readonly samples: Float32Array;
  readonly sampleRate: number;
}

/** Writers to a pipe cannot go back to fill in the size: they leave 0, or about the most the field can hold. */
const openEnded = 0x7fff_f000;

interface Data {
  readonly start: number;
  readonly end: number;
  /** Bytes the header promised. */
  readonly promised: number;
}

function dataChunk(view: DataView, start: number, size: number): Data {
  const rest = view.byteLength - start;
  const fileSize = view.getUint32(4, true);
  const fileIsOpenEnded = fileSize === 0 || fileSize >= openEnded || fileSize + 8 <= start;
  const untilEnd = (size === 0 && fileIsOpenEnded) || (size >= openEnded && size > rest);
  return { start, end: start + Math.min(rest, untilEnd ? rest : size), promised: untilEnd ? rest : size };
}

/** Walks the chunks; those between `fmt ` and `data`, of whatever name, are skipped. */
function findChunks(bytes: Uint8Array, name: string): { format: WavFormat; data: Data } {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let format: WavFormat | null = null;
  let at = 12;
  while (at + 8 <= bytes.length) {
    const id = new TextDecoder('latin1').decode(bytes.subarray(at, at + 4));
    const size = view.getUint32(at + 4, true);
    const start = at + 8;
    if (id === 'data') {
      if (format === null) throw unreadable(`${name} does not say how its samples are stored.`);
      return { format, data: dataChunk(view, start, size) };
    }
    if (id === 'fmt ') {
      format = readFormat(
        new DataView(view.buffer, view.byteOffset + start, Math.min(size, bytes.length - start)),
        name,
      );
    }
    // A chunk of odd size is followed by one byte of padding.
    at = start + size + (size % 2);
  }
  if (format === null) throw unreadable(`${name} is cut off before its format.`);
  throw new ParlanceError(
    'audio-truncated',
    `${name} is cut off before its sound begins.`,
    'Copy or record it again.',
  );
}

function requireWav(bytes: Uint8Array, name: string): void {
  if (bytes.length === 0) {
    throw new ParlanceError('audio-empty', `${name} is empty.`, 'Choose a file with sound in it.');
  }
  const text = (at: number) => new TextDecoder('latin1').decode(bytes.subarray(at, at + 4));
  if ((text(0) === 'RIFF' || text(0) === 'RF64') && text(8) === 'WAVE') return;
  const kind = otherKind(bytes);
  throw unreadable(kind === null ? `${name} is not a WAV file.` : `${name} is ${kind}, not WAV.`);
}

function requireWhole({ start, end, promised }: Data, format: WavFormat, name: string): void {
  const frameBytes = format.channels * format.bytesPerSample;
  const seconds = (count: number) => (Math.floor(count / frameBytes) / format.sampleRate).toFixed(1);
  const present = end - start;
  // Less than one frame is a writer that counted its padding, not lost sound.
  if (promised - present >= frameBytes) {
    throw new ParlanceError(
      'audio-truncated',
      `${name} is cut off: ${seconds(present)} of ${seconds(promised)} seconds are there.`,
      'Copy or record it again. To use what is there, repair it, for example with `ffmpeg -i INPUT OUTPUT.wav`.',
    );
  }
  if (present < frameBytes) {
    throw new ParlanceError('audio-empty', `${name} holds no sound.`, 'Choose a file with sound in it.');
  }
}

/** A reader of one sample at a byte position, as f32 in -1..1. 8-bit samples are unsigned, all others signed. */
function sampleReader(view: DataView, { encoding, bytesPerSample }: WavFormat): (at: number) => number {
  if (encoding === 'float') {
    const read =
      bytesPerSample === 8
        ? (at: number) => view.getFloat64(at, true)
        : (at: number) => view.getFloat32(at, true);
    return (at) => {
      const sample = read(at);
      return Number.isFinite(sample) ? sample : 0;
    };
  }
  switch (bytesPerSample) {
    case 1:
      return (at) => (view.getUint8(at) - 128) / 128;
    case 2:
      return (at) => view.getInt16(at, true) / 2 ** 15;
    case 3:
      return (at) => ((view.getInt8(at + 2) << 16) | view.getUint16(at, true)) / 2 ** 23;
    default:
      return (at) => view.getInt32(at, true) / 2 ** 31;
  }
}

/**
 * Reads a WAV file (integer of 8 to 32 bits, float of 32 and 64; any channels, mixed down as their mean, which cannot
 * clip). Throws ParlanceError audio-empty, audio-format or audio-truncated; `name` is for the message.
 *
 * Own reader: those published either play a truncated file as if it were whole or take its size on trust.
 */
export function readWav(bytes: Uint8Array, name: string): MonoSound {
  requireWav(bytes, name);
  const { format, data } = findChunks(bytes, name);
  requireWhole(data, format, name);
  const { channels, bytesPerSample, sampleRate } = format;
  const read = sampleReader(new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength), format);
  const samples = new Float32Array(Math.floor((data.end - data.start) / (channels * bytesPerSample)));
  let at = data.start;
  for (let frame = 0; frame < samples.length; frame += 1) {
    let sum = 0;
    for (let channel = 0; channel < channels; channel += 1, at += bytesPerSample) sum += read(at);
    samples[frame] = sum / channels;
  }
  return { samples, sampleRate };
}
