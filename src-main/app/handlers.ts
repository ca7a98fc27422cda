import type { AppInfo, Handlers, Settings, SettingsChange } from '../contract/index.ts';
import { defaultBundle, listBundles } from '../models/bundles.ts';
import { reportDevices } from '../models/devices.ts';
import { pullBundle } from '../models/install.ts';
import { readSound } from '../voice/read-sound.ts';
import type { Composition } from './composition.ts';
import { exportedFile, importedBytes } from './transfer.ts';
import { appVersion } from './version.ts';

/** What the requests are answered with. */
export interface HandlerParts {
  readonly composition: Composition;
  readonly mode: AppInfo['mode'];
}

/** One function a request of the contract. Input is checked before it comes here, output after it leaves. */
export function createHandlers({ composition, mode }: HandlerParts): Handlers {
  return {
    ...appHandlers(composition, mode),
    ...modelHandlers(composition),
    ...conversationHandlers(composition),
    ...modeHandlers(composition),
    ...recordingHandlers(composition),
  };
}

type AppRequest = 'app.info' | 'settings.update';
type ModelRequest = 'models.list' | 'models.pull' | 'devices.report';
type ModeRequest = Extract<keyof Handlers, `modes.${string}`>;
type RecordingRequest = Extract<keyof Handlers, `recordings.${string}`>;

function appHandlers(
  { store, engine, events, machine }: Composition,
  mode: AppInfo['mode'],
): Pick<Handlers, AppRequest> {
  const version = appVersion();

  async function updateSettings(change: SettingsChange): Promise<Settings> {
    const settings = await store.updateSettings(change);
    events.emit({ event: 'settings.updated', settings });
    return settings;
  }

  return {
    'app.info': async () => ({
      version,
      mode,
      platform: process.platform,
      bundle: await defaultBundle(machine.place),
      settings: await store.settings(),
      engine: engine.status(),
    }),
    'settings.update': updateSettings,
  };
}

function modelHandlers({ machine, events, loadAhead }: Composition): Pick<Handlers, ModelRequest> {
  const { place } = machine;
  return {
    'models.list': () => listBundles(place),
    'models.pull': async ({ id }) => {
      const pulled = await pullBundle(id, {
        place,
        onProgress: (progress) => events.emit({ event: 'model.progress', progress }),
      });
      loadAhead();
      return pulled;
    },
    'devices.report': ({ again }) => reportDevices({ place, again }),
  };
}

function conversationHandlers({
  conversations,
  store,
}: Composition): Omit<Handlers, AppRequest | ModelRequest | ModeRequest | RecordingRequest> {
  return {
    'conversations.list': (query) => conversations.list(query),
    'conversations.open': ({ id }) => conversations.open(id),
    'conversations.rename': ({ id, title }) => conversations.rename(id, title),
    'conversations.pin': ({ id, pinned }) => conversations.pin(id, pinned),
    'conversations.page': (query) => conversations.page(query),
    'conversations.search': (query) => conversations.search(query),
    'conversations.trash': ({ ids }) => conversations.trash.put(ids),
    'conversations.restore': ({ ids }) => conversations.trash.restore(ids),
    'conversations.trashed': () => store.trashed(),
    'conversations.purge': async ({ ids }) => {
      await conversations.trash.purge(ids);
      return {};
    },
    'conversations.delete': async ({ id }) => {
      await conversations.remove(id);
      return {};
    },
    'conversations.context': ({ id }) => conversations.context(id),
    'turns.sources': ({ answerId }) => conversations.sources(answerId),
    'conversations.setMode': ({ id, modeId }) => conversations.setMode(id, modeId),
    'conversations.exportFile': ({ ids, format }) => exportedFile(conversations, ids, format),
    'conversations.importFile': ({ bytes }) => importedBytes(conversations, bytes),
    'conversations.export': ({ id }) => conversations.exportMarkdown(id),
    'turns.page': (query) => conversations.turnPage(query),
    'turns.askText': (asked) => conversations.askText(asked),
    'turns.askFile': async ({ name, bytes, ...asked }) => {
      const { samples } = await readSound(bytes, name);
      return conversations.askAudio({ ...asked, samples });
    },
    'turns.stop': async ({ answerId }) => {
      await conversations.stop(answerId);
      return {};
    },
    'turns.retry': (asked) => conversations.retry(asked),
    'turns.versions': ({ turnId }) => conversations.versions(turnId),
    'turns.choose': ({ turnId }) => conversations.choose(turnId),
    'turns.delete': ({ turnId }) => conversations.removeTurn(turnId),
    'turns.audio': async ({ turnId }) => {
      const { wav } = await conversations.audio(turnId);
      return { wav: new Uint8Array(wav) };
    },
    'turns.heardAs': ({ turnId }) => conversations.heardAs(turnId),
  };
}

function modeHandlers({ conversations: { modes } }: Composition): Pick<Handlers, ModeRequest> {
  return {
    'modes.list': () => modes.list(),
    'modes.add': (mode) => modes.add(mode),
    'modes.change': (change) => modes.change(change),
    'modes.remove': async ({ id }) => {
      await modes.remove(id);
      return {};
    },
  };
}

function recordingHandlers({ conversations, spool }: Composition): Pick<Handlers, RecordingRequest> {
  return {
    'recordings.start': ({ conversationId }) => spool.start(conversationId),
    'recordings.append': async ({ id, pcm }) => {
      const { seconds } = await spool.append(id, pcm);
      return { seconds };
    },
    'recordings.send': (asked) => conversations.sendRecording(asked),
    'recordings.discard': async ({ id }) => {
      await spool.discard(id);
      return {};
    },
    'recordings.unsent': () => spool.unsent(),
  };
}
