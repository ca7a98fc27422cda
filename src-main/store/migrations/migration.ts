import type { Database } from 'better-sqlite3';

/** One forward step of the schema. Runs inside the transaction that also raises `user_version` to `version`. */
export interface Migration {
  readonly version: number;
  /** The file's name, for messages. */
  readonly name: string;
  up(database: Database): void;
}
