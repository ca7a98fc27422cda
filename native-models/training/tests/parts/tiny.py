"""Tiny models and shards, random but complete, so that every part runs for real within seconds."""

from __future__ import annotations

import io
import json
import tarfile
from pathlib import Path

import gguf
import numpy as np
import soundfile
import torch
from safetensors.torch import save_file

from parts.language_model import load_tokenizer
from parts.whisper_decoder import WhisperDecoder
from parts.whisper_encoder import WhisperEncoder

WORDS = ["the", "cat", "sat", "on", "a", "mat", "and", "ran"]
VOCABULARY = 320
"""More than `write_gguf` has tokens."""
_HIDDEN, _HEADS, _KEY_HEADS, _LAYERS, _WIDE = 32, 4, 2, 2, 64


def byte_letters() -> list[str]:
    """GPT-2's 256 printable stand-ins for bytes."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [byte for byte in range(256) if byte not in printable]
    return [chr(byte) for byte in printable] + [chr(256 + place) for place in range(len(others))]


def write_gguf(path: Path) -> Path:
    """A Llama of 32 columns with a byte-level vocabulary, its queries and keys in the file's order."""
    specials = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
    merges: list[str] = []
    tokens = specials + byte_letters()
    for word in [*"abcdefghijklmnopqrstuvwxyz", *WORDS]:
        left = "Ġ"
        for letter in word:
            if f"{left}{letter}" not in tokens:
                merges.append(f"{left} {letter}")
                tokens.append(f"{left}{letter}")
            left += letter
    writer = gguf.GGUFWriter(str(path), "llama")
    writer.add_embedding_length(_HIDDEN)
    writer.add_feed_forward_length(_WIDE)
    writer.add_block_count(_LAYERS)
    writer.add_context_length(256)
    writer.add_head_count(_HEADS)
    writer.add_head_count_kv(_KEY_HEADS)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_freq_base(10000.0)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("smollm")
    writer.add_token_list(tokens)
    writer.add_token_types([3] * len(specials) + [1] * (len(tokens) - len(specials)))
    writer.add_token_merges(merges)
    writer.add_eos_token_id(2)
    generator = np.random.default_rng(0)

    def tensor(name: str, *shape: int) -> None:
        values = generator.normal(0, 0.2, shape) if len(shape) > 1 else np.ones(shape)
        writer.add_tensor(f"{name}.weight", values.astype(np.float32))

    tensor("token_embd", len(tokens), _HIDDEN)
    tensor("output_norm", _HIDDEN)
    keys = _HIDDEN // _HEADS * _KEY_HEADS
    for layer in range(_LAYERS):
        for name, rows, columns in (
            ("attn_q", _HIDDEN, _HIDDEN),
            ("attn_k", keys, _HIDDEN),
            ("attn_v", keys, _HIDDEN),
            ("attn_output", _HIDDEN, _HIDDEN),
            ("ffn_gate", _WIDE, _HIDDEN),
            ("ffn_up", _WIDE, _HIDDEN),
            ("ffn_down", _HIDDEN, _WIDE),
        ):
            tensor(f"blk.{layer}.{name}", rows, columns)
        tensor(f"blk.{layer}.attn_norm", _HIDDEN)
        tensor(f"blk.{layer}.ffn_norm", _HIDDEN)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def write_whisper(folder: Path) -> Path:
    """An encoder and a decoder of 64 columns, as transformers writes them."""
    folder.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(0)
    parts = {"encoder": WhisperEncoder(80, 64, 2, 128), "decoder": WhisperDecoder(64, 1, 128, VOCABULARY, 64)}
    state = {f"model.{part}.{name}": v for part, model in parts.items() for name, v in model.state_dict().items()}
    save_file(state, str(folder / "model.safetensors"))
    return folder


def write_whisper_tokens(path: Path, gguf_file: Path) -> Path:
    """As Whisper's `tokenizer.json`, with the tokens of `write_gguf`."""
    load_tokenizer(gguf_file).tokenizer.save(str(path))
    return path


def write_shards(folder: Path, clips: int = 24, seconds: float = 0.8) -> Path:
    """Noises that say random words; a third has a response, an eighth is held out."""
    folder.mkdir(parents=True, exist_ok=True)
    generator = np.random.default_rng(1)
    with tarfile.open(folder / "tiny-0000.tar", "w") as tar:
        for number in range(clips):
            length = int(16000 * seconds * generator.uniform(0.7, 1.3))
            sound = generator.normal(0, 0.1, length).astype(np.float32)
            text = " ".join(generator.choice(WORDS, 3))
            about = {
                "id": f"{number:04d}",
                "split": "test" if number % 8 == 0 else "train",
                "text": text.capitalize(),
                "spoken": text,
                "question": "What is it?" if number % 5 == 0 else "",
                "response": "The cat." if number % 3 == 0 or number % 5 == 0 else "",
                "language": "en",
                "task": "answer" if number % 3 == 0 else "transcribe",
                "seconds": length / 16000,
            }
            data = io.BytesIO()
            soundfile.write(data, sound, 16000, format="FLAC")
            for ending, content in (("flac", data.getvalue()), ("json", json.dumps(about).encode())):
                entry = tarfile.TarInfo(f"{number:04d}.{ending}")
                entry.size = len(content)
                tar.addfile(entry, io.BytesIO(content))
    return folder
