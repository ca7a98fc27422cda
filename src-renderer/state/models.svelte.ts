import type { BundleSummary, DeviceReport, ModelProgress } from '../../src-main/contract/index.ts';
import { client } from '../services/client.ts';
import { app } from './app.svelte.ts';
import { notices } from './notices.svelte.ts';

/** Before anything has arrived. */
const beginning = (bundle: string): ModelProgress => ({
  bundle,
  phase: 'downloading',
  file: '',
  bytes: 0,
  totalBytes: 0,
  source: null,
  message: null,
});

/** The bundles that can be had or are here, what is being fetched, and what the devices of this machine can do. */
class Models {
  list = $state.raw<BundleSummary[] | null>(null);
  progress = $state.raw<Record<string, ModelProgress>>({});
  devices = $state.raw<DeviceReport[] | null>(null);
  testing = $state(false);

  async load() {
    try {
      this.list = await client.call('models.list', {});
    } catch (thrown) {
      notices.fail(thrown);
    }
  }

  async loadDevices(again = false) {
    this.testing = true;
    try {
      this.devices = await client.call('devices.report', { again });
    } catch (thrown) {
      notices.fail(thrown);
    }
    this.testing = false;
  }

  /** Fetches and builds a bundle. What has arrived stays when it fails, so the next pull goes on from there. */
  async pull(id: string) {
    this.#setProgress(beginning(id));
    try {
      await client.call('models.pull', { id });
      const { [id]: _done, ...others } = this.progress;
      this.progress = others;
    } catch (thrown) {
      const message = thrown instanceof Error ? thrown.message : String(thrown);
      this.#setProgress({ ...(this.progress[id] ?? beginning(id)), phase: 'failed', message });
      notices.fail(thrown, [{ label: 'Try again', run: () => void this.pull(id) }]);
    }
    await Promise.all([this.load(), app.load()]);
  }

  receive(progress: ModelProgress) {
    if (progress.phase !== 'done') {
      this.#setProgress(progress);
      return;
    }
    const { [progress.bundle]: _done, ...others } = this.progress;
    this.progress = others;
    void this.load();
    void app.load().catch((thrown: unknown) => notices.fail(thrown));
  }

  #setProgress(progress: ModelProgress) {
    this.progress = { ...this.progress, [progress.bundle]: progress };
  }
}

export const models = new Models();
