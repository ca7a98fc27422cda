"""A trained model by its path, whatever it is kept as: an exported adaptor, or a checkpoint of `recipes/default.py`."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from parts.answerer import Answerer, AnswerSettings
from parts.checkpoints import read_checkpoint
from parts.conversation import Prompt
from parts.export import read_adaptor
from parts.hearing import Hearing
from parts.language_model import load_language_model, load_tokenizer
from parts.lora import addition, lora_layers
from parts.masking import MaskingSettings
from parts.second_look import SecondLook, SecondLookSettings
from parts.shared_spelling import SharedSpelling
from parts.spelling import Spelling
from parts.stack_conv_ctc import StackConvCtc, StackConvCtcSettings
from parts.whisper_decoder import load_whisper_decoder
from parts.whisper_encoder import load_whisper_encoder
from recipes.default import DefaultSettings


@dataclass(frozen=True)
class Published:
    """What an adaptor stands between, as published, and how it is asked."""

    whisper: Path
    """CTranslate2's `model.bin`, or a folder that transformers wrote."""
    llm: Path
    """A GGUF file."""
    prompt: Prompt


def load_listener(path: Path, published: Published, settings: DefaultSettings | None = None) -> Answerer:
    """`path` is a folder with `adaptor.json`, or a `.pt` that `recipes/default.py` wrote with these settings, below or
    beside its `spelling.json`. Throws ValueError for an architecture or a checkpoint that is not known here."""
    if path.suffix != ".pt":
        return _from_export(path, published)
    if settings is None:
        raise ValueError(f"{path} is a checkpoint: name the settings that it was trained with")
    return _from_checkpoint(path, published, settings)


Hears = tuple[StackConvCtc | SecondLook, Spelling | SharedSpelling]
Build = Callable[[dict[str, Any], Published, Tensor], Hears]
"""adaptor.json's content, and `[vocabulary, llm_width]` → an adaptor of the right shape, and its classes."""


def _answerer(published: Published, answers: AnswerSettings, about: dict[str, Any], build: Build) -> Answerer:
    tokenizer, llm = load_tokenizer(published.llm), load_language_model(published.llm)
    adaptor, spelling = build(about, published, llm.get_input_embeddings().weight.detach())
    hearing = Hearing(load_whisper_encoder(published.whisper), adaptor, spelling, MaskingSettings())
    return Answerer(hearing, llm, tokenizer, published.prompt, answers).eval()


# An export, as the foundry reads it.


def _from_export(folder: Path, published: Published) -> Answerer:
    about = json.loads((folder / "adaptor.json").read_text())
    tensors = read_adaptor(folder)
    architecture = about.get("architecture", "stack-conv-ctc")
    if architecture not in _EXPORTED:
        raise ValueError(f"{folder}: an adaptor of the architecture {architecture} is not measured here")
    model = _answerer(published, AnswerSettings(about["lora_r"], about["lora_alpha"]), about, _EXPORTED[architecture])
    model.hearing.adaptor.load_state_dict(_state(tensors, architecture))
    for name, layer in lora_layers(model.llm).items():
        layer.A.data, layer.B.data = tensors[f"lora.{name}.A"], tensors[f"lora.{name}.B"]
    return model


def _stack_conv_ctc(about: dict[str, Any], published: Published, table: Tensor) -> Hears:
    classes = table[torch.tensor(about["vocab"])].clone()
    return StackConvCtc(_stack_settings(about["adaptor"]), classes), Spelling(about["vocab"], {}, {})


def _second_look(about: dict[str, Any], published: Published, table: Tensor) -> Hears:
    named = about["adaptor"]
    settings = SecondLookSettings(
        _stack_settings(named["draft"]),
        blocks=named["blocks"],
        context=named["ctx"],
        wide=named["ff"],
        heads=named["heads"],
        reading_blocks=named["reading_blocks"],
        longest_draft=named["longest_draft"],
        looks=named["looks"],
        decoder_rank=named["decoder_rank"],
        decoder_alpha=named["decoder_alpha"],
        prefix=tuple(named["prefix"]),
    )
    frequent = [place + 1 for place in named["drafted"]]
    pieces = [""] * len(about["vocab"])
    spelling = SharedSpelling(pieces, named["whisper"], named["whisper_capital"], about["vocab"], frequent, {}, {})
    return SecondLook(settings, load_whisper_decoder(published.whisper), spelling, table), spelling


_EXPORTED: dict[str, Build] = {
    "stack-conv-ctc": _stack_conv_ctc,
    "second-look": _second_look,
}


def _stack_settings(named: dict[str, int]) -> StackConvCtcSettings:
    return StackConvCtcSettings(
        encoder_width=named["din"],
        stack=named["k"],
        width=named["d"],
        llm_width=named["dl"],
        blocks=named["blocks"],
        context=named["ctx"],
        wide=named["ff"],
        heads=named.get("heads", 0),
    )


def _state(tensors: dict[str, Tensor], architecture: str) -> dict[str, Tensor]:
    """The module's own names again; what was taken off a blank's score is in its bias, and nothing is left to take."""
    tensors = {addition(name) if name.startswith("decoder.") else name: value for name, value in tensors.items()}
    state = {name.removeprefix("adaptor."): value for name, value in tensors.items() if name.startswith("adaptor.")}
    state["blank_offset"] = torch.tensor(0.0)
    if architecture == "stack-conv-ctc":
        return state | {"bias": tensors["ctc.bias"]}
    draft = {name: value for name, value in tensors.items() if name.startswith("draft.")}
    return state | draft | {"draft.blank_offset": torch.tensor(0.0), "steps": torch.tensor(0)}


# A checkpoint of recipes/default.py.


def _from_checkpoint(path: Path, published: Published, settings: DefaultSettings) -> Answerer:
    """The last stage's has the LoRA; those before listen with the LLM as published."""
    content = read_checkpoint(path)
    if content is None:
        raise ValueError(f"{path} is not there")
    state: dict[str, Tensor] = content.get("model", content)
    prefix = "hearing." if any(name.startswith("hearing.") for name in state) else ""
    if not any(name.startswith(f"{prefix}adaptor.draft.") for name in state):
        raise ValueError(f"{path} is no checkpoint of the second look or of the answers")
    folder = path.parent if (path.parent / "spelling.json").exists() else path.parent.parent
    spelling = SharedSpelling.load(folder / "spelling.json")

    def build(_: object, published: Published, table: Tensor) -> Hears:
        return SecondLook(settings.adaptor, load_whisper_decoder(published.whisper), spelling, table), spelling

    model = _answerer(published, settings.answer.answers, {}, build)
    model.hearing.adaptor.load_state_dict(
        {name.removeprefix(f"{prefix}adaptor."): v for name, v in state.items() if name.startswith(f"{prefix}adaptor.")}
    )
    for name, layer in lora_layers(model.llm).items():
        if f"llm.{name}.A" in state:
            layer.A.data, layer.B.data = state[f"llm.{name}.A"].float(), state[f"llm.{name}.B"].float()
    return model
