import {
  type AppInfo,
  type BundleSummary,
  type DeviceReport,
  type Endpoint,
  type EnginePort,
  ParlanceError,
  type Provider,
  type SpoolPort,
} from '../contract/index.ts';
import { type Conversations, createConversations } from '../conversation/conversations.ts';
import type { AnsweringBundle } from '../conversation/ports.ts';
import type { StartEngineProcess } from '../engine/engine-process-port.ts';
import { openAudioStore } from '../store/audio-store.ts';
import { openStore } from '../store/open-store.ts';
import type { Store } from '../store/protocol.ts';
import { openSpool } from '../voice/spool.ts';
import { createEndpoint } from './endpoint.ts';
import { createEngineSupervisor } from './engine.ts';
import { entryUrl } from './entries.ts';
import { createEvents, type Events } from './events.ts';
import { createHandlers } from './handlers.ts';
import type { Home } from './home.ts';
import type { Log } from './log.ts';
import { appVersion } from './version.ts';

/** The bundles and devices of this machine, as the composition needs them. */
export interface ModelsAndDevices {
  listBundles(): Promise<BundleSummary[]>;
  /** Progress is told as `model.progress` events. */
  pullBundle(id: string): Promise<BundleSummary>;
  reportDevices(again: boolean): Promise<DeviceReport[]>;
  /** The first provider that works on this machine. */
  chooseProvider(): Promise<Provider>;
}

export interface ComposeOptions {
  readonly home: Home;
  readonly log: Log;
  readonly mode: AppInfo['mode'];
  readonly modelsAndDevices: (events: Events) => ModelsAndDevices;
  /** The bundle that answers. Rejects with bundle-missing and its like. */
  readonly bundle: () => Promise<AnsweringBundle>;
  /** How the engine process is started; a child of Node when left out. */
  readonly startEngine?: StartEngineProcess;
}

/** Everything wired: what the transports speak to, and what the command line uses directly. */
export interface Composition {
  readonly endpoint: Endpoint;
  readonly events: Events;
  readonly store: Store;
  readonly spool: SpoolPort;
  readonly engine: EnginePort;
  readonly conversations: Conversations;
  /** Stops what is being written, ends the engine with its caches kept, closes the store. */
  close(): Promise<void>;
}

/**
 * Opens what lasts, and wires it to the engine. Turns that a process which is gone left unfinished are marked. Rejects
 * with the store's failures: database-locked, -readonly, -corrupt, -newer, disk-full.
 */
export async function compose(options: ComposeOptions): Promise<Composition> {
  const store = await openStore({ folder: options.home.folder, workerUrl: entryUrl('store-worker') });
  try {
    return await composeOver(store, options);
  } catch (error) {
    await store.close();
    throw error;
  }
}

async function composeOver(store: Store, options: ComposeOptions): Promise<Composition> {
  const { home, log, mode, bundle } = options;
  const events = createEvents();
  const { emit } = events;
  const modelsAndDevices = options.modelsAndDevices(events);
  const { chooseProvider } = modelsAndDevices;
  const start = options.startEngine;
  const audio = await openAudioStore({ folder: home.folder, clips: store });
  const spool = await openSpool({ folder: home.folder });
  const engine = createEngineSupervisor({ home, log, chooseProvider, ...(start && { start }) });
  const report = (error: unknown) => log.error({ err: error }, 'after an answer');
  const conversations = createConversations({ store, audio, spool, engine, bundle, emit, report });
  const endStatus = engine.onStatus((status) => emit({ event: 'engine.status', status }));
  const interrupted = await conversations.recover();
  log.info({ event: 'started', interrupted: interrupted.length, node: process.versions.node });

  const handlers = createHandlers({
    ...modelsAndDevices,
    version: appVersion(),
    mode,
    store,
    spool,
    engine,
    conversations,
    emit,
    answeringBundle: () => installedBundle(bundle, modelsAndDevices),
  });
  return {
    endpoint: createEndpoint({ handlers, events, log }),
    events,
    store,
    spool,
    engine,
    conversations,
    async close() {
      await conversations.close();
      await engine.shutdown();
      endStatus();
      await store.close();
      log.info({ event: 'closed' });
    },
  };
}

/** The summary of the bundle that answers; null while none is installed that could. */
async function installedBundle(
  bundle: ComposeOptions['bundle'],
  { listBundles }: ModelsAndDevices,
): Promise<BundleSummary | null> {
  try {
    const { id } = await bundle();
    return (await listBundles()).find((each) => each.id === id) ?? null;
  } catch (error) {
    if (error instanceof ParlanceError) return null;
    throw error;
  }
}
