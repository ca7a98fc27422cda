/** Words after which a sentence cannot well end: conjunctions, articles and possessives, and what is said while thinking. */
const openWords: Readonly<Record<string, string>> = {
  en: `and or but because although if when while that which who whose than as the a an my your his her its our their
    with from into of to for um uh uhm umm er erm hmm well like maybe`,
  de: `und oder aber weil denn dass wenn obwohl ob als wie der die das dem den des ein eine einen einem einer mein meine
    dein deine unser unsere ihr ihre mit von für zu zum zur äh ähm öhm hm also sondern sowie`,
  fr: `et ou mais donc car parce que qui quand si comme lorsque puisque le la les un une des du de à au aux mon ma mes
    ton ta tes son sa ses notre votre leur avec pour dans sur euh heu ben hum alors`,
  es: `y e o u pero porque aunque que si cuando como donde mientras el la los las un una unos unas de del al a mi tu su
    mis tus sus nuestro nuestra con para por en eh em este pues entonces`,
  ar: `و أو أم لكن ولكن لأن لأنه لأنها بسبب إذا لو عندما حين حيث الذي التي الذين من إلى على في عن مع ثم أن إن كما مثل يعني اه امم`,
};

/** No spaces between words: what the text ends with. */
const openEndings: Readonly<Record<string, readonly string[]>> = {
  zh: '和 跟 与 或 或者 还有 但 但是 可是 不过 因为 所以 如果 虽然 而且 然后 的时候 比如 就是 那个 这个 在 把 被 给 从 对 嗯 呃 额'.split(
    ' ',
  ),
  ja: 'と や も が は を に で へ の から ので けど けれど けれども しかし そして それで それから もし たとえば って えっと ええと えーと あの あのー その まあ うーん'.split(
    ' ',
  ),
};

const wordsOf = Object.fromEntries(
  Object.entries(openWords).map(([language, words]) => [language, new Set(words.split(/\s+/))]),
);

const closingQuotes = /[\s"'”’»）)\]」』]+$/u;
const openMarks = /(\.\.\.|[…,;:、，；：،؛—–-])$/u;
const closedMarks = /[!?！？؟]$/u;
/** Recognisers write a full stop at the end of whatever they were given. */
const fullStop = /[.。۔]$/u;

/**
 * Whether the words of a turn so far ask for more: "and", "because", "um", a comma. `language` is a tag such as `en` or
 * `zh-CN`; of one that is not known only the marks count.
 */
export function endOpen(text: string, language: string): boolean {
  const shown = text.replace(closingQuotes, '');
  if (shown === '' || closedMarks.test(shown)) return false;
  if (openMarks.test(shown)) return true;
  const words = shown.replace(fullStop, '').toLowerCase();
  const tag = language.toLowerCase().split(/[-_]/)[0] ?? '';
  const endings = openEndings[tag];
  if (endings !== undefined) {
    // Japanese particles end many whole sentences in speech: a full stop is believed there.
    return !fullStop.test(shown) && endings.some((ending) => words.endsWith(ending));
  }
  const last = /[\p{L}\p{M}'’]+$/u.exec(words)?.[0] ?? '';
  return wordsOf[tag]?.has(last) ?? false;
}
