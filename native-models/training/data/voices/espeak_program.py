"""What the program `espeak-ng` is asked for, by the library that the package espeakng-loader brings.

A program of its own, as the real one is: the library's state goes from sentence to sentence, and the same sentence has
to sound the same wherever it stands. Nothing but the standard library is imported, so that it starts at once.
"""

from __future__ import annotations

import argparse
import ctypes
import sys
import wave

import espeakng_loader

# Of espeak-ng/speak_lib.h.
SYNCHRONOUS = 2
RATE, PITCH = 1, 3
CHARACTER = 1
UTF8_AND_MARKUP = 1 | 0x10


class Voice(ctypes.Structure):
    """`espeak_VOICE`: what a voice is looked for by."""

    _fields_ = [
        *((name, ctypes.c_char_p) for name in ("name", "languages", "identifier")),
        *((name, ctypes.c_ubyte) for name in ("gender", "age", "variant", "unused")),
        ("score", ctypes.c_int),
        ("spare", ctypes.c_void_p),
    ]


Callback = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p)


def main() -> None:
    parser = argparse.ArgumentParser(description="Writes a WAV file to standard output.")
    parser.add_argument("-v", dest="voice", required=True)
    parser.add_argument("-s", dest="words_a_minute", type=int, default=175)
    parser.add_argument("-p", dest="pitch", type=int, default=50)
    parser.add_argument("markup")
    given = parser.parse_args()
    rate, samples = speak(given.markup, given.voice, given.words_a_minute, given.pitch)
    with wave.open(sys.stdout.buffer, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(rate)
        out.setnframes(len(samples) // 2)
        out.writeframes(samples)


def speak(markup: str, voice: str, words_a_minute: int, pitch: int) -> tuple[int, bytes]:
    """SSML → (rate in Hz, 16-bit samples). Ends the program where the library refuses the voice or the text."""
    library = ctypes.CDLL(espeakng_loader.get_library_path())
    rate = library.espeak_Initialize(SYNCHRONOUS, 0, espeakng_loader.get_data_path().encode(), 0)
    sound = bytearray()

    def receive(samples: ctypes._Pointer[ctypes.c_short], count: int, _events: int | None) -> int:
        if samples and count > 0:
            sound.extend(ctypes.string_at(samples, 2 * count))
        return 0

    callback = Callback(receive)
    library.espeak_SetSynthCallback(callback)
    # As the program does: some accents are known by their language alone.
    by_language = ctypes.byref(Voice(languages=voice.encode()))
    if rate <= 0 or (
        library.espeak_SetVoiceByName(voice.encode()) and library.espeak_SetVoiceByProperties(by_language)
    ):
        raise SystemExit(f"eSpeak NG's library has no voice {voice}")
    library.espeak_SetParameter(RATE, words_a_minute, 0)
    library.espeak_SetParameter(PITCH, pitch, 0)
    text = markup.encode()
    size = ctypes.c_size_t(len(text) + 1)
    if library.espeak_Synth(text, size, 0, CHARACTER, 0, UTF8_AND_MARKUP, None, None) != 0:
        raise SystemExit("eSpeak NG's library refused the text")
    return rate, bytes(sound)


if __name__ == "__main__":
    main()
