import type { AppInfo, EngineStatus, Settings } from '../../src-main/contract/index.ts';
import { client } from '../services/client.ts';
import type { ConnectionState } from '../services/transport.ts';
import { notices } from './notices.svelte.ts';

/** What is true of the whole app: its bundle, engine, settings and the connection to it. */
class App {
  info = $state.raw<AppInfo | null>(null);
  connection = $state<ConnectionState>('connecting');
  #systemDark = window.matchMedia('(prefers-color-scheme: dark)');
  #moreContrast = window.matchMedia('(prefers-contrast: more)');

  constructor() {
    this.#moreContrast.addEventListener('change', () => this.#paint());
    this.#systemDark.addEventListener('change', () => this.#paint());
    this.#paint();
  }

  get settings(): Settings | null {
    return this.info?.settings ?? null;
  }

  get engine(): EngineStatus | null {
    return this.info?.engine ?? null;
  }

  async load() {
    this.info = await client.call('app.info', {});
    this.#paint();
  }

  setEngineStatus(status: EngineStatus) {
    if (this.info) this.info = { ...this.info, engine: status };
  }

  setSettings(settings: Settings) {
    if (this.info) this.info = { ...this.info, settings };
    this.#paint();
  }

  /** Takes effect at once; goes back if it cannot be stored. */
  async changeSettings(change: Partial<Settings>) {
    const before = this.settings;
    if (!before) return;
    this.setSettings({ ...before, ...change });
    try {
      this.setSettings(await client.call('settings.update', change));
    } catch (thrown) {
      this.setSettings(before);
      notices.fail(thrown);
    }
  }

  #paint() {
    const { dataset } = document.documentElement;
    const theme = this.settings?.theme ?? 'system';
    if (theme === 'system') delete dataset.theme;
    else dataset.theme = theme;
    if (this.#moreContrast.matches) dataset.contrast = 'more';
    else delete dataset.contrast;
  }
}

export const app = new App();
