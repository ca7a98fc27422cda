import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';

/** Where packages come from when a machine says nothing else. */
const publicIndex = 'https://pypi.org/simple';

/** pip's configuration files in its own order: the later ones win. */
function configurationFiles(environment: NodeJS.ProcessEnv): string[] {
  const home = homedir();
  const named = environment.PIP_CONFIG_FILE;
  if (process.platform === 'win32') {
    const folders = [environment.ProgramData ?? 'C:\\ProgramData', environment.APPDATA ?? home];
    return [...folders.map((folder) => join(folder, 'pip', 'pip.ini')), join(home, 'pip', 'pip.ini')].concat(
      named ?? [],
    );
  }
  const system =
    process.platform === 'darwin' ? '/Library/Application Support/pip/pip.conf' : '/etc/xdg/pip/pip.conf';
  const own =
    process.platform === 'darwin'
      ? join(home, 'Library/Application Support/pip/pip.conf')
      : join(environment.XDG_CONFIG_HOME ?? join(home, '.config'), 'pip/pip.conf');
  return [system, '/etc/pip.conf', join(home, '.pip/pip.conf'), own].concat(named ?? []);
}

async function textOf(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'ENOENT' || code === 'EACCES' || code === 'ENOTDIR' || code === 'EISDIR') return '';
    throw error;
  }
}

/** One setting of the sections that apply to a download: `key = value`, further values on indented lines. */
export function settingIn(text: string, key: string): string | null {
  let section = '';
  let value: string | null = null;
  let continues = false;
  for (const line of text.split(/\r?\n/)) {
    const header = /^\s*\[([^\]]+)\]/.exec(line);
    const pair = /^([\w-]+)\s*[=:]\s*(.*)$/.exec(line);
    if (header) section = header[1]?.trim() ?? '';
    else if (pair && ['global', 'download', 'install'].includes(section)) {
      continues = pair[1] === key;
      if (continues) value = pair[2]?.trim() ?? '';
      continue;
    } else if (continues && /^\s+\S/.test(line)) {
      value = `${value} ${line.trim()}`;
      continue;
    }
    continues = false;
  }
  return value;
}

/**
 * The package indexes that pip would ask on this machine, in its order: PIP_INDEX_URL or `index-url` of its
 * configuration, then the extra ones. Only what the web serves: an index that is a folder is left out.
 */
export async function packageIndexes(environment: NodeJS.ProcessEnv): Promise<string[]> {
  let main = environment.PIP_INDEX_URL ?? null;
  let extra = environment.PIP_EXTRA_INDEX_URL ?? null;
  for (const file of configurationFiles(environment).reverse()) {
    if (main !== null && extra !== null) break;
    const text = await textOf(file);
    main ??= settingIn(text, 'index-url');
    extra ??= settingIn(text, 'extra-index-url');
  }
  const all = [main ?? publicIndex, ...(extra ?? '').split(/\s+/)];
  return all.map((index) => index.replace(/\/+$/, '')).filter((index) => /^https?:\/\//.test(index));
}
