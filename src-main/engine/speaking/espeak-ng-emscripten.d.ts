/** What is used of eSpeak NG's own interface; the package has no types. */
declare module '@echogarden/espeak-ng-emscripten' {
  interface Espeak {
    /** By the name, language or identifier of a voice; 0 when it has it. */
    set_voice(name: string): number;
    /** IPA of a text, a line a clause, `_` between phonemes. */
    synthesize_ipa(text: string): { code: number; ipa: string };
  }
  export default function load(): Promise<{ eSpeakNGWorker: new () => Espeak }>;
}
