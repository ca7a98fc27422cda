import { ParlanceError } from '../contract/index.ts';

/** How samples lie in a WAV file. */
export interface WavFormat {
  readonly encoding: 'integer' | 'float';
  readonly channels: number;
  /** Samples per second. */
  readonly sampleRate: number;
  /** Of one sample of one channel; 24 bits may lie in 4 bytes. */
  readonly bytesPerSample: number;
}

const otherEncodings: Record<number, string> = {
  2: 'Microsoft ADPCM',
  6: 'A-law',
  7: 'µ-law',
  17: 'IMA ADPCM',
  49: 'GSM 6.10',
  80: 'MPEG',
  85: 'MP3',
};

const toWav = 'Convert it to plain WAV, for example with `ffmpeg -i INPUT -ar 16000 -ac 1 OUTPUT.wav`.';

export function unreadable(message: string): ParlanceError {
  return new ParlanceError('audio-format', message, toWav);
}

/** What a file is that is no WAV, by its first bytes; null when it cannot be told. */
export function otherKind(bytes: Uint8Array): string | null {
  const start = new TextDecoder('latin1').decode(bytes.subarray(0, 64));
  if (start.startsWith('ID3') || (bytes[0] === 0xff && ((bytes[1] ?? 0) & 0xe6) === 0xe2))
    return 'an MP3 file';
  if (start.startsWith('OggS')) return 'an Ogg file';
  if (start.startsWith('fLaC')) return 'a FLAC file';
  if (start.slice(4, 8) === 'ftyp') return 'an MP4 or M4A file';
  if (start.startsWith('\x1a\x45\xdf\xa3')) return 'a WebM or Matroska file';
  if (start.startsWith('FORM')) return 'an AIFF file';
  if (start.startsWith('RIFX')) return 'a big-endian WAV file';
  if (start.startsWith('RIFF')) return 'a RIFF file of another kind';
  return bytes.subarray(0, 64).every((byte) => byte >= 9 && byte !== 127) ? 'a text file' : null;
}

/**
 * Reads a `fmt ` chunk: plain, or WAVE_FORMAT_EXTENSIBLE, whose own tag is the start of its sub-format's GUID.
 * Throws ParlanceError audio-format for what cannot be played back without a codec.
 */
export function readFormat(chunk: DataView, name: string): WavFormat {
  if (chunk.byteLength < 16) throw unreadable(`${name}: its format is cut short.`);
  const extensible = chunk.getUint16(0, true) === 0xfffe;
  if (extensible && chunk.byteLength < 40) throw unreadable(`${name}: its format is cut short.`);
  const tag = extensible ? chunk.getUint16(24, true) : chunk.getUint16(0, true);
  const channels = chunk.getUint16(2, true);
  const sampleRate = chunk.getUint32(4, true);
  const blockBytes = chunk.getUint16(12, true);
  const bits = chunk.getUint16(14, true);
  if (tag !== 1 && tag !== 3) {
    throw unreadable(
      `${name} is compressed (${otherEncodings[tag] ?? `format ${tag}`}), which cannot be read.`,
    );
  }
  if (channels < 1 || channels > 64) throw unreadable(`${name} says that it has ${channels} channels.`);
  if (sampleRate < 4000 || sampleRate > 384_000)
    throw unreadable(`${name} says that it has ${sampleRate} samples a second.`);
  const bytesPerSample = blockBytes % channels === 0 ? blockBytes / channels : 0;
  const encoding = tag === 3 ? 'float' : 'integer';
  const sizes = encoding === 'float' ? [4, 8] : [1, 2, 3, 4];
  if (!sizes.includes(bytesPerSample) || bits < 1 || bits > bytesPerSample * 8) {
    throw unreadable(
      `${name} has samples of ${bits} bits in blocks of ${blockBytes} bytes, which cannot be read.`,
    );
  }
  return { encoding, channels, sampleRate, bytesPerSample };
}
