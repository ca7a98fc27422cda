"""Kokoro's generator in bfloat16: the compiled activation is the operators', and the sound is float32's."""

import copy
import os
from pathlib import Path

import numpy as np
import pytest
import torch

import data.voices.kokoro_graph as graph
from data.voices.kokoro import MODEL, SYMBOLS, Kokoro
from data.voices.norm_snake import library, norm_snake, norm_snake_in_operators

KOKORO = os.environ.get("PARLANCE_TEST_KOKORO")
PHONEMES = "hɪ hˈOpt ðɛɹ wʊd bi stˈu fɔɹ dˈɪnəɹ."
needs_compiler = pytest.mark.skipif(library() is None, reason="no C compiler")


def settings(channels: int) -> list[torch.Tensor]:
    return [torch.rand(channels) + 0.5, torch.randn(channels), torch.rand(channels) * 5 + 0.1]


def frames(channels: int, count: int) -> torch.Tensor:
    x = torch.randn(1, channels, 1, count) * torch.linspace(0.1, 30, channels)[:, None, None] + 3
    return x.bfloat16().contiguous(memory_format=torch.channels_last)


@needs_compiler
@pytest.mark.parametrize(("channels", "count"), [(256, 1000), (128, 777), (3, 1)])
def test_the_compiled_activation_rounds_once(channels: int, count: int) -> None:
    torch.manual_seed(1)
    x, (gain, shift, alpha) = frames(channels, count), settings(channels)
    wide = x.double()[0, :, 0]
    spread = (wide.var(1, correction=0) + 1e-5).sqrt()
    normal = gain[:, None] * (wide - wide.mean(1, keepdim=True)) / spread[:, None] + shift[:, None]
    exact = normal + torch.sin(alpha[:, None] * normal) ** 2 / alpha[:, None]
    filled = torch.cat([x, torch.full((1, channels, 1, 5), 1e4).bfloat16()], 3)
    filled = norm_snake(filled.contiguous(memory_format=torch.channels_last), count, gain, shift, alpha)
    assert (filled[..., count:] == 0).all()
    got = norm_snake(x, count, gain, shift, alpha)
    assert torch.equal(filled[..., :count], got)
    assert got.is_contiguous(memory_format=torch.channels_last)
    # Nearly every number is the nearest that bfloat16 has; where float32 fell on the other side, it is the next.
    assert (got[0, :, 0] == exact.bfloat16()).float().mean() > 0.99
    assert torch.allclose(got.double()[0, :, 0], exact, rtol=1 / 128, atol=1e-3)
    if count > 1:
        by_operators = norm_snake_in_operators(x, count, gain, shift, alpha).double()[0, :, 0]
        assert (got.double()[0, :, 0] - exact).abs().mean() < (by_operators - exact).abs().mean()


@needs_compiler
def test_what_it_has_no_room_for_is_refused() -> None:
    with pytest.raises(ValueError, match="513 channels"):
        norm_snake(frames(513, 4), 4, *settings(513))
    with pytest.raises(ValueError, match="channels last"):
        norm_snake(frames(8, 4).contiguous(), 4, *settings(8))
    with pytest.raises(ValueError, match="bfloat16"):
        norm_snake(frames(8, 4).float(), 4, *settings(8))


def decibels_apart(one: np.ndarray, other: np.ndarray) -> float:
    """Mean over frames of the log spectra's root mean square difference, in dB, 80 dB deep."""

    def spectra(samples: np.ndarray) -> np.ndarray:
        windows = np.lib.stride_tricks.sliding_window_view(samples, 1024)[::256] * np.hanning(1024)
        power = np.abs(np.fft.rfft(windows)) ** 2
        return 10 * np.log10(power + 1e-8 * power.max())

    return float(np.sqrt(((spectra(one) - spectra(other)) ** 2).mean(1)).mean())


@needs_compiler
@pytest.mark.skipif(KOKORO is None, reason="PARLANCE_TEST_KOKORO names no folder of Kokoro's: see data/README.md")
@pytest.mark.parametrize("voice", ["af_bella", "am_adam"])
def test_the_compiled_generator_sounds_as_the_operators_and_no_farther_from_float32(
    voice: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert KOKORO is not None
    model = graph.SplitKokoro(Path(KOKORO) / MODEL, threads=1)
    tokens = np.array([[0, *(SYMBOLS[symbol] for symbol in PHONEMES), 0]], np.int64)
    style = Kokoro(Path(KOKORO)).style(voice, len(PHONEMES))
    compiled = model.speak(tokens, style, 1.0)
    monkeypatch.setattr(graph, "LENGTHS", 1)
    unfilled = model.speak(tokens, style, 1.0)
    monkeypatch.setattr(graph, "norm_snake", norm_snake_in_operators)
    operators = model.speak(tokens, style, 1.0)
    hidden = [torch.from_numpy(array) for array in model.encode(tokens, style, 1.0)]
    with torch.inference_mode():
        spectrum = copy.deepcopy(model.generator).float()(*hidden, torch.from_numpy(style[:, : graph.STYLE]))
    exact = model.invert(spectrum)
    assert len(compiled) == len(unfilled) == len(operators) == len(exact) > 24000
    assert decibels_apart(compiled, unfilled) < 0.05
    assert decibels_apart(compiled, operators) < 1.0
    assert decibels_apart(compiled, exact) <= 1.05 * decibels_apart(operators, exact) < 1.0
