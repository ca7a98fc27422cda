"""Kokoro's graph in three parts, of which the middle one, nine tenths of its work, runs in PyTorch's bfloat16.

ONNX Runtime's 8-bit convolutions are no faster than float32 on a CPU; with AMX, bfloat16 is several times faster.
The residual blocks of the iSTFT generator are therefore rebuilt here from the file's own weights; text encoder,
prosody, harmonic source and inverse STFT stay as they are.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch
from onnx import numpy_helper
from onnx.utils import Extractor
from torch import nn
from torch.nn import functional as F

from data.voices.norm_snake import norm_snake

GENERATOR = "/decoder/decoder/generator"
BEFORE = (
    "/decoder/decoder/decode.3/Div_4_output_0",
    f"{GENERATOR}/noise_convs.0/Conv_output_0",
    f"{GENERATOR}/noise_convs.1/Conv_output_0",
)
AFTER = f"{GENERATOR}/Div_4_output_0"
STYLE = 128
"""The first half of a style vector is the timbre that the generator reads; the rest is prosody's."""
LENGTHS = 32
"""Frames (of 12.5 ms) are filled up to a multiple of this: for each length that is new to it oneDNN compiles every
convolution anew, which takes a third as long as the sentence itself."""


class SplitKokoro:
    """`speak(tokens, style, speed)` as the whole graph does, with the generator's blocks in bfloat16."""

    def __init__(self, model: Path, threads: int) -> None:
        torch.set_num_threads(threads)
        graph = onnx.load(model)
        whole = Extractor(graph)
        self._encoder = _session(whole.extract_model(["tokens", "style", "speed"], list(BEFORE)), threads)
        self._inverter = _session(whole.extract_model([AFTER], ["audio"]), threads)
        self.generator = Generator(_Weights(graph)).to(torch.bfloat16).eval()

    def speak(self, tokens: np.ndarray, style: np.ndarray, speed: float) -> np.ndarray:
        """tokens int64 `[1, phonemes]`, style `[1, 256]` → float32 `[samples]` at 24 kHz."""
        hidden = [torch.from_numpy(array).bfloat16() for array in self.encode(tokens, style, speed)]
        with torch.inference_mode():
            spectrum = self.generator(*hidden, torch.from_numpy(style[:, :STYLE]).bfloat16())
        return self.invert(spectrum)

    def encode(self, tokens: np.ndarray, style: np.ndarray, speed: float) -> list[np.ndarray]:
        """→ what the generator reads, float32, in the order of `BEFORE`."""
        return self._encoder.run(None, {"tokens": tokens, "style": style, "speed": np.array([speed], np.float32)})

    def invert(self, spectrum: torch.Tensor) -> np.ndarray:
        return self._inverter.run(None, {AFTER: spectrum.float().contiguous().numpy()})[0]


class Generator(nn.Module):
    """Two upsamplings (×10, ×6), each followed by the mean of three residual blocks of kernels 3, 7 and 11."""

    def __init__(self, weights: _Weights) -> None:
        super().__init__()
        self.sources = nn.ModuleList(ResidualBlock(weights, f"noise_res.{i}") for i in range(2))
        self.blocks = nn.ModuleList(ResidualBlock(weights, f"resblocks.{i}") for i in range(6))
        self.ups = nn.ModuleList()
        for index, (stride, name) in enumerate(((10, "Mul_output_0"), (6, "Mul_1_output_0"))):
            weight = weights.tensor(f"{GENERATOR}/{name}")
            channels, fewer, kernel = weight.shape
            same = (kernel - stride) // 2
            up = nn.ConvTranspose2d(channels, fewer, (1, kernel), (1, stride), padding=(0, same))
            up.weight.data, up.bias.data = _channels_last(weight), weights.tensor(f"{_dotted()}ups.{index}.bias")
            self.ups.append(up)

    def forward(self, x: torch.Tensor, source: torch.Tensor, finer: torch.Tensor, style: torch.Tensor) -> torch.Tensor:
        """x `[1, 512, frames]`, sources `[1, 256, 10·frames]` and `[1, 128, 60·frames + 1]`, style `[1, 128]`."""
        valid = x.shape[2]
        x = _channels_last(F.pad(x, (0, -valid % LENGTHS)))
        for index, excitation in enumerate((source, finer)):
            x[..., valid:] = 0
            x = self.ups[index](F.leaky_relu(x, 0.1))
            if index == 1:
                x = F.pad(x, (1, 0, 0, 0), mode="reflect")
            valid = excitation.shape[2]
            filled = _channels_last(F.pad(excitation, (0, x.shape[3] - valid)))
            x = x + self.sources[index](filled, valid, style)
            x = sum(block(x, valid, style) for block in self.blocks[3 * index : 3 * index + 3]) / 3
        return x[..., :valid].squeeze(2)


class ResidualBlock(nn.Module):
    """Three times: adaptive norm, snake, dilated convolution, adaptive norm, snake, convolution, and the sum."""

    def __init__(self, weights: _Weights, name: str) -> None:
        super().__init__()
        self.convolutions, self.styles, self.alphas = nn.ModuleList(), nn.ModuleList(), nn.ParameterList()
        for step in range(3):
            for half, dilation in ((1, (1, 3, 5)[step]), (2, 1)):
                weight, bias = weights.convolution(f"{name}.convs{half}.{step}", f"{name}/convs{half}.{step}")
                channels, _, kernel = weight.shape
                same = dilation * (kernel - 1) // 2
                convolution = nn.Conv2d(channels, channels, (1, kernel), dilation=(1, dilation), padding=(0, same))
                convolution.weight.data, convolution.bias.data = _channels_last(weight), bias
                self.convolutions.append(convolution)
                linear = nn.Linear(STYLE, 2 * channels)
                linear.weight.data, linear.bias.data = weights.linear(f"{name}.adain{half}.{step}.fc")
                self.styles.append(linear)
                self.alphas.append(nn.Parameter(weights.tensor(f"{_dotted()}{name}.alpha{half}.{step}").flatten()))

    def forward(self, x: torch.Tensor, valid: int, style: torch.Tensor) -> torch.Tensor:
        """x `[1, channels, 1, frames]`, laid out channels last: what bfloat16 convolutions need no copy of.

        The first `valid` frames are the sentence; what comes out for the others is of no use.
        """
        for step in range(3):
            inner = x
            for half in (2 * step, 2 * step + 1):
                scale, shift = self.styles[half](style)[0].float().chunk(2)
                inner = self.convolutions[half](norm_snake(inner, valid, 1 + scale, shift, self.alphas[half]))
            x = inner.add_(x)
        return x


class _Weights:
    """The file's tensors by name; 8-bit ones unpacked to float32."""

    def __init__(self, model: onnx.ModelProto) -> None:
        self._tensors = {tensor.name: tensor for tensor in model.graph.initializer}
        self._nodes = {node.name: node for node in model.graph.node}
        self._readers = {name: node for node in model.graph.node for name in node.input}

    def tensor(self, name: str) -> torch.Tensor:
        return torch.from_numpy(numpy_helper.to_array(self._tensors[name]).astype(np.float32))

    def convolution(self, bias: str, node: str) -> tuple[torch.Tensor, torch.Tensor]:
        weight = self._unpacked(self._nodes[f"{GENERATOR}/{node}/Conv_quant"])
        return weight, self.tensor(f"{_dotted()}{bias}.bias")

    def linear(self, name: str) -> tuple[torch.Tensor, torch.Tensor]:
        """ONNX keeps it `[in, out]`, PyTorch `[out, in]`."""
        node = self._readers[f"{_dotted()}{name}.weight_quantized"]
        return self._unpacked(node).T.contiguous(), self.tensor(f"{_dotted()}{name}.bias")

    def _unpacked(self, node: onnx.NodeProto) -> torch.Tensor:
        packed, zero = self.tensor(node.input[1]), self.tensor(node.input[3])
        return (packed - zero) * self.tensor(node.input[1].removesuffix("_quantized") + "_scale")


def _channels_last(x: torch.Tensor) -> torch.Tensor:
    return x.unsqueeze(2).contiguous(memory_format=torch.channels_last)


def _dotted() -> str:
    return "decoder.decoder.generator."


def _session(model: onnx.ModelProto, threads: int) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
