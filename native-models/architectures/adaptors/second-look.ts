import type { AdaptorArchitecture } from './adaptor.ts';
import { secondLook } from './second-look-graph.ts';
import { secondLookParts } from './second-look-settings.ts';

/**
 * The default adaptor: a CTC draft of what was said, and a second look at the sound by Whisper's own decoder with the draft at
 * hand. Queries as in a Q-Former (SALMONN, section 3.1) that know what they look for; compression by CTC as in AudioChatLlama.
 */
export const secondLookArchitecture: AdaptorArchitecture = {
  name: 'second-look',
  build(request) {
    const parts = secondLookParts(request);
    const { draft } = parts.settings.adaptor;
    const graph = secondLook(request, parts);
    return {
      graph,
      hidden: parts.llm.embeddings.shape[1] ?? 0,
      stack: draft.k,
      // Were every stack of frames a token of its own: blanks and repeats are left out.
      tokens: { perSecond: request.encoder.framesPerSecond / draft.k },
      selection: 'ctc-compress',
      ctcTokens: parts.settings.vocab,
      matrices: ['draft.stack', 'draft.out', 'adaptor.heard', 'adaptor.out'].map((name) =>
        request.weights.tensor(`${name}.weight`),
      ),
    };
  },
};
