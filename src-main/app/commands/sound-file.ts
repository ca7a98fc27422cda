import { readFile } from 'node:fs/promises';
import { ParlanceError } from '../../contract/index.ts';
import { readSound } from '../../voice/read-sound.ts';

/** A sound file of any common kind → f32 samples at 16 kHz, mono. Rejects with file-missing, file-unreadable, audio-…. */
export async function readSoundFile(path: string): Promise<{ samples: Float32Array; seconds: number }> {
  return readSound(await bytesOf(path), path);
}

async function bytesOf(path: string): Promise<Uint8Array> {
  try {
    return await readFile(path);
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    if (code === 'ENOENT') {
      throw new ParlanceError('file-missing', `There is no file ${path}.`, 'Check its name and folder.', {
        cause,
      });
    }
    const reason = code === 'EISDIR' ? 'it is a folder' : message;
    throw new ParlanceError(
      'file-unreadable',
      `${path} cannot be read: ${reason}.`,
      'Name a sound file you may read.',
      {
        cause,
      },
    );
  }
}
