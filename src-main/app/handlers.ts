import type {
  AppEvent,
  AppInfo,
  BundleSummary,
  DeviceReport,
  EnginePort,
  Handlers,
  Settings,
  SettingsChange,
  SpoolPort,
  StorePort,
} from '../contract/index.ts';
import type { Conversations } from '../conversation/conversations.ts';
import { readSound } from '../voice/read-sound.ts';

/** What the requests are answered with. */
export interface HandlerParts {
  readonly version: string;
  readonly mode: AppInfo['mode'];
  readonly store: StorePort;
  readonly spool: SpoolPort;
  readonly engine: EnginePort;
  readonly conversations: Conversations;
  readonly emit: (event: AppEvent) => void;
  /** Every bundle of the catalogue and every installed one. */
  readonly listBundles: () => Promise<BundleSummary[]>;
  readonly pullBundle: (id: string) => Promise<BundleSummary>;
  /** The installed bundle that answers; null when there is none. */
  readonly answeringBundle: () => Promise<BundleSummary | null>;
  readonly reportDevices: (again: boolean) => Promise<DeviceReport[]>;
}

/** One function a request of the contract. Input is checked before it comes here, output after it leaves. */
export function createHandlers(parts: HandlerParts): Handlers {
  return { ...appHandlers(parts), ...conversationHandlers(parts), ...recordingHandlers(parts) };
}

type AppRequest = 'app.info' | 'settings.update' | 'models.list' | 'models.pull' | 'devices.report';
type RecordingRequest = Extract<keyof Handlers, `recordings.${string}`>;

function appHandlers(parts: HandlerParts): Pick<Handlers, AppRequest> {
  const { store, engine, emit, version, mode } = parts;

  async function updateSettings(change: SettingsChange): Promise<Settings> {
    const settings = await store.updateSettings(change);
    emit({ event: 'settings.updated', settings });
    return settings;
  }

  return {
    'app.info': async () => ({
      version,
      mode,
      platform: process.platform,
      bundle: await parts.answeringBundle(),
      settings: await store.settings(),
      engine: engine.status(),
    }),
    'settings.update': updateSettings,
    'models.list': () => parts.listBundles(),
    'models.pull': ({ id }) => parts.pullBundle(id),
    'devices.report': ({ again }) => parts.reportDevices(again),
  };
}

function conversationHandlers({
  conversations,
}: HandlerParts): Omit<Handlers, AppRequest | RecordingRequest> {
  return {
    'conversations.list': (query) => conversations.list(query),
    'conversations.open': ({ id }) => conversations.open(id),
    'conversations.rename': ({ id, title }) => conversations.rename(id, title),
    'conversations.pin': ({ id, pinned }) => conversations.pin(id, pinned),
    'conversations.delete': async ({ id }) => {
      await conversations.remove(id);
      return {};
    },
    'conversations.export': ({ id }) => conversations.exportMarkdown(id),
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
    'turns.audio': async ({ turnId }) => {
      const { wav } = await conversations.audio(turnId);
      return { wav: new Uint8Array(wav) };
    },
    'turns.heardAs': ({ turnId }) => conversations.heardAs(turnId),
  };
}

function recordingHandlers({ conversations, spool }: HandlerParts): Pick<Handlers, RecordingRequest> {
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
