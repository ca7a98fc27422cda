import { z } from 'zod';
import { networkReason, shown, type Web } from './web.ts';

/** A wheel as the index lists it. `bytes` is known only from indexes that say it. */
export interface Wheel {
  name: string;
  url: string;
  sha256: string | null;
  bytes: number | null;
}

/** Simple API in JSON (PEP 691); sizes since PEP 700. */
const projectSchema = z.object({
  files: z.array(
    z.object({
      filename: z.string(),
      url: z.string(),
      hashes: z.object({ sha256: z.string().optional() }),
      size: z.number().int().positive().optional(),
    }),
  ),
});

const accept = 'application/vnd.pypi.simple.v1+json, text/html;q=0.2';

/** An index page holds one package: far less than this. */
const longestPage = 16 * 1024 * 1024;

/** Compared as the index compares (PEP 503). */
function normalized(name: string): string {
  return name.toLowerCase().replace(/[-_.]+/g, '-');
}

function isWheelOf(filename: string, name: string, version: string): boolean {
  const [distribution = '', found = ''] = filename.split('-');
  return filename.endsWith('.whl') && normalized(distribution) === normalized(name) && found === version;
}

const attribute = (tag: string, key: string): string | null =>
  new RegExp(`\\b${key}\\s*=\\s*(?:"([^"]*)"|'([^']*)')`, 'i').exec(tag)?.slice(1).find(Boolean) ?? null;

const unescaped = (text: string): string =>
  text
    .replace(/&quot;/g, '"')
    .replace(/&gt;/g, '>')
    .replace(/&lt;/g, '<')
    .replace(/&amp;/g, '&');

/** The older form of the same list (PEP 503): one link a file, its hash in the fragment. */
function filesInHtml(page: string, base: string): Wheel[] {
  const files: Wheel[] = [];
  for (const [tag] of page.matchAll(/<a\s[^>]*>/gi)) {
    const href = attribute(tag, 'href');
    if (href === null) continue;
    const url = new URL(unescaped(href), base);
    const sha256 = /^#sha256=([0-9a-f]{64})$/i.exec(url.hash)?.[1]?.toLowerCase() ?? null;
    url.hash = '';
    const name = decodeURIComponent(url.pathname.split('/').at(-1) ?? '');
    files.push({ name, url: url.href, sha256, bytes: null });
  }
  return files;
}

function filesInJson(page: string, base: string): Wheel[] {
  return projectSchema.parse(JSON.parse(page)).files.map((file) => ({
    name: file.filename,
    url: new URL(file.url, base).href,
    sha256: file.hashes.sha256?.toLowerCase() ?? null,
    bytes: file.size ?? null,
  }));
}

/** The index's password goes along to files on the index's own host, and nowhere else. */
function withCredentials(file: Wheel, index: string): Wheel {
  const from = new URL(index);
  const to = new URL(file.url);
  if (from.username === '' || from.origin !== to.origin) return file;
  to.username = from.username;
  to.password = from.password;
  return { ...file, url: to.href };
}

async function wheelIn(
  web: Web,
  index: string,
  name: string,
  version: string,
  signal: AbortSignal | undefined,
): Promise<Wheel> {
  const address = `${index}/${normalized(name)}/`;
  const response = await web.get(address, { headers: { accept }, signal });
  if (!response.ok) {
    await response.body?.cancel();
    throw new Error(`the index answered ${response.status}`);
  }
  const page = await response.text();
  if (page.length > longestPage) throw new Error('the index page is too long');
  const base = response.url || address;
  const isJson = /[+/]json/.test(response.headers.get('content-type') ?? '');
  const files = isJson ? filesInJson(page, base) : filesInHtml(page, base);
  const wheel = files.find((file) => isWheelOf(file.name, name, version));
  if (wheel === undefined) throw new Error(`it has no wheel of version ${version}`);
  if (/[\\/]/.test(wheel.name) || wheel.name.startsWith('.')) throw new Error('its wheel has an unsafe name');
  return withCredentials(wheel, index);
}

/** Finds a package's wheel on the first index that has it. Rejects with an Error that tells every index's reason. */
export async function findWheel(
  web: Web,
  indexes: readonly string[],
  what: { name: string; version: string },
  signal: AbortSignal | undefined,
): Promise<Wheel> {
  const reasons: string[] = [];
  for (const index of indexes) {
    try {
      return await wheelIn(web, index, what.name, what.version, signal);
    } catch (error) {
      if (signal?.aborted) throw error;
      reasons.push(`${shown(index)}: ${networkReason(error)}`);
    }
  }
  throw new Error(reasons.join('; ') || 'no package index is set for the web');
}
