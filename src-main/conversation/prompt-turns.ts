import { type AudioStorePort, ParlanceError, type PromptTurn, type Turn } from '../contract/index.ts';

interface Exchange {
  readonly question: Turn;
  readonly answer: Turn | null;
}

/** From the root of the tree to `tip`, oldest first. Turns of other branches are left out. */
export function branchTo(tip: Turn, turns: readonly Turn[]): Turn[] {
  const byId = new Map(turns.map((turn) => [turn.id, turn]));
  const branch: Turn[] = [];
  const seen = new Set<string>();
  for (let turn: Turn | undefined = tip; turn !== undefined && !seen.has(turn.id); ) {
    seen.add(turn.id);
    branch.unshift(turn);
    turn = turn.parentId === null ? undefined : byId.get(turn.parentId);
  }
  return branch;
}

function exchangesOf(branch: readonly Turn[]): Exchange[] {
  return branch.flatMap((question, place) => {
    if (question.role !== 'user') return [];
    const next = branch[place + 1];
    return [{ question, answer: next?.role === 'assistant' ? next : null }];
  });
}

async function promptOf(question: Turn, audio: AudioStorePort): Promise<PromptTurn> {
  if (question.audio === null) return { type: 'text', role: 'user', text: question.text };
  const { sha256 } = question.audio;
  return {
    type: 'audio',
    role: 'user',
    path: await audio.path(sha256),
    sha256,
    transcript: question.heardAs,
  };
}

/** An earlier question whose sound was taken from the disk: by its words if they are known, else null. */
async function earlierPromptOf(question: Turn, audio: AudioStorePort): Promise<PromptTurn | null> {
  if (question.kind === 'spoken' && question.audio === null)
    return question.heardAs === null ? null : { type: 'text', role: 'user', text: question.heardAs };
  try {
    return await promptOf(question, audio);
  } catch (error) {
    if (!(error instanceof ParlanceError) || error.code !== 'file-missing') throw error;
    return question.heardAs === null ? null : { type: 'text', role: 'user', text: question.heardAs };
  }
}

/**
 * What the model is shown to answer `question`: the branch that leads to it, oldest first. A stopped or interrupted
 * answer counts with the words it had; an exchange without an answer is left out, for it would teach the model to say
 * nothing. Rejects with file-missing when the sound of `question` itself is gone.
 */
export async function promptTurns(
  question: Turn,
  turns: readonly Turn[],
  audio: AudioStorePort,
): Promise<PromptTurn[]> {
  const prompt: PromptTurn[] = [];
  for (const { question: earlier, answer } of exchangesOf(branchTo(question, turns))) {
    if (earlier.id === question.id || answer === null || answer.text.trim() === '') continue;
    const asked = await earlierPromptOf(earlier, audio);
    if (asked !== null) prompt.push(asked, { type: 'text', role: 'assistant', text: answer.text });
  }
  return [...prompt, await promptOf(question, audio)];
}
