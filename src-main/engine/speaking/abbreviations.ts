/** Whether a point behind a word can end a sentence: never, only where no number follows, or only where a capital follows. */
type Kind = 'before-a-name' | 'before-a-number' | 'anywhere';

const list: Record<Kind, string> = {
  'before-a-name':
    'dr mr mrs ms mx prof rev hon gen col capt lt sgt cmdr gov sen rep pres st mt ft sra sr mme mlle herr hr fr e.g i.e eg ie vs cf viz z.b d.h bzw ca dra ud uds m.a.w',
  'before-a-number':
    'no nos nr fig figs vol vols p pp ch chap sec art eq approx jan feb mar apr jun jul aug sep sept oct nov dec',
  anywhere: 'etc a.m p.m u.s u.k u.n e.u a.d b.c jr inc ltd co corp dept est min max ave blvd rd usw p.ej',
};

/** Lower case, without the last point. */
export const abbreviations: Readonly<Record<string, Kind>> = Object.fromEntries(
  (Object.keys(list) as Kind[]).flatMap((kind) => list[kind].split(' ').map((word) => [word, kind])),
);
