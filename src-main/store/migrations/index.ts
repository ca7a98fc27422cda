import { conversations } from './0001-conversations.ts';
import { search } from './0002-search.ts';
import { branches } from './0003-branches.ts';
import { trash } from './0004-trash.ts';
import { modes } from './0005-modes.ts';
import { recall } from './0006-recall.ts';
import type { Migration } from './migration.ts';

/** In order; the last one's version is the schema this program writes. */
export const migrations: readonly Migration[] = [conversations, search, branches, trash, modes, recall];
