import type { Database } from 'better-sqlite3';
import { z } from 'zod';
import { type TurnNode, turnNodeSchema } from '../contract/index.ts';

const nodeSchema = z
  .object({ id: z.string(), parent_id: z.string().nullable(), role: z.string(), chosen: z.number() })
  .transform(({ parent_id, chosen, ...node }) => ({ ...node, parentId: parent_id, chosen: chosen !== 0 }))
  .pipe(turnNodeSchema);

/** First and last number that turns of a conversation can have. */
export type NumberRange = readonly [number, number];

const pathSchema = z.array(z.object({ id: z.string(), parentId: z.string().nullable() }));

const pathTo = `
  WITH RECURSIVE path (id, parent_id) AS (
    SELECT id, parent_id FROM turns WHERE id = @id
    UNION SELECT turns.id, turns.parent_id FROM turns JOIN path ON turns.id = path.parent_id)`;

const below = `
  WITH RECURSIVE below (id) AS (
    SELECT @id UNION SELECT turns.id FROM turns JOIN below ON turns.parent_id = below.id)`;

/** The turns of a conversation as a tree: which of several versions is shown, and what hangs below a turn. */
export function turnTree(database: Database) {
  const within = database.prepare(
    'SELECT id, parent_id, role, chosen FROM turns WHERE number BETWEEN ? AND ? ORDER BY number',
  );
  const ofPath = database.prepare(`${pathTo} SELECT id, parent_id AS parentId FROM path`);
  const hideRoots = database.prepare(
    `UPDATE turns INDEXED BY turns_chosen_roots SET chosen = 0
     WHERE number BETWEEN ? AND ? AND parent_id IS NULL AND chosen = 1`,
  );
  const hideChildren = database.prepare('UPDATE turns SET chosen = 0 WHERE parent_id = ? AND chosen = 1');
  const show = database.prepare('UPDATE turns SET chosen = 1 WHERE id = ? AND chosen = 0');
  const subtree = database.prepare(
    `${below} SELECT turns.id, audio_sha256 AS clip FROM turns JOIN below USING (id)`,
  );
  const unindexSubtree = database.prepare(
    `${below} DELETE FROM turn_search WHERE rowid IN (SELECT number FROM turns JOIN below USING (id))`,
  );
  const removeSubtree = database.prepare(`${below} DELETE FROM turns WHERE id IN (SELECT id FROM below)`);

  /** Instead of its siblings. `range` holds the first and the last number of its conversation's turns. */
  function showAmongSiblings(id: string, parentId: string | null, range: NumberRange): void {
    if (parentId === null) hideRoots.run(...range);
    else hideChildren.run(parentId);
    show.run(id);
  }

  const hideAll = database.prepare('UPDATE turns SET chosen = 0 WHERE number BETWEEN ? AND ? AND chosen = 1');

  return {
    nodes: (range: NumberRange): TurnNode[] => z.array(nodeSchema).parse(within.all(...range)),
    showAmongSiblings,

    /** Shows these and no other. */
    setChosen(ids: readonly string[], range: NumberRange): void {
      hideAll.run(...range);
      for (const id of ids) show.run(id);
    },

    /** Shows a turn and all that leads to it. */
    choose(id: string, range: NumberRange): void {
      for (const turn of pathSchema.parse(ofPath.all({ id }))) {
        showAmongSiblings(turn.id, turn.parentId, range);
      }
    },

    /** Removes a turn with all below it, from the index too. Gives what went. */
    remove(id: string): { ids: string[]; clips: string[] } {
      const gone = z
        .array(z.object({ id: z.string(), clip: z.string().nullable() }))
        .parse(subtree.all({ id }));
      unindexSubtree.run({ id });
      removeSubtree.run({ id });
      const clips = gone.flatMap(({ clip }) => (clip === null ? [] : [clip]));
      return { ids: gone.map((turn) => turn.id), clips: [...new Set(clips)] };
    },
  };
}
