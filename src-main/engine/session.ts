import { InferenceSession, type Tensor } from 'onnxruntime-node';
import type { Provider } from '../contract/conversation.ts';
import { engineFailed } from './failures.ts';
import { type SessionNeeds, sessionOptions } from './providers.ts';

export type Feeds = Record<string, Tensor>;
export type Outputs = Readonly<Record<string, Tensor>>;

/** One graph, loaded by its path: external data lie beside it and are mapped, not copied through JavaScript. */
export class Session {
  readonly provider: Provider;
  readonly #name: string;
  readonly #session: InferenceSession;

  private constructor(name: string, provider: Provider, session: InferenceSession) {
    this.#name = name;
    this.provider = provider;
    this.#session = session;
  }

  /** `name` says in errors what the graph is. Throws engine-failed. */
  static async open(name: string, model: string | Uint8Array, needs: SessionNeeds): Promise<Session> {
    try {
      const options = sessionOptions(needs);
      const session =
        typeof model === 'string'
          ? await InferenceSession.create(model, options)
          : await InferenceSession.create(model, options);
      return new Session(name, needs.provider, session);
    } catch (error) {
      throw engineFailed(needs.provider, `Loading ${name}`, error);
    }
  }

  get inputs(): readonly string[] {
    return this.#session.inputNames;
  }

  /** Runs the graph. Other work of this process waits meanwhile, and gets its turn before and after. Throws engine-failed. */
  async run(feeds: Feeds, outputs: readonly string[]): Promise<Outputs> {
    try {
      return await this.#session.run(feeds, [...outputs]);
    } catch (error) {
      throw engineFailed(this.provider, `Running ${this.#name}`, error);
    }
  }

  async close(): Promise<void> {
    await this.#session.release();
  }
}

/** An output that the graph is documented to have. Throws engine-failed when it has not, or has another type. */
export function floats(outputs: Outputs, name: string, session: Session): Float32Array {
  const data = outputs[name]?.data;
  if (data instanceof Float32Array) return data;
  throw engineFailed(session.provider, `Reading ${name}`, new Error(`the graph gave no float32 ${name}`));
}
