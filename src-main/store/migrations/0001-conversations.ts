import type { Migration } from './migration.ts';

/**
 * Conversations, turns as a tree, the clips they name, settings.
 *
 * A turn's `number` is its conversation's number times 2^20 plus its place there: the turns of a conversation lie side
 * by side on disk, and a hit in the full-text index names its conversation without another look-up.
 */
export const conversations: Migration = {
  version: 1,
  name: '0001-conversations',
  up(database) {
    database.exec(`
      CREATE TABLE conversations (
        number     INTEGER PRIMARY KEY,
        id         TEXT NOT NULL UNIQUE,
        title      TEXT NOT NULL,
        pinned     INTEGER NOT NULL DEFAULT 0,
        spoken     INTEGER NOT NULL DEFAULT 0,
        turn_count INTEGER NOT NULL DEFAULT 0,
        created_at INTEGER NOT NULL,
        updated_at INTEGER NOT NULL
      ) STRICT;
      CREATE INDEX conversations_in_list ON conversations (pinned DESC, updated_at DESC, number DESC);

      -- held_until: the moment (ms since 1970) until which a clip that no turn names yet must be kept.
      CREATE TABLE clips (
        sha256     TEXT PRIMARY KEY,
        seconds    REAL NOT NULL,
        bars       BLOB NOT NULL,
        held_until INTEGER
      ) STRICT, WITHOUT ROWID;

      -- owner: the process that is writing the answer, while status is 'streaming'.
      CREATE TABLE turns (
        number          INTEGER PRIMARY KEY,
        id              TEXT NOT NULL UNIQUE,
        conversation_id TEXT NOT NULL REFERENCES conversations (id),
        parent_id       TEXT REFERENCES turns (id),
        role            TEXT NOT NULL,
        kind            TEXT NOT NULL,
        text            TEXT NOT NULL,
        heard_as        TEXT,
        audio_sha256    TEXT REFERENCES clips (sha256),
        status          TEXT NOT NULL,
        engine          TEXT,
        bundle          TEXT,
        provider        TEXT,
        usage           TEXT,
        timings         TEXT,
        failure         TEXT,
        owner           TEXT,
        created_at      INTEGER NOT NULL
      ) STRICT;
      CREATE INDEX turns_by_conversation ON turns (conversation_id);
      CREATE INDEX turns_by_parent ON turns (parent_id) WHERE parent_id IS NOT NULL;
      CREATE INDEX turns_by_clip ON turns (audio_sha256) WHERE audio_sha256 IS NOT NULL;
      CREATE INDEX turns_being_written ON turns (number) WHERE status = 'streaming';

      CREATE TABLE settings (
        name  TEXT PRIMARY KEY,
        value TEXT NOT NULL
      ) STRICT, WITHOUT ROWID;
    `);
  },
};
