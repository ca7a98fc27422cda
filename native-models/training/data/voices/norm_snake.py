"""The normalisation and activation of Kokoro's generator, compiled where the machine has a C compiler."""

from __future__ import annotations

import ctypes
import shutil
import subprocess
import tempfile
from functools import cache
from pathlib import Path

import torch
from torch.nn import functional as F

SOURCE = Path(__file__).with_suffix(".c")


def norm_snake(
    x: torch.Tensor, valid: int, gain: torch.Tensor, shift: torch.Tensor, alpha: torch.Tensor
) -> torch.Tensor:
    """Instance normalisation with `gain` and `shift`, then y + sin²(αy)/α.

    x bfloat16 `[1, channels, 1, frames]` laid out channels last, of which the first `valid` frames count; the rest
    float32 `[channels]` → like x, 0 from frame `valid` on.
    """
    compiled = library()
    if compiled is None:
        return norm_snake_in_operators(x, valid, gain, shift, alpha)
    if x.dtype != torch.bfloat16 or not x.is_contiguous(memory_format=torch.channels_last):
        raise ValueError(f"bfloat16 laid out channels last is asked for, not {x.dtype} with strides {x.stride()}")
    out = torch.empty_like(x)
    _, channels, _, frames = x.shape
    settings = [each.float().contiguous() for each in (gain, shift, alpha)]
    pointers = [ctypes.c_void_p(each.data_ptr()) for each in (x, out, *settings)]
    sizes = map(ctypes.c_long, (frames, valid, channels))
    if compiled.norm_snake(*pointers[:2], *sizes, *pointers[2:]):
        raise ValueError(f"{channels} channels are more than norm_snake.c has room for")
    return out


def norm_snake_in_operators(
    x: torch.Tensor, valid: int, gain: torch.Tensor, shift: torch.Tensor, alpha: torch.Tensor
) -> torch.Tensor:
    """The same by PyTorch's operators, each a pass over memory: what the compiled one is checked against."""
    # With one sentence in the batch, batch normalisation is instance normalisation.
    inner = F.batch_norm(x[..., :valid], None, None, gain, shift, training=True)
    alpha = alpha.to(x.dtype)[:, None, None]
    snake = torch.sin(alpha * inner).square_().div_(alpha).add_(inner)
    return F.pad(snake, (0, x.shape[3] - valid))


@cache
def library() -> ctypes.CDLL | None:
    """Takes a second, once a process; None where there is no compiler or it refuses."""
    compiler = shutil.which("cc")
    if compiler is None:
        return None
    with tempfile.TemporaryDirectory() as folder:
        built = Path(folder) / "norm_snake.so"
        command = [compiler, "-O3", "-march=native", "-ffast-math", "-fPIC", "-shared", str(SOURCE), "-o", str(built)]
        if subprocess.run([*command, "-lm"], capture_output=True).returncode:
            return None
        return ctypes.CDLL(str(built))
