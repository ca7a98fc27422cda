/** What a pickle may call: it makes a value out of its arguments, and nothing else happens. */
export class PickleGlobal {
  readonly name: string;
  /** Undefined for arguments that make no sense. */
  readonly make: (args: readonly unknown[]) => unknown;

  constructor(name: string, make: (args: readonly unknown[]) => unknown) {
    this.name = name;
    this.make = make;
  }
}

/** A value that a pickle may give a state to. */
export abstract class PickleInstance {
  /** False when the state makes no sense. */
  abstract setState(state: unknown): boolean;
}

/** An object with attributes, such as `argparse.Namespace`. */
export class PickleNamespace extends PickleInstance {
  readonly attributes = new Map<unknown, unknown>();

  setState(state: unknown): boolean {
    if (!(state instanceof Map)) return false;
    for (const [name, value] of state) this.attributes.set(name, value);
    return true;
  }
}

/** What a pickle may refer to. */
export interface PickleLibrary {
  /** What `module.name` is here, or undefined for what is not on the list. */
  global(module: string, name: string): unknown;
  /** What lies outside of the pickle under an id; undefined for an id that makes no sense. */
  persistent(id: unknown): unknown;
}
