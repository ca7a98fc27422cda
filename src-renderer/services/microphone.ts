import { ParlanceError } from '../../src-main/contract/index.ts';
import workletAddress from './capture-worklet.ts?worker&url';

const sampleRate = 16000;

/** One bar of sound (160 ms; the last may be shorter): little-endian 16-bit samples at 16 kHz, and their RMS in 0..1. */
export interface SoundPiece {
  pcm: Uint8Array<ArrayBuffer>;
  loudness: number;
}

export interface Capture {
  /** The microphone's name, as the system gives it. */
  label: string;
  /** Resolves after the last piece was handed over and the microphone is off. */
  stop(): Promise<void>;
}

/** Quieter than this, in decibels under full scale, is drawn as nothing; stored sound is drawn by the same rule. */
const floorDecibels = -60;

/** Height of a live bar, 0..1, for a piece's RMS. */
export function barHeight(loudness: number): number {
  const decibels = loudness > 0 ? 20 * Math.log10(loudness) : floorDecibels;
  return Math.min(1, Math.max(0, 1 - decibels / floorDecibels));
}

/** Labels of the microphones here; empty strings until the person allowed one. */
export async function microphoneLabels(): Promise<string[]> {
  const devices = (await navigator.mediaDevices?.enumerateDevices()) ?? [];
  const labels = devices.filter(({ kind }) => kind === 'audioinput').map(({ label }) => label);
  return [...new Set(labels.filter((label) => label !== ''))];
}

export interface CaptureListener {
  piece(piece: SoundPiece): void;
  /** The microphone was unplugged or taken away; nothing more comes from it. */
  lost(): void;
}

/**
 * Opens the microphone and hands over its sound as it comes.
 * Throws microphone-missing, microphone-denied, or not-supported, with what to do about it.
 */
export async function capture(label: string | null, listener: CaptureListener): Promise<Capture> {
  const stream = await openStream(label);
  try {
    return await captureFrom(stream, listener);
  } catch (thrown) {
    turnOff(stream);
    throw new ParlanceError(
      'not-supported',
      'This browser cannot record.',
      'Open the same address in Chromium or Chrome, or attach a WAV file instead.',
      { cause: thrown },
    );
  }
}

async function captureFrom(stream: MediaStream, listener: CaptureListener): Promise<Capture> {
  const { context, source } = openContext(stream);
  await context.audioWorklet.addModule(workletAddress);
  const node = new AudioWorkletNode(context, 'capture', { numberOfOutputs: 0 });
  const { promise: ended, resolve: end } = Promise.withResolvers<void>();
  node.port.onmessage = ({ data }: MessageEvent<SoundPiece | 'ended'>) => {
    if (data === 'ended') end();
    else listener.piece(data);
  };
  source.connect(node);
  await context.resume();
  const [track] = stream.getAudioTracks();
  track?.addEventListener('ended', () => listener.lost());
  return {
    label: track?.label ?? '',
    async stop() {
      node.port.postMessage('flush');
      await ended;
      turnOff(stream);
      if (context.state !== 'closed') await context.close();
    },
  };
}

function turnOff(stream: MediaStream) {
  for (const track of stream.getTracks()) track.stop();
}

/** At 16 kHz where the browser converts to it by itself, which Firefox does not; there the worklet converts. */
function openContext(stream: MediaStream): { context: AudioContext; source: MediaStreamAudioSourceNode } {
  const wanted = new AudioContext({ sampleRate });
  try {
    return { context: wanted, source: wanted.createMediaStreamSource(stream) };
  } catch (thrown) {
    if (!(thrown instanceof DOMException && thrown.name === 'NotSupportedError')) throw thrown;
    void wanted.close();
    const own = new AudioContext();
    return { context: own, source: own.createMediaStreamSource(stream) };
  }
}

async function openStream(label: string | null): Promise<MediaStream> {
  if (!navigator.mediaDevices) {
    throw new ParlanceError(
      'microphone-denied',
      'The browser gives no microphone to this address.',
      'Open Parlance at the address it printed, on 127.0.0.1.',
    );
  }
  try {
    const deviceId = label === null ? undefined : await deviceIdOf(label);
    return await navigator.mediaDevices.getUserMedia({
      audio: {
        channelCount: 1,
        echoCancellation: true,
        noiseSuppression: true,
        autoGainControl: true,
        ...(deviceId === undefined ? {} : { deviceId: { exact: deviceId } }),
      },
    });
  } catch (thrown) {
    const name = thrown instanceof DOMException ? thrown.name : '';
    if (name === 'NotAllowedError' || name === 'SecurityError') {
      throw new ParlanceError(
        'microphone-denied',
        'Parlance may not use the microphone.',
        'Allow it in the address bar or under the system’s privacy settings, then try again; no restart is needed. Typing works meanwhile.',
        { cause: thrown },
      );
    }
    throw new ParlanceError(
      'microphone-missing',
      name === 'NotReadableError' ? 'The microphone does not open.' : 'No microphone was found.',
      name === 'NotReadableError'
        ? 'Close the program that is using it, or choose another one under Settings.'
        : 'Connect one and try again, attach a WAV file, or type.',
      { cause: thrown },
    );
  }
}

async function deviceIdOf(label: string): Promise<string | undefined> {
  const devices = await navigator.mediaDevices.enumerateDevices();
  return devices.find((device) => device.kind === 'audioinput' && device.label === label)?.deviceId;
}
