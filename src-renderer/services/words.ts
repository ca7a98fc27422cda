import type { BundleSummary, EngineName, Provider } from '../../src-main/contract/index.ts';

const clock = new Intl.DateTimeFormat(undefined, { hour: 'numeric', minute: '2-digit' });
const date = new Intl.DateTimeFormat(undefined, {
  weekday: 'long',
  day: 'numeric',
  month: 'long',
  year: 'numeric',
});

export const clockTime = (milliseconds: number) => clock.format(milliseconds);
export const fullDate = (milliseconds: number) =>
  `${date.format(milliseconds)}, ${clock.format(milliseconds)}`;

/** 0:09, 1:02:07. */
export function duration(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const tail = String(rest).padStart(2, '0');
  return hours > 0 ? `${hours}:${String(minutes).padStart(2, '0')}:${tail}` : `${minutes}:${tail}`;
}

export function spokenDuration(seconds: number): string {
  const whole = Math.max(1, Math.round(seconds));
  if (whole < 60) return whole === 1 ? '1 second' : `${whole} seconds`;
  const minutes = Math.floor(whole / 60);
  return `${minutes} min ${whole % 60} s`;
}

/** Seconds with two decimals: 0.31 s. */
export const inSeconds = (milliseconds: number) => `${(milliseconds / 1000).toFixed(2)} s`;

/** 1.5 GB, 340 MB, 12 kB: decimal units, as disks are sold. */
export function bytes(count: number): string {
  if (count >= 1e9) return `${(count / 1e9).toFixed(1)} GB`;
  if (count >= 1e6) return `${Math.round(count / 1e6)} MB`;
  return `${Math.round(count / 1e3)} kB`;
}

export const engineNames: Record<EngineName, string> = {
  'speech-llm': 'Speech LLM',
  cascade: 'Whisper + LLM',
};

export const providerNames: Record<Provider, string> = {
  cuda: 'CUDA',
  dml: 'DirectML',
  coreml: 'CoreML',
  webgpu: 'WebGPU',
  cpu: 'CPU',
};

interface Measured {
  /** What was measured with; null when a bundle has no figures. */
  set: string | null;
  /** By engine: "3.9 % word errors". */
  shown: Partial<Record<EngineName, string>>;
}

/** What was measured for each engine on the set that decides between them. */
export function measured({ figures, preferredEngine }: BundleSummary): Measured {
  const deciding = figures.find(({ engine }) => engine === preferredEngine)?.set ?? null;
  const shown: Measured['shown'] = {};
  for (const { engine, set, metric, value, unit } of figures)
    if (set === deciding) shown[engine] ??= `${value} ${unit} ${metric.replace(/^WER\b/, 'word errors')}`;
  return { set: deciding, shown };
}

const dayMs = 24 * 60 * 60 * 1000;

/** The heading under which a conversation stands in the list. */
export function dayGroup(milliseconds: number, now = Date.now()): string {
  const midnight = new Date(now).setHours(0, 0, 0, 0);
  if (milliseconds >= midnight) return 'Today';
  if (milliseconds >= midnight - dayMs) return 'Yesterday';
  if (milliseconds >= midnight - 7 * dayMs) return 'Last 7 days';
  if (milliseconds >= midnight - 30 * dayMs) return 'Last 30 days';
  return 'Older';
}

/** An SPDX expression as a person reads it. */
export const licence = (expression: string) =>
  expression.replaceAll(' AND ', ' and ').replaceAll(' OR ', ' or ');
