export interface HeartbeatSettings {
  everyMs: number;
  /** Beats in a row without any sign of life after which the process counts as hung. */
  misses: number;
}

/**
 * One run of an ONNX graph blocks the engine's event loop: a load from a slow disk or the first run on a GPU, which
 * compiles its shaders, can take tens of seconds, on a driver in software a minute. Two minutes of silence are no such
 * run; a person who does not want to wait for them presses Stop.
 */
export const defaultHeartbeat: HeartbeatSettings = { everyMs: 5_000, misses: 24 };

/**
 * Beats are counted, not seconds: after the machine slept, or after this process was busy itself, only one beat has
 * passed and nobody is killed for the time in between.
 */
export class Heartbeat {
  readonly #timer: NodeJS.Timeout;
  #missed = 0;

  constructor(settings: HeartbeatSettings, on: { beat(): void; hung(): void }) {
    this.#timer = setInterval(() => {
      this.#missed += 1;
      if (this.#missed > settings.misses) {
        this.stop();
        on.hung();
      } else {
        on.beat();
      }
    }, settings.everyMs);
    this.#timer.unref();
  }

  /** Any message is a sign of life. */
  heard(): void {
    this.#missed = 0;
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}
