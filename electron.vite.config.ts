import { defineConfig } from 'electron-vite';
import screen from './src-renderer/vite.config.ts';

/** Threads and processes of their own, next to the app's entry: `src-main/app/entries.ts` names them the same way. */
const entries = {
  electron: 'src-main/app/electron.ts',
  'browser-mode': 'src-main/app/browser-mode.ts',
  cli: 'src-main/app/cli.ts',
  'engine-process': 'src-main/app/engine-process.ts',
  'build-process': 'src-main/app/build-process.ts',
  'device-probe': 'src-main/app/device-probe.ts',
  'store-worker': 'src-main/store/worker.ts',
  'speaking-worker': 'src-main/engine/speaking/worker.ts',
  'voice-activity': 'src-main/voice/activity/worker.ts',
};

export default defineConfig({
  main: {
    build: {
      outDir: 'out/main',
      target: 'node22',
      sourcemap: true,
      // Builds the screen in a checkout; no packaged app gets that far.
      externalizeDeps: { include: ['vite'] },
      rollupOptions: {
        input: entries,
        // All beside each other, so that an entry finds the others from any chunk by the chunk's own address.
        output: { format: 'es', entryFileNames: '[name].js', chunkFileNames: '[name]-[hash].js' },
      },
    },
  },
  preload: {
    build: {
      outDir: 'out/preload',
      rollupOptions: {
        input: { preload: 'src-main/desktop/preload.ts' },
        // A sandboxed preload script cannot be an ES module.
        output: { format: 'cjs', entryFileNames: '[name].cjs' },
      },
    },
  },
  renderer: screen,
});
