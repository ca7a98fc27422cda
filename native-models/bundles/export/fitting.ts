import { ModelError } from '../../errors.ts';
import type { BundleManifest } from '../manifest.ts';
import type { Recipe } from '../recipe.ts';
import { projectorArchitectures } from './projector.ts';
import { notExportable } from './refused.ts';

/** One hop of Whisper's features, to which Ultravox's processor fills a clip. */
const hop = 160;

/** Refuses, by the manifest alone, a bundle that no weights could make into an Ultravox. Throws `not-supported`. */
export function refuseBundle({ id, encoder, secondEncoder, adaptor, llm }: BundleManifest): void {
  const refused = (fault: string) => notExportable(id, fault);
  if (encoder === null || adaptor === null || llm === null)
    throw refused('it lacks an encoder, an adaptor or a language model');
  if (encoder.architecture !== 'whisper') throw refused(`its encoder is ${encoder.architecture}`);
  if (secondEncoder !== null) throw refused(`it has a second encoder, ${secondEncoder.architecture}`);
  if (adaptor.labels) throw refused(`its adaptor ${adaptor.architecture} has a CTC head`);
  if (!projectorArchitectures.includes(adaptor.architecture))
    throw refused(`its adaptor is ${adaptor.architecture}`);
  const { padding } = adaptor;
  if (padding.kind === '30s')
    throw refused('it fills clips to 30 s before they are heard, and Ultravox takes them as they are');
  if (padding.tailSeconds > 0 || padding.unitSamples !== hop)
    throw refused('it puts more silence behind clips than the hop that Ultravox fills');
}

/**
 * Holds the recipe that was named against the bundle. Throws `not-supported` when there is none, or when it is another bundle's:
 * the folder would be another model than the one that was asked for.
 */
export function refuseOtherRecipe(manifest: BundleManifest, recipe: Recipe | null): asserts recipe is Recipe {
  const { id, encoder, adaptor, llm } = manifest;
  if (recipe === null)
    throw new ModelError(
      'not-supported',
      `The bundle ${id} holds graphs, whose weights may be rounded, and not the weights it was built from.`,
      'Name the recipe that it was built from with --recipe, and its weights with --weights.',
    );
  const pairs: readonly (readonly [field: string, recipe: unknown, bundle: unknown])[] = [
    ['id', recipe.id, id],
    ['encoder.architecture', recipe.encoder?.architecture, encoder?.architecture],
    ['encoder.from', recipe.encoder?.from, encoder?.from],
    ['adaptor.architecture', recipe.adaptor?.architecture, adaptor?.architecture],
    ['adaptor.from', recipe.adaptor?.from, adaptor?.from],
    ['llm.from', recipe.llm?.from, llm?.from],
  ];
  const other = pairs.find(([, ofRecipe, ofBundle]) => ofRecipe !== ofBundle);
  if (other === undefined) return;
  const [field, ofRecipe, ofBundle] = other;
  throw new ModelError(
    'not-supported',
    `The recipe's ${field} is ${ofRecipe ?? 'nothing'}, the bundle's is ${ofBundle ?? 'nothing'}.`,
    'Name the recipe that the bundle was built from.',
  );
}
