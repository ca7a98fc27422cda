import { fileURLToPath } from 'node:url';

export const chromiumPath = '/usr/bin/chromium';

export const chromiumFlags = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--no-first-run',
  '--disable-quic',
];

export const samplePath = (name: string) =>
  fileURLToPath(new URL(`../../resources/samples/${name}`, import.meta.url));

/** Launch options in which the microphone hears a WAV file, once, whenever it is opened. */
export function hearing(file: string) {
  return {
    executablePath: chromiumPath,
    args: [
      ...chromiumFlags,
      '--use-fake-device-for-media-stream',
      '--use-fake-ui-for-media-stream',
      `--use-file-for-fake-audio-capture=${file}%noloop`,
    ],
  };
}
