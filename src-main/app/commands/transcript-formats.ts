import type { Segment, Transcript } from '../../contract/index.ts';

/** A transcript and the file it is of. */
export interface NamedTranscript {
  readonly file: string;
  readonly transcript: Transcript;
}

/** Seconds → `01:02:03,456`; WebVTT wants a point where SubRip has a comma. */
function clock(seconds: number, separator: ',' | '.'): string {
  const milliseconds = Math.round(seconds * 1000);
  const two = (value: number) => String(Math.floor(value)).padStart(2, '0');
  const hours = two(milliseconds / 3_600_000);
  const minutes = two((milliseconds / 60_000) % 60);
  return `${hours}:${minutes}:${two((milliseconds / 1000) % 60)}${separator}${String(milliseconds % 1000).padStart(3, '0')}`;
}

function cues(segments: readonly Segment[], separator: ',' | '.', numbered: boolean): string {
  return segments
    .map(({ start, end, text }, place) => {
      const times = `${clock(start, separator)} --> ${clock(end, separator)}`;
      // A blank line would end the cue, and an arrow would begin its times.
      const words = text
        .trim()
        .replace(/\n{2,}/g, '\n')
        .replaceAll('-->', '→');
      return `${numbered ? `${place + 1}\n` : ''}${times}\n${words}\n`;
    })
    .join('\n');
}

function paragraphs({ text, segments }: Transcript): string {
  return segments.length === 0 ? text.trim() : segments.map((segment) => segment.text.trim()).join('\n');
}

/** How a transcript is written as a file of each kind. */
export const transcriptFormats = {
  txt: ({ transcript }) => `${paragraphs(transcript)}\n`,
  md: ({ file, transcript }) => `# ${file}\n\n${markdownLines(transcript)}\n`,
  srt: ({ transcript }) => cues(transcript.segments, ',', true),
  vtt: ({ transcript }) => `WEBVTT\n\n${cues(transcript.segments, '.', false)}`,
  json: ({ file, transcript }) => `${JSON.stringify({ file, ...transcript }, null, 2)}\n`,
} as const satisfies Record<string, (named: NamedTranscript) => string>;

export type TranscriptFormat = keyof typeof transcriptFormats;

function markdownLines({ segments, text }: Transcript): string {
  if (segments.length === 0) return text.trim();
  return segments
    .map((segment) => `**${clock(segment.start, '.').slice(0, 8)}** ${segment.text.trim()}`)
    .join('\n\n');
}
