import type { Provider } from '../../contract/index.ts';
import type { StartEngineProcess } from './engine-process-port.ts';
import type { HeartbeatSettings } from './heartbeat.ts';
import type { BackoffSettings } from './restart-policy.ts';

export interface SupervisorOptions {
  start: StartEngineProcess;
  /** The provider that `auto` means on this machine. */
  chooseProvider(): Promise<Provider>;
  heartbeat?: HeartbeatSettings;
  backoff?: BackoffSettings;
  /** Milliseconds after which an engine that was told to stop is ended. */
  cancelLimitMs?: number;
  /** What the engine process wants logged, and how its processes ended. */
  log?(event: Readonly<Record<string, string | number | boolean>>): void;
}
