import { fileURLToPath } from 'node:url';
import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'vite';

const folder = (path: string) => fileURLToPath(new URL(path, import.meta.url));

/** The screen, built once for the desktop window and for browser mode alike; electron.vite.config.ts uses it too. */
export default defineConfig({
  root: folder('.'),
  base: './',
  plugins: [svelte({ configFile: false })],
  build: {
    outDir: folder('../out/renderer'),
    emptyOutDir: true,
    target: 'chrome120',
    minify: true,
    // The content security policy refuses data: scripts, so the audio worklet has to stay a file of its own.
    assetsInlineLimit: 0,
    rollupOptions: { input: folder('./index.html') },
  },
});
