import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Tensor } from 'onnxruntime-node';
import { hashFile } from '../../../native-models/bundles/verify.ts';
import type { PackVoice, VoicePack } from '../../../native-models/bundles/voice-pack.ts';
import { ParlanceError } from '../../contract/errors.ts';
import { floats, Session } from '../onnxruntime/session.ts';
import symbols from './kokoro-symbols.json' with { type: 'json' };

/** Tokens of one run: the model's 512 positions less the mark at each end. */
export const mostTokens = 510;
const styleWidth = 256;

const ids: Readonly<Record<string, number>> = symbols;

/** The tokens of phoneme symbols; what the model has no token for is left out. Ids as in Kokoro v1.0's config.json. */
export function kokoroTokens(phonemes: string): number[] {
  return [...phonemes].flatMap((symbol) => ids[symbol] ?? []);
}

/** Kokoro 82M: StyleTTS 2 with an iSTFT vocoder, phonemes to sound at 24 kHz. */
export class Kokoro {
  readonly #folder: string;
  readonly #session: Session;
  readonly #styles = new Map<string, Float32Array>();

  private constructor(folder: string, session: Session) {
    this.#folder = folder;
    this.#session = session;
  }

  /** Loads the model of a pack once its SHA-256 is the manifest's. Throws bundle-corrupt, engine-failed. */
  static async open(folder: string, { model }: VoicePack, threads: number): Promise<Kokoro> {
    await requireHash(folder, model);
    const session = await Session.open('Kokoro', join(folder, model.path), {
      provider: 'cpu',
      threads,
      spin: false,
    });
    return new Kokoro(folder, session);
  }

  /** tokens `[n]`, 1 ≤ n ≤ 510 → f32 samples at 24 kHz. */
  async speak(tokens: readonly number[], voice: PackVoice, speed: number): Promise<Float32Array> {
    if (tokens.length < 1 || tokens.length > mostTokens) throw new RangeError(`${tokens.length} tokens`);
    const styles = await this.#stylesOf(voice);
    const row = (tokens.length - 1) * styleWidth;
    const feeds = {
      tokens: new Tensor('int64', BigInt64Array.from([0, ...tokens, 0], BigInt), [1, tokens.length + 2]),
      style: new Tensor('float32', styles.slice(row, row + styleWidth), [1, styleWidth]),
      speed: new Tensor('float32', Float32Array.of(speed), [1]),
    };
    const outputs = await this.#session.run(feeds, ['audio']);
    return floats(outputs, 'audio', this.#session);
  }

  close(): Promise<void> {
    return this.#session.close();
  }

  async #stylesOf(voice: PackVoice): Promise<Float32Array> {
    const known = this.#styles.get(voice.id);
    if (known !== undefined) return known;
    await requireHash(this.#folder, voice.file);
    const bytes = await readFile(join(this.#folder, voice.file.path));
    const styles = new Float32Array(new Uint8Array(bytes).buffer);
    this.#styles.set(voice.id, styles);
    return styles;
  }
}

async function requireHash(
  folder: string,
  { path, sha256 }: { path: string; sha256: string },
): Promise<void> {
  const again = 'Run `parlance models pull kokoro`: it fetches what is wrong again.';
  let found: string;
  try {
    found = await hashFile(join(folder, path));
  } catch (cause) {
    throw new ParlanceError('bundle-incomplete', `${path} of the voices cannot be read.`, again, { cause });
  }
  if (found === sha256) return;
  throw new ParlanceError(
    'bundle-corrupt',
    `${path} of the voices has SHA-256 ${found}, not ${sha256}.`,
    again,
  );
}
