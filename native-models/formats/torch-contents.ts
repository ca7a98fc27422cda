import { invalidFile } from './binary-file.ts';
import { PickleGlobal, PickleNamespace } from './pickle-values.ts';
import { TorchName, TorchTensor } from './torch-library.ts';

const depthLimit = 64;
const nodeLimit = 200_000;
const nameLimit = 500;

/** What a checkpoint says besides its tensors, as JSON would have it. */
export type Setting = null | boolean | number | string | Setting[] | { [name: string]: Setting };

export interface TorchContents {
  readonly tensors: ReadonlyMap<string, TorchTensor>;
  readonly settings: Setting;
}

/**
 * Goes through what a pickle held. Throws `file-invalid` when it nests in a circle, repeats itself without end or gives one name
 * to two tensors.
 */
export function torchContents(path: string, root: unknown): TorchContents {
  const tensors = new Map<string, TorchTensor>();
  let nodes = 0;
  const settings = visit(root, '', 0);
  return { tensors, settings: settings ?? null };

  function visit(value: unknown, name: string, depth: number): Setting | undefined {
    nodes += 1;
    if (nodes > nodeLimit) throw invalidFile(path, `it holds more than ${nodeLimit} values`);
    if (depth > depthLimit) throw invalidFile(path, 'its values are nested in a circle, or too deeply');
    if (name.length > nameLimit)
      throw invalidFile(path, `a name of ${name.length} characters is not believable`);
    if (value instanceof TorchTensor) {
      const key = name === '' ? 'tensor' : name;
      if (tensors.has(key)) throw invalidFile(path, `two tensors are called ${key}`);
      tensors.set(key, value);
      return undefined;
    }
    if (value instanceof PickleNamespace) return visitNamed(value.attributes, name, depth);
    if (value instanceof Map) return visitNamed(value, name, depth);
    if (Array.isArray(value) || value instanceof Set)
      return Array.from(value, (item, i) => visit(item, childName(name, i), depth + 1) ?? null);
    return plainSetting(value);
  }

  /** Keys that are neither text nor numbers name nothing that is asked for here. */
  function visitNamed(entries: ReadonlyMap<unknown, unknown>, name: string, depth: number): Setting {
    const settings: [string, Setting][] = [];
    for (const [key, value] of entries) {
      if (typeof key !== 'string' && typeof key !== 'number') continue;
      const setting = visit(value, childName(name, key), depth + 1);
      if (setting !== undefined) settings.push([String(key), setting]);
    }
    // Own properties whatever their names: `__proto__` is none but a name here.
    return Object.fromEntries(settings);
  }
}

function childName(parent: string, key: string | number): string {
  return parent === '' ? String(key) : `${parent}.${key}`;
}

function plainSetting(value: unknown): Setting | undefined {
  if (value === null || typeof value === 'boolean' || typeof value === 'number' || typeof value === 'string')
    return value;
  if (typeof value === 'bigint') return String(value);
  if (value instanceof TorchName) return value.text;
  return value instanceof PickleGlobal ? value.name : undefined;
}
