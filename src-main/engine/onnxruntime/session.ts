import { InferenceSession, listSupportedBackends, type Tensor } from 'onnxruntime-node';
import type { Provider } from '../../contract/conversation.ts';
import { deviceUnavailable, engineFailed, firstLine } from '../failures.ts';
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

  /** `name` says in errors what the graph is. Throws device-unavailable or engine-failed. */
  static async open(name: string, path: string, needs: SessionNeeds): Promise<Session> {
    // onnxruntime would leave such a provider out with a warning, and run on the CPU in its name.
    if (!listSupportedBackends().some((backend) => backend.name === needs.provider))
      throw deviceUnavailable(needs.provider, 'this build of the runtime does not have it');
    try {
      const session = await InferenceSession.create(path, sessionOptions(needs));
      return new Session(name, needs.provider, session);
    } catch (error) {
      // A device that cannot hold the model is none that can be used: the CPU still can.
      if (needs.provider !== 'cpu') throw deviceUnavailable(needs.provider, firstLine(error), error);
      throw engineFailed('cpu', `Loading ${name}`, error);
    }
  }

  /** What the graph says of its inputs. */
  get inputs(): InferenceSession['inputMetadata'] {
    return this.#session.inputMetadata;
  }

  /** What the graph says of its outputs. */
  get outputs(): InferenceSession['outputMetadata'] {
    return this.#session.outputMetadata;
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
