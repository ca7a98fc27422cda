import type { EnginePort, SpoolPort } from '../contract/index.ts';
import { type Conversations, createConversations } from '../conversation/conversations.ts';
import type { AnsweringBundle } from '../conversation/ports.ts';
import { forgetClip } from '../engine/caches/clip-cache.ts';
import { forgetConversation } from '../engine/caches/kv-snapshot.ts';
import { defaultBundle } from '../models/bundles.ts';
import { openAudioStore } from '../store/audio-store.ts';
import { openStore } from '../store/open-store.ts';
import type { Store } from '../store/protocol.ts';
import { openSpool } from '../voice/spool.ts';
import { answeringBundle, bundleMissing, chooseBundle } from './bundle-choice.ts';
import { entryUrl } from './entries.ts';
import { createEvents, type Events } from './events.ts';
import { loadAhead } from './load-ahead.ts';
import { faultOf } from './log.ts';
import { createEngineOn, type Machine } from './machine.ts';

/** Everything wired: what the screen's endpoint answers with, and what the command line uses directly. */
export interface Composition {
  readonly machine: Machine;
  readonly events: Events;
  readonly store: Store;
  readonly spool: SpoolPort;
  readonly engine: EnginePort;
  readonly conversations: Conversations;
  /** Loads the engine in the background, for the question that may come. */
  loadAhead(): void;
  /** Stops what is being written, ends the engine with its caches kept, closes the store. */
  close(): Promise<void>;
}

/** The bundle that answers. Rejects with bundle-missing and its like. */
export type BundleChoice = () => Promise<AnsweringBundle>;

/** The installed bundle that the catalogue prefers. */
async function installedBundle({ place, home }: Machine): Promise<AnsweringBundle> {
  const installed = await defaultBundle(place);
  if (installed === null) throw bundleMissing();
  return answeringBundle(chooseBundle(home.models, installed.id));
}

/**
 * Opens what lasts, and wires it to the engine. Turns that a process which is gone left unfinished are marked. Rejects
 * with the store's failures: database-locked, -readonly, -corrupt, -newer, disk-full.
 */
export async function compose(
  machine: Machine,
  bundle: BundleChoice = () => installedBundle(machine),
): Promise<Composition> {
  const store = await openStore({ folder: machine.home.folder, workerUrl: entryUrl('store-worker') });
  try {
    return await composeOver(store, machine, bundle);
  } catch (error) {
    await store.close();
    throw error;
  }
}

async function composeOver(store: Store, machine: Machine, bundle: BundleChoice): Promise<Composition> {
  const { home, log } = machine;
  const events = createEvents();
  const { emit } = events;
  const audio = await openAudioStore({ folder: home.folder, clips: store });
  const spool = await openSpool({ folder: home.folder });
  const engine = createEngineOn(machine);
  const report = (error: unknown) => log.error({ event: 'after-answer-failed', ...faultOf(error) });
  const forget = async (conversationId: string, clips: readonly string[]) => {
    await forgetConversation(home.cache, conversationId);
    await Promise.all(clips.map((clip) => forgetClip(home.cache, clip)));
  };
  const conversations = createConversations({ store, audio, spool, engine, bundle, emit, forget, report });
  const endStatus = engine.onStatus((status) => emit({ event: 'engine.status', status }));
  const closing = new AbortController();
  const interrupted = await conversations.recover();
  const sweep = () => conversations.trash.sweep().catch(report);
  await sweep();
  const sweeping = setInterval(sweep, 24 * 60 * 60 * 1000).unref();
  log.info({ event: 'started', interrupted: interrupted.length, node: process.versions.node });

  return {
    machine,
    events,
    store,
    spool,
    engine,
    conversations,
    loadAhead() {
      void loadAhead({ machine, store, engine, bundle }, closing.signal);
    },
    async close() {
      closing.abort();
      clearInterval(sweeping);
      await conversations.close();
      await engine.shutdown();
      endStatus();
      await store.close();
      log.info({ event: 'closed' });
    },
  };
}
